// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import StrictJSON

extension BuildFacts {
    /// SLSA 1.2, "Provenance", v1 of the predicate.
    public static let predicateType = "https://slsa.dev/provenance/v1"

    /// The provenance: sorted, and refused where an input has no digest, there is no subject, or a name stands twice.
    public func statement() throws(MalformedBytes) -> Statement {
        let sortedSubjects = subjects.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        guard !subjects.isEmpty else { throw Self.malformed("subject", "no artifact") }
        guard Set(subjects.map(\.name)).count == subjects.count else {
            throw Self.malformed("subject", "two artifacts with one name")
        }
        let resolved = try resolvedDependencies()
        let sortedTools = tools.sorted { Self.precedes($0.name, $1.name) }
        for tool in sortedTools { try Self.requireDigest(tool) }
        let inputs = InputTree(resolvedDependencies: resolved, tools: sortedTools)
        let predicate: JSONValue = [
            "buildDefinition": [
                "buildType": .string(buildType),
                "externalParameters": ["source": source.externalParameters, "nonce": .string(nonceHex)],
                "internalParameters": .object(allInternalParameters(tools: sortedTools)),
                "resolvedDependencies": .array(resolved.map(\.json)),
            ],
            "runDetails": runDetails(inputRoot: inputs.root),
        ]
        return Statement(subjects: sortedSubjects, predicateType: Self.predicateType, predicate: predicate)
    }

    private func resolvedDependencies() throws(MalformedBytes) -> [ResourceDescriptor] {
        let all = [source.descriptor, lockfile] + dependencies.sorted { Self.precedes($0.uri, $1.uri) }
        for input in all { try Self.requireDigest(input) }
        return all
    }

    private func allInternalParameters(tools: [ResourceDescriptor]) -> [String: JSONValue] {
        var parameters = internalParameters
        parameters["isolation"] = .string(isolation)
        parameters["attempt"] = .integer(attempt)
        parameters["tools"] = .array(tools.map(\.json))
        parameters["commandLine"] = .array(commandLine.map(JSONValue.string))
        parameters["environment"] = .object(environment.mapValues(JSONValue.string))
        parameters["phases"] = .array(phases.map(\.json))
        return parameters
    }

    private func runDetails(inputRoot: Digest256) -> JSONValue {
        var byproducts: [ResourceDescriptor] = [
            ResourceDescriptor(name: "input_merkle_root", digest: ["sha256": inputRoot.hex]),
            ResourceDescriptor(name: "build.log", digest: ["sha256": logDigest.hex], mediaType: "text/plain"),
        ]
        if let launchMeasurement {
            byproducts.append(ResourceDescriptor(name: "launch_measurement", digest: ["sha384": launchMeasurement]))
        }
        return [
            "builder": ["id": .string(builderID), "version": .object(builderVersion.mapValues(JSONValue.string))],
            "metadata": [
                "invocationId": .string(invocationID), "startedOn": .string(startedOn),
                "finishedOn": .string(finishedOn),
            ],
            "byproducts": .array(byproducts.map(\.json)),
        ]
    }

    private static func requireDigest(_ input: ResourceDescriptor) throws(MalformedBytes) {
        guard !input.digest.isEmpty else {
            throw malformed("resolvedDependencies", "'\(input.uri ?? input.name ?? "an input")' has no digest")
        }
    }

    private static func precedes(_ left: String?, _ right: String?) -> Bool {
        (left ?? "").utf8.lexicographicallyPrecedes((right ?? "").utf8)
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "provenance", field: field, offset: 0, reason: reason)
    }
}
