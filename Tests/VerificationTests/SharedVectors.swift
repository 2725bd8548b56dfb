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

    /// The rows of a group's index that make a kind of check; none where the vectors are absent.
    static func rows(_ group: String, check: String) -> [VectorRow] {
        guard let bytes = try? bytes("\(group)/INDEX.json"), let index = try? JSONValue(parsing: bytes) else {
            return []
        }
        return (index["vectors"]?.arrayValue ?? []).filter { $0["check"]?.stringValue == check }
            .map { VectorRow(json: $0) }
    }
}

/// One row of an index.
struct VectorRow: Sendable, CustomTestStringConvertible {
    let json: JSONValue

    var testDescription: String { json["id"]?.stringValue ?? "" }

    subscript(key: String) -> JSONValue? { json[key] }
}
