// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import Testing
import Toolchains

@Suite struct NixArchiveTests {
    private func tree() throws -> TestProject {
        let project = try TestProject([
            "t/a": "", "t/b": "seven b", "t/c": "eight by", "t/sub/deep/file": String(repeating: "x", count: 300_000),
            "t/a.b": "dot", "t/a-b": "hyphen", "t/A": "upper", "t/é": "letter", "t/ ": "space", "t/new\nline": "line",
            "t/run": "#!/bin/sh\n",
        ])
        try FileManager.default.createDirectory(atPath: project.root + "/t/empty", withIntermediateDirectories: true)
        try project.link("t/link", to: "sub/deep/file")
        try project.link("t/dangling", to: "../../nowhere at all")
        try #require(chmod(project.root + "/t/run", 0o755) == 0)
        return project
    }

    /// The digests are of Nix 2.8.
    @Test func aTreeHasTheDigestThatNixGivesIt() throws {
        let project = try TestProject(["t/a": "hello\n", "t/b/run": "#!/bin/sh\n", "f": "hello\n"])
        try project.link("t/link", to: "a")
        try #require(chmod(project.root + "/t/b/run", 0o755) == 0)
        #expect(
            try NixArchive.digest(of: project.root + "/t").hex
                == "46f5b9ade8d36285f355af66b84942238b1d1882f74f94c70946444058e5653c")
        #expect(
            try NixArchive.digest(of: project.root + "/f").hex
                == "1c37d01af40be2e80691de3cc3df44377a699afbb17c68f080964b2fd071fc13")
        #expect(
            try NixArchive.digest(of: project.root + "/t/link").hex
                == "b2d471a08d30662f14c0ae1e718b16f9fc1f38de425f47cca0437e9e93bc1f24")
    }

    @Test(.enabled(if: TestNix.isInstalled, "nix is not installed"), arguments: NixHash.Algorithm.allCases)
    func nixComputesTheSame(_ algorithm: NixHash.Algorithm) throws {
        let root = try tree().root
        let some = try NixHash(algorithm, bytes: [UInt8](repeating: 0, count: algorithm.size))
        for path in ["t", "t/run", "t/empty", "t/link", "t/a", "t/c", "t/sub"].map({ "\(root)/\($0)" }) {
            let found = try NixArchive.output(at: path, like: NixFixedOutput(mode: .archive, hash: some))
            #expect(try found.hash.hex == TestNix.output("nix-hash", ["--type", algorithm.rawValue, path]))
            if algorithm == .sha256 { #expect(try NixArchive.digest(of: path).hex == found.hash.hex) }
        }
        for path in ["t/run", "t/a", "t/sub/deep/file"].map({ "\(root)/\($0)" }) {
            let found = try NixArchive.output(at: path, like: NixFixedOutput(mode: .flat, hash: some))
            let expected = try TestNix.output("nix-hash", ["--flat", "--type", algorithm.rawValue, path])
            #expect(found.hash.hex == expected)
        }
    }

    @Test(.enabled(if: TestNix.isInstalled && Shared.has("vectors"), "nix or the shared vectors are not there"))
    func aRealTreeIsTheSame() throws {
        let path = Shared.root + "/vectors/locks"
        #expect(try NixArchive.digest(of: path).hex == TestNix.output("nix-hash", ["--type", "sha256", path]))
    }

    static let changes: [(String, @Sendable (TestProject) throws -> Void)] = [
        ("a byte", { try $0.write("t/b", "seven B") }),
        ("a name", { try FileManager.default.moveItem(atPath: $0.root + "/t/b", toPath: $0.root + "/t/bb") }),
        ("the bit of a program", { try #require(chmod($0.root + "/t/run", 0o644) == 0) }),
        (
            "a link's target",
            {
                try $0.remove("t/link"); try $0.link("t/link", to: "sub/deep")
            }
        ),
        ("an empty folder", { try $0.remove("t/empty") }),
        (
            "a file for a link",
            {
                try $0.remove("t/link"); try $0.write("t/link", "sub/deep/file")
            }
        ),
    ]

    @Test(arguments: changes.indices)
    func everyChangeShows(_ index: Int) throws {
        let project = try tree()
        let before = try NixArchive.digest(of: project.root + "/t")
        try Self.changes[index].1(project)
        #expect(try NixArchive.digest(of: project.root + "/t") != before, "\(Self.changes[index].0)")
    }

    @Test func timesOwnersAndOtherBitsDoNotShow() throws {
        let project = try tree()
        let before = try NixArchive.digest(of: project.root + "/t")
        try #require(chmod(project.root + "/t/b", 0o600) == 0)
        try #require(chmod(project.root + "/t/run", 0o700) == 0)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: project.root + "/t/a")
        #expect(try NixArchive.digest(of: project.root + "/t") == before)
    }

    @Test func whatIsNeitherFileFolderNorLinkIsRefused() throws {
        let project = try tree()
        try #require(mkfifo(project.root + "/t/sub/pipe", 0o600) == 0)
        let failure = try #require(failure { _ = try NixArchive.digest(of: project.root + "/t") })
        #expect(failure.kind == .inputVerification)
        #expect(failure.message.contains("pipe"))
    }

    @Test func whatIsNotThereIsRefused() throws {
        let project = try TestProject()
        #expect(failureKind { _ = try NixArchive.digest(of: project.root + "/none") } == .inputVerification)
    }

    @Test func aFlatHashIsOfAFileAlone() throws {
        let project = try tree()
        let some = NixFixedOutput(mode: .flat, hash: try NixHash(.sha256, bytes: [UInt8](repeating: 0, count: 32)))
        for name in ["t/sub", "t/link", "t/none"] {
            let kind = failureKind { _ = try NixArchive.output(at: project.root + "/" + name, like: some) }
            #expect(kind == .inputVerification, "\(name)")
        }
    }

    @Test func foldersWithoutEndAreRefused() throws {
        let project = try TestProject()
        let deep = Array(repeating: "d", count: NixArchive.maximumDepth + 1).joined(separator: "/")
        try project.write("t/" + deep + "/file", "")
        #expect(failureKind { _ = try NixArchive.digest(of: project.root + "/t") } == .inputVerification)
        #expect(failureKind { _ = try NixArchive.digest(of: project.root + "/t/d/d") } == nil)
    }
}
