// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Testing

@Suite struct TarEntriesTests {
    private func entries(_ name: String) throws -> [TarEntry] {
        var entries: [TarEntry] = []
        try forEachEntry(ofTarGzip: MadeArchives.path(name), limits: BuildLimits()) { entry, _ in entries.append(entry)
        }
        return entries
    }

    @Test func entriesComeInTheFilesOrder() throws {
        let found = try entries("good.tar.gz")
        #expect(found.map(\.path) == ["p", "p/run.sh", "p/a.txt", "p/l", "p/h", "p/sé中", "p/sub/deep"])
        #expect(
            found.map(\.kind) == [
                .folder, .file(executable: true), .file(executable: false), .link(target: "sub/../a.txt"), .hardLink,
                .file(executable: false), .file(executable: false),
            ])
        #expect(found.map(\.size) == [0, 2, 1, 0, 0, 1, 1])
    }

    @Test func contentIsReadAndDigested() throws {
        var text: [String: [UInt8]] = [:]
        var digests: [String: Digest256] = [:]
        let path = try MadeArchives.path("good.tar.gz")
        try forEachEntry(ofTarGzip: path, limits: BuildLimits()) { (entry, content) throws(BuildFailure) in
            if entry.path == "p/run.sh" { text[entry.path] = try content.bytes(limit: 2) }
            if entry.path == "p/a.txt" { digests[entry.path] = try content.sha256() }
        }
        #expect(text == ["p/run.sh": Array("#!".utf8)])
        #expect(digests == ["p/a.txt": Digest256(of: Array("A".utf8))])
    }

    @Test func contentBeyondTheLimitIsRefused() throws {
        let path = try MadeArchives.path("good.tar.gz")
        let failure = #expect(throws: BuildFailure.self) {
            try forEachEntry(ofTarGzip: path, limits: BuildLimits()) { (entry, content) throws(BuildFailure) in
                if entry.path == "p/run.sh" { _ = try content.bytes(limit: 1) }
            }
        }
        #expect(failure?.kind == .resourceLimit)
    }

    @Test(arguments: [
        "good.zip", "twice.tar.gz", "traversal.tar.gz", "trailing-byte.tar.gz", "joined.tar.gz", "wrong-crc.tar.gz",
        "text-after-tar.tar.gz", "device.tar.gz", "text",
    ])
    func damagedOrHostileTarballIsRefused(name: String) throws {
        #expect(throws: BuildFailure.self) { try entries(name) }
    }

    @Test func bombIsRefusedEvenWhereNothingIsRead() throws {
        let failure = #expect(throws: BuildFailure.self) { try entries("bomb.tar.gz") }
        #expect(failure?.kind == .resourceLimit)
    }
}
