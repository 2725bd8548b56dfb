// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The machine's own Nix, to compare with.
enum TestNix {
    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/nix-hash")

    /// What a program of Nix prints, without white space at its end.
    static func output(_ program: String, _ arguments: [String]) throws -> String {
        let folder = try TestProject(["out": ""])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/" + program)
        process.arguments = arguments
        process.environment = ["HOME": folder.root, "NIX_REMOTE": "", "NIX_STATE_DIR": folder.root + "/state"]
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.root + "/out"))
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments)")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.root + "/out"))
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
