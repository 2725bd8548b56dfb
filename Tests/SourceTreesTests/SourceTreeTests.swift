// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import SourceTrees
import Testing

@Suite struct SourceTreeTests {
    private let folder: TemporaryFolder
    private let root: String

    init() throws {
        folder = try TemporaryFolder()
        root = folder.path + "/t"
        try folder.write(["a": "A", "a.b": "AB", "a0": "0", "d/x": "X", "d.c": "C", "run": "R", "d/e/é": "U"], in: "t")
        try FileManager.default.removeItem(atPath: root + "/a")
        try folder.write(["a/z": "Z"], in: "t")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: root + "/run")
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "d/x")
    }

    private func tree(_ limits: BuildLimits = BuildLimits()) throws -> SourceTree {
        try SourceTree(of: root, limits: limits)
    }

    @Test func gitTreeIsWhatGitMakes() throws {
        try git("init", "-q", in: root)
        try git("add", "-A", in: root)
        #expect(try tree().gitTree?.hex == git("write-tree", in: root))
    }

    @Test func emptyFolderHasGitsEmptyTree() throws {
        let empty = try TemporaryFolder()
        let tree = try SourceTree(of: empty.path, limits: BuildLimits())
        #expect(tree.gitTree?.hex == "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        #expect(tree.fileCount == 0)
    }

    /// The documented format, computed with other tools.
    @Test func digestIsWhatShellToolsCompute() throws {
        let script = #"""
            { printf 'cupel tree 1\0'
              { find . \( -type f -o -type l \) -printf '%P\0'; find . -mindepth 1 -type d -empty -printf '%P/\0'; } |
              LC_ALL=C sort -z | while IFS= read -r -d '' p; do
                if [ -L "$p" ]; then k=link; h=$(printf %s "$(readlink "$p")" | sha256sum)
                elif [ -d "$p" ]; then k=folder; h=$(sha256sum </dev/null)
                elif [ -x "$p" ]; then k=executable; h=$(sha256sum <"$p")
                else k=file; h=$(sha256sum <"$p"); fi
                printf '%s %s %s\0' "$k" "${h%% *}" "$p"
              done; } | sha256sum | cut -c1-64
            """#
        try FileManager.default.createDirectory(atPath: root + "/void/inner", withIntermediateDirectories: true)
        #expect(try tree().digest.hex == run("/bin/bash", ["-c", script], in: root))
    }

    @Test(arguments: Change.all)
    func everyChangeChangesTheDigest(change: Change) throws {
        let before = try tree()
        try change.apply(root)
        #expect(try tree().digest != before.digest)
    }

    @Test func timesModesAndTheTopGitDoNotCount() throws {
        let before = try tree()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: root + "/d/x")
        try FileManager.default.setAttributes([.modificationDate: Date.distantPast], ofItemAtPath: root + "/d/x")
        try folder.write([".git/config": "x"], in: "t")
        #expect(try tree() == before)
    }

    @Test func treeWithAnInnerGitHasNoGitTree() throws {
        try folder.write(["d/.GIT/config": "x"], in: "t")
        #expect(try tree().gitTree == nil)
    }

    @Test(arguments: Change.refused)
    func whatIsNoSourceIsRefused(change: Change) throws {
        try change.apply(root)
        let failure = #expect(throws: BuildFailure.self) { try tree() }
        #expect(failure?.kind == .source)
        #expect(failure?.message.contains(change.testDescription) == true, "\(failure?.message ?? "")")
    }

    @Test(arguments: ["file count", "size", "path depth", "path longer"])
    func limitIsNamed(name: String) throws {
        var limits = BuildLimits()
        switch name {
        case "file count": limits.fileCount = 9
        case "size": limits.unpackedSize = 5
        case "path depth": limits.pathDepth = 1
        default: limits.pathLength = 4
        }
        let failure = #expect(throws: BuildFailure.self) { try tree(limits) }
        #expect(failure?.kind == .resourceLimit)
        #expect(failure?.message.contains(name) == true, "\(failure?.message ?? "")")
    }

    @Test func submodulesCountAsCommits() throws {
        let commit = try #require(GitObjectID(hex: String(repeating: "ab", count: 20)))
        let tree = try SourceTree(of: root, limits: BuildLimits(), submodules: ["d/e": commit])
        let inner = try SourceTree(of: root + "/d/e", limits: BuildLimits())
        #expect(tree.submoduleTrees == ["d/e": inner.gitTree])
        #expect(tree.digest == (try self.tree().digest))
        try FileManager.default.removeItem(atPath: root + "/d/e")
        try git("init", "-q", in: root)
        try git("add", "-A", in: root)
        try git("update-index", "--add", "--cacheinfo", "160000,\(commit),d/e", in: root)
        #expect(tree.gitTree?.hex == (try git("write-tree", in: root)))
    }
}

/// Something done to the tree at a path.
struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let apply: @Sendable (String) throws -> Void

    init(_ name: String, _ apply: @escaping @Sendable (String) throws -> Void) {
        testDescription = name
        self.apply = apply
    }

    static let all = [
        Change("content") { try write("changed", $0 + "/d/x") },
        Change("mode") { try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: $0 + "/run") },
        Change("name") { try FileManager.default.moveItem(atPath: $0 + "/a0", toPath: $0 + "/a1") },
        Change("link's target") {
            try FileManager.default.removeItem(atPath: $0 + "/link")
            try FileManager.default.createSymbolicLink(atPath: $0 + "/link", withDestinationPath: "d/y")
        },
        Change("link becomes a file") {
            try FileManager.default.removeItem(atPath: $0 + "/link")
            try write("d/x", $0 + "/link")
        },
        Change("empty folder") {
            try FileManager.default.createDirectory(atPath: $0 + "/v", withIntermediateDirectories: true)
        },
        Change("new file") { try write("", $0 + "/d/.git") },
        Change("removed file") { try FileManager.default.removeItem(atPath: $0 + "/d/e/é") },
    ]

    /// Named by what the error says.
    static let refused = [
        Change("FIFO") { #expect(mkfifo($0 + "/d/f", 0o600) == 0) },
        Change("link 'd/out' of the source leads out") { #expect(symlink("../../x", $0 + "/d/out") == 0) },
        Change("link 'out' of the source leads out") { #expect(symlink("/etc/passwd", $0 + "/out") == 0) },
        Change("link 'by' of the source leads out") {
            #expect(symlink("..", $0 + "/d/up") == 0)
            #expect(symlink("d/up/../x", $0 + "/by") == 0)
        },
        Change("endless") { #expect(symlink("me", $0 + "/me") == 0) },
        Change("UTF-8") {
            let path = Array(($0 + "/caf").utf8).map { CChar(bitPattern: $0) } + [CChar(bitPattern: 0xE9), 0]
            #expect(mkdir(path, 0o755) == 0)
        },
    ]

    private static func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
