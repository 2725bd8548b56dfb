// SPDX-License-Identifier: Apache-2.0
package import HTTPTypes
import StrictJSON

/// What the service can be asked to do.
package enum Operation: String, CaseIterable, Sendable {
    case submit, status, cancel, events, result, health, metrics, description
}

/// One path and method of the API. The router serves these values and the description is written from them, so that
/// neither can say more than the other.
struct Endpoint: Sendable {
    let operation: Operation
    let method: HTTPRequest.Method
    /// `{id}` stands for the job id.
    let path: String
    let summary: String
    var parameters: [Parameter] = []
    /// By content type.
    var bodies: [String: JSONValue] = [:]
    let answers: [Answer]

    /// A value of the query or a header.
    struct Parameter: Sendable {
        enum Place: String, Sendable { case query, header, path }
        let name: String
        let place: Place
        let meaning: String
        let schema: JSONValue
        var isRequired = false
    }

    /// One status that the endpoint answers with.
    struct Answer: Sendable {
        let status: Int
        let meaning: String
        /// `nil` for an answer without a body.
        var contentType: String?
        var schema: JSONValue = [:]
        /// Headers that it always has, by name, and what each says.
        var headers: [String: String] = [:]
        /// Headers that it has only at times.
        var conditionalHeaders: [String: String] = [:]

        static func refusal(_ status: Int, _ meaning: String, headers: [String: String] = [:]) -> Answer {
            Answer(
                status: status, meaning: meaning, contentType: "application/json",
                schema: ["$ref": "#/components/schemas/Refusal"], headers: headers)
        }
    }

    /// Whether the method is this one's, or HEAD where GET is.
    func takes(_ other: HTTPRequest.Method) -> Bool { other == method || (method == .get && other == .head) }

    /// The job id in `path`, empty for an endpoint without one; `nil` where the path is another's.
    func match(_ path: Substring) -> Substring? {
        let wanted = self.path.split(separator: "/", omittingEmptySubsequences: false)
        let found = path.split(separator: "/", omittingEmptySubsequences: false)
        guard wanted.count == found.count else { return nil }
        var id: Substring = ""
        for (wanted, found) in zip(wanted, found) {
            if wanted == "{id}", !found.isEmpty {
                id = found
            } else if wanted != found {
                return nil
            }
        }
        return id
    }
}

/// Where a request goes.
package enum Route: Hashable, Sendable {
    case to(Operation, id: String)
    case refused(Refusal)

    /// By the endpoints' paths, and then their methods.
    package init(method: HTTPRequest.Method, path: Substring) {
        let matches = Endpoint.all.compactMap { endpoint in endpoint.match(path).map { (endpoint, String($0)) } }
        guard !matches.isEmpty else {
            self = .refused(.notFound)
            return
        }
        if let (endpoint, id) = matches.first(where: { $0.0.takes(method) }) {
            self = .to(endpoint.operation, id: id)
        } else {
            let methods = matches.flatMap { $0.0.method == .get ? ["GET", "HEAD"] : [$0.0.method.rawValue] }
            self = .refused(.methodNotAllowed(methods))
        }
    }
}
