// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
package import StrictJSON

/// The description of the API (OpenAPI 3.1), written from the endpoints that the router serves.
package enum OpenAPI {
    package static func document(version: String) -> JSONValue {
        var paths: [String: JSONValue] = [:]
        for endpoint in Endpoint.all {
            var operations = paths[endpoint.path]?.objectValue ?? [:]
            operations[endpoint.method.rawValue.lowercased()] = operation(endpoint)
            paths[endpoint.path] = .object(operations)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Attested builds", "version": .string(version),
                "description": "Submit source, follow the build, fetch artifacts with provenance and evidence.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "paths": .object(paths),
            "components": ["schemas": Schema.all],
        ]
    }

    private static func operation(_ endpoint: Endpoint) -> JSONValue {
        var members: [String: JSONValue] = [
            "operationId": .string(endpoint.operation.rawValue), "summary": .string(endpoint.summary),
        ]
        if !endpoint.parameters.isEmpty { members["parameters"] = .array(endpoint.parameters.map(parameter)) }
        if !endpoint.bodies.isEmpty {
            let content = endpoint.bodies.mapValues { JSONValue.object(["schema": $0]) }
            members["requestBody"] = ["required": true, "content": .object(content)]
        }
        let answers = endpoint.answers.map { (String($0.status), answer($0)) }
        members["responses"] = .object(Dictionary(uniqueKeysWithValues: answers))
        return .object(members)
    }

    private static func parameter(_ parameter: Endpoint.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "description": .string(parameter.meaning), "required": .bool(parameter.isRequired),
            "schema": parameter.schema,
        ]
    }

    private static func header(_ meaning: String, isRequired: Bool) -> JSONValue {
        ["description": .string(meaning), "required": .bool(isRequired), "schema": ["type": "string"]]
    }

    private static func answer(_ answer: Endpoint.Answer) -> JSONValue {
        var members: [String: JSONValue] = ["description": .string(answer.meaning)]
        if let type = answer.contentType {
            members["content"] = .object([type: ["schema": answer.schema]])
        }
        let headers = answer.headers.mapValues { header($0, isRequired: true) }
            .merging(answer.conditionalHeaders.mapValues { header($0, isRequired: false) }) { $1 }
        if !headers.isEmpty { members["headers"] = .object(headers) }
        return .object(members)
    }
}
