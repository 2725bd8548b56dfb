// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import Foundation
import Pipeline
import Testing

@Suite struct OutputFolderTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/cupel-output-\(UUID())"

    private func prepare() throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder + "/release/nested", withIntermediateDirectories: true)
        try Data("program".utf8).write(to: URL(fileURLWithPath: folder + "/release/app"))
        try manager.createSymbolicLink(atPath: folder + "/release/link", withDestinationPath: "app")
        try manager.createSymbolicLink(atPath: folder + "/linked", withDestinationPath: "release")
        // To Swift a slash after or before these is no character of its own.
        for name in ["l\u{600}", "\u{301}m"] { #expect(symlink("release", folder + "/" + name) == 0) }
        #expect(symlink("..", folder + "/release/\u{301}up") == 0)
        mkfifo(folder + "/release/fifo", 0o600)
    }

    @Test func aRegularFileIsFoundWithItsSize() throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let found = try OutputFolder(path: folder).regularFile(at: "release/app")
        #expect(found.path == "app")
        #expect(try found.size() == 7)
    }

    @Test(arguments: [
        ("a link", "release/link"), ("behind a link", "linked/app"), ("a FIFO", "release/fifo"),
        ("a folder", "release/nested"), ("nothing", "release/missing"), ("a file as a folder", "release/app/x"),
        ("out of the folder", "../app"), ("through the folder above", "release/../../app"), ("absolute", "/etc/passwd"),
        ("an empty name", ""), ("an empty part", "release//app"), ("a zero byte", "release/app\0x"),
        ("behind a link with a letter that joins", "l\u{600}/app"),
        ("behind a link with a mark", "release/\u{301}up/release/app"), ("behind such a link", "\u{301}m/app"),
        ("out by a letter that joins", "release\u{600}/../../app"),
    ])
    func whatIsNoArtifactIsRefused(name: String, path: String) throws {
        try prepare()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = #expect(throws: BuildFailure.self) { try OutputFolder(path: folder).regularFile(at: path) }
        #expect(error?.kind == .artifact)
    }
}
