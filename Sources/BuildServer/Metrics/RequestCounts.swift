// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Synchronization

/// Answered requests by what they asked for and what they got. The labels come from the API's description, never from
/// the request, so that no client can make more of them.
struct RequestCounts: ~Copyable, Sendable {
    private struct Key: Hashable, Comparable {
        let route: String
        let method: String
        let status: Int

        static func < (one: Self, other: Self) -> Bool {
            (one.route, one.method, one.status) < (other.route, other.method, other.status)
        }
    }

    private let counts = Mutex<[Key: Int]>([:])

    borrowing func add(_ route: Route, _ method: HTTPRequest.Method, _ status: HTTPResponse.Status) {
        let key = Key(route: route.template, method: Self.name(method), status: status.code)
        counts.withLock { $0[key, default: 0] += 1 }
    }

    var samples: [MetricFamily.Sample] {
        counts.withLock { $0 }.sorted { $0.key < $1.key }.map { key, count in
            .init(
                labels: [("route", key.route), ("method", key.method), ("status", "\(key.status)")],
                value: Double(count))
        }
    }

    /// `other` for methods that no endpoint takes.
    private static func name(_ method: HTTPRequest.Method) -> String {
        Endpoint.all.contains { $0.takes(method) } ? method.rawValue : "other"
    }
}

extension Route {
    /// The path of the endpoint, as the API's description has it; `none` for a request that no endpoint takes.
    var template: String {
        guard case .to(let operation, _) = self else { return "none" }
        return Endpoint.all.first { $0.operation == operation }?.path ?? "none"
    }
}
