// SPDX-License-Identifier: Apache-2.0
import Foundation
import StrictJSON
import Testing

/// The published vectors: the folder that CUPEL_SHARED names, or `shared` beside the package. Tests that need it are
/// skipped, and say so, where it is absent.
enum SharedVectors {
    static let folder: String? = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["CUPEL_SHARED"].map { URL(filePath: $0) }
            ?? package.deletingLastPathComponent().appending(path: "shared")
        let vectors = shared.appending(path: "vectors").path()
        return FileManager.default.fileExists(atPath: vectors) ? vectors : nil
    }()

    static var arePresent: Bool { folder != nil }

    static func bytes(_ path: String) throws -> [UInt8] {
        let folder = try #require(folder)
        return Array(try Data(contentsOf: URL(filePath: "\(folder)/\(path)")))
    }
}

/// One row of a group's INDEX.json.
struct SharedVector: Sendable, CustomTestStringConvertible {
    let group: String
    let json: JSONValue

    var id: String { json["id"]?.stringValue ?? "" }
    var testDescription: String { id }
    var isInvalid: Bool { json["expect"]?.stringValue == "invalid" }
    var expected: [String: JSONValue] { json["expected"]?.objectValue ?? [:] }

    /// The rows of a group that make a kind of check; none where the vectors are absent.
    static func all(_ group: String, check: String) -> [SharedVector] {
        guard let bytes = try? SharedVectors.bytes("\(group)/INDEX.json"), let index = try? JSONValue(parsing: bytes)
        else { return [] }
        return (index["vectors"]?.arrayValue ?? []).map { SharedVector(group: group, json: $0) }
            .filter { $0.json["check"]?.stringValue == check }
    }

    func bytes(_ role: String) throws -> [UInt8] {
        let name = try #require(json["files"]?[role]?.stringValue)
        return try SharedVectors.bytes(name.contains("/") ? name : "\(group)/\(name)")
    }

    func has(_ role: String) -> Bool { json["files"]?[role] != nil }

    /// Compares the facts that are at hand with the expected ones, and returns the keys that nothing was said about.
    func compare(_ facts: [String: JSONValue], with expected: [String: JSONValue]? = nil) -> Set<String> {
        let expected = expected ?? self.expected
        for (key, value) in facts {
            guard let wanted = expected[key] else { continue }
            #expect(value == wanted, "\(id): \(key)")
        }
        return Set(expected.keys).subtracting(facts.keys)
    }
}
