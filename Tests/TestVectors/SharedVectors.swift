// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The published vectors: the folder that CUPEL_SHARED names, or `shared` beside the package. Tests that need it are
/// skipped, and say so, where it is absent.
package enum SharedVectors {
    package static let folder: String? = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["CUPEL_SHARED"].map { URL(filePath: $0) }
            ?? package.deletingLastPathComponent().appending(path: "shared")
        let vectors = shared.appending(path: "vectors").path()
        return FileManager.default.fileExists(atPath: vectors) ? vectors : nil
    }()

    package static var arePresent: Bool { folder != nil }

    package static func bytes(_ path: String) throws -> [UInt8] {
        let folder = try #require(folder)
        return Array(try Data(contentsOf: URL(filePath: "\(folder)/\(path)")))
    }
}
