// SPDX-License-Identifier: Apache-2.0
package import StrictJSON
internal import Testing

/// One row of a group's INDEX.json.
package struct SharedVector: Sendable, CustomTestStringConvertible {
    package let group: String
    package let json: JSONValue

    package var id: String { json["id"]?.stringValue ?? "" }
    package var testDescription: String { id }
    package var isInvalid: Bool { json["expect"]?.stringValue == "invalid" }
    package var expected: [String: JSONValue] { json["expected"]?.objectValue ?? [:] }

    package subscript(key: String) -> JSONValue? { json[key] }

    /// The rows of a group, those of one kind of check if it is named; none where the vectors are absent. Where they are
    /// there and no row fits, the run ends: a test without rows would pass.
    package static func all(_ group: String, check: String? = nil) -> [SharedVector] {
        guard SharedVectors.arePresent else { return [] }
        let index = (try? SharedVectors.bytes("\(group)/INDEX.json")).flatMap { try? JSONValue(parsing: $0) }
        let rows = (index?["vectors"]?.arrayValue ?? []).map { SharedVector(group: group, json: $0) }
            .filter { check == nil || $0.json["check"]?.stringValue == check }
        precondition(!rows.isEmpty, "\(group)/INDEX.json has no row of \(check ?? "any check")")
        return rows
    }

    package func bytes(_ role: String) throws -> [UInt8] {
        let name = try #require(json["files"]?[role]?.stringValue)
        return try SharedVectors.bytes(name.contains("/") ? name : "\(group)/\(name)")
    }

    package func has(_ role: String) -> Bool { json["files"]?[role] != nil }

    /// Compares the facts that are at hand with the expected ones, and returns the keys that nothing was said about.
    package func compare(_ facts: [String: JSONValue], with expected: [String: JSONValue]? = nil) -> Set<String> {
        let expected = expected ?? self.expected
        for (key, value) in facts {
            guard let wanted = expected[key] else { continue }
            #expect(value == wanted, "\(id): \(key)")
        }
        return Set(expected.keys).subtracting(facts.keys)
    }
}
