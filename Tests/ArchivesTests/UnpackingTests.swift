// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import Foundation
import Testing

@Suite struct UnpackingTests {
    @Test func tarGzipUnpacksWithCleanModes() throws {
        for name in ["good.tar.gz", "gnu.tar.gz"] {
            let folder = try TemporaryFolder()
            try unpackArchive(file: MadeArchives.path(name), into: folder.path, limits: BuildLimits())
            #expect(
                try contents(of: folder.path) == [
                    "p": "folder 755", "p/sub": "folder 755", "p/run.sh": "file 755 #!", "p/a.txt": "file 644 A",
                    "p/l": "link sub/../a.txt", "p/h": "file 755 #!", "p/sé中": "file 644 U", "p/sub/deep": "file 644 D",
                ], "\(name)")
        }
    }

    @Test func zipUnpacksWithCleanModes() throws {
        let folder = try TemporaryFolder()
        try unpackArchive(file: MadeArchives.path("good.zip"), into: folder.path, limits: BuildLimits())
        #expect(
            try contents(of: folder.path) == [
                "p": "folder 755", "p/empty": "folder 755", "p/run.sh": "file 755 #!", "p/a.txt": "file 644 A",
                "p/l": "link a.txt", "p/sé": "file 644 U",
            ])
    }

    @Test(arguments: [
        ("dotted.tar.gz", ["a", "b", "b/c", "b/c/d"]),
        ("stored.zip", ["a"]),
        ("case.tar.gz", ["A", "a"]),
    ])
    func namesAreTakenAsTheyAre(name: String, expected: [String]) throws {
        let folder = try TemporaryFolder()
        try unpackArchive(file: MadeArchives.path(name), into: folder.path, limits: BuildLimits())
        let found = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        #expect(
            found.map { Array($0.utf8) }.sorted(by: { $0.lexicographicallyPrecedes($1) })
                == expected.map { Array($0.utf8) }.sorted(by: { $0.lexicographicallyPrecedes($1) }))
    }

    @Test(arguments: [
        ("traversal.tar.gz", "leads out"), ("traversal.zip", "leads out"), ("absolute.tar.gz", "absolute"),
        ("absolute.zip", "absolute"), ("dotdot-last.tar.gz", "leads out"), ("link-out.tar.gz", "outside"),
        ("link-out.zip", "outside"), ("link-up.tar.gz", "outside"), ("link-by-link.tar.gz", "outside"),
        ("link-loop.tar.gz", "endless"), ("through-link.tar.gz", "twice"), ("through-inner-link.tar.gz", "twice"),
        ("over-link.tar.gz", "twice"), ("hardlink-out.tar.gz", "absolute"), ("hardlink-up.tar.gz", "leads out"),
        ("hardlink-nowhere.tar.gz", "no file that came before"),
        ("hardlink-to-link.tar.gz", "no file that came before"), ("device.tar.gz", "device"),
        ("block.tar.gz", "device"), ("fifo.tar.gz", "FIFO"), ("unicode.tar.gz", "twice"), ("twice.tar.gz", "twice"),
        ("twice.zip", "twice"), ("file-as-folder.tar.gz", "twice"), ("folder-as-file.tar.gz", "twice"),
        ("not-utf8.tar.gz", "UTF-8"), ("not-utf8-link.tar.gz", "UTF-8"), ("not-utf8.zip", "UTF-8"),
        ("encrypted.zip", "encrypted"), ("empty.zip", "no file"), ("empty.tar.gz", "no file"),
        ("folders-only.tar.gz", "no file"), ("nothing", "neither"), ("text", "neither"), ("plain.tar", "neither"),
        ("gzipped-text.gz", "could not be read"), ("good.tar.bz2", "neither"), ("good.tar.xz", "neither"),
        ("trailing-byte.tar.gz", "after the end"), ("trailing-text.tar.gz", "after the end"),
        ("joined.tar.gz", "after the end"), ("split.tar.gz", "joined together"),
        ("tar-after-tar.tar.gz", "after the end of the tar"), ("text-after-tar.tar.gz", "after the end of the tar"),
        ("cut-tar.tar.gz", "could not be read"), ("no-end.tar.gz", "cut short"), ("wrong-crc.tar.gz", "check sum"),
        ("wrong-length.tar.gz", "check sum"), ("cut.zip", "cut short"), ("trailing.zip", "after it"),
        ("joined.zip", "after it"), ("wrong-crc.zip", "could not be read"), ("sparse.tar.gz", "sparse"),
        ("size-lie.tar.gz", "could not be read"), ("negative-size.tar.gz", ""),
    ])
    func hostileArchiveIsRefusedAndLeavesNothing(name: String, reason: String) throws {
        let folder = try TemporaryFolder()
        let failure = #expect(throws: BuildFailure.self) {
            try unpackArchive(file: MadeArchives.path(name), into: folder.path, limits: BuildLimits())
        }
        #expect(failure?.kind == .source)
        #expect(reason.isEmpty || failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
        #expect(try contents(of: folder.path).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: MadeArchives.escapePath))
    }

    @Test(arguments: [
        ("bomb.tar.gz", "compression ratio", BuildLimits()), ("bomb.zip", "compression ratio", BuildLimits()),
        ("bomb.tar.gz", "unpacked size", with { $0.unpackedSize = 1 << 20 }),
        ("good.tar.gz", "unpacked size", with { $0.unpackedSize = 3 }),
        ("good.zip", "unpacked size", with { $0.unpackedSize = 3 }),
        ("many.tar.gz", "file count", with { $0.fileCount = 299 }),
        ("many.zip", "file count", with { $0.fileCount = 299 }),
        ("dotted.tar.gz", "file count", with { $0.fileCount = 3 }),
        ("deep.tar.gz", "nests 201", BuildLimits()), ("deep-folders.tar.gz", "nests 250", BuildLimits()),
        ("long-name.tar.gz", "421 bytes", with { $0.pathLength = 420 }),
        ("4k-deep.tar.gz", "8001 bytes", BuildLimits()),
    ])
    func limitIsNamedAndNothingIsLeft(name: String, reason: String, limits: BuildLimits) throws {
        let folder = try TemporaryFolder()
        let failure = #expect(throws: BuildFailure.self) {
            try unpackArchive(file: MadeArchives.path(name), into: folder.path, limits: limits)
        }
        #expect(failure?.kind == .resourceLimit)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
        #expect(try contents(of: folder.path).isEmpty)
    }

    @Test(arguments: [
        ("many.tar.gz", with { $0.fileCount = 300 }), ("long-name.tar.gz", with { $0.pathLength = 421 }),
        ("bomb.tar.gz", with { $0.compressionRatio = 2000 }), ("deep.tar.gz", with { $0.pathDepth = 201 }),
    ])
    func whatJustMeetsALimitUnpacks(name: String, limits: BuildLimits) throws {
        let folder = try TemporaryFolder()
        try unpackArchive(file: MadeArchives.path(name), into: folder.path, limits: limits)
        #expect(try !contents(of: folder.path).isEmpty)
    }

    @Test(arguments: ["good.tar.gz", "good.zip"])
    func everyPrefixIsRefused(name: String) throws {
        let whole = try bytes(of: MadeArchives.path(name))
        let folder = try TemporaryFolder()
        let target = try folder.folder("target")
        for length in 0..<whole.count {
            let path = try folder.write(Array(whole[..<length]), to: "cut")
            #expect(throws: BuildFailure.self, "cut to \(length) of \(whole.count) bytes") {
                try unpackArchive(file: path, into: target, limits: BuildLimits())
            }
        }
        #expect(try contents(of: target).isEmpty)
    }

    @Test func noChangedByteOfATarGzipChangesTheFiles() throws {
        let whole = try bytes(of: MadeArchives.path("good.tar.gz"))
        let folder = try TemporaryFolder()
        let good = try folder.folder("good")
        try unpackArchive(file: MadeArchives.path("good.tar.gz"), into: good, limits: BuildLimits())
        let expected = try contents(of: good)
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 0x41
            let path = try folder.write(changed, to: "changed")
            let target = try folder.folder("target")
            do {
                try unpackArchive(file: path, into: target, limits: BuildLimits())
                #expect(try contents(of: target) == expected, "byte \(index) changed")
            } catch is BuildFailure {
                #expect(try contents(of: target).isEmpty)
            }
            try FileManager.default.removeItem(atPath: target)
        }
    }

    /// libarchive knows no FIFO in a ZIP file: it takes the entry for a file.
    @Test func fifoInAZipIsAnEmptyFile() throws {
        let folder = try TemporaryFolder()
        try unpackArchive(file: MadeArchives.path("fifo.zip"), into: folder.path, limits: BuildLimits())
        #expect(try contents(of: folder.path) == ["a": "file 644 x", "f": "file 644 "])
    }

    @Test func folderThatIsNotEmptyIsLeftAlone() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write([1], to: "mine")
        #expect(throws: BuildFailure.self) {
            try unpackArchive(file: MadeArchives.path("good.zip"), into: folder.path, limits: BuildLimits())
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["mine"])
    }

    @Test(arguments: ["good.tar.gz", "good.zip"])
    func checkpointEndsTheUnpacking(name: String) throws {
        let folder = try TemporaryFolder()
        var calls = 0
        let failure = #expect(throws: BuildFailure.self) {
            try unpackArchive(file: MadeArchives.path(name), into: folder.path, limits: BuildLimits()) {
                () throws(BuildFailure) in
                calls += 1
                if calls == 3 { throw BuildFailure(.cancelled, "enough") }
            }
        }
        #expect(failure?.kind == .cancelled)
        #expect(try contents(of: folder.path).isEmpty)
    }

    @Test func resultWithAHardLinkIsRefused() throws {
        let folder = try TemporaryFolder()
        #expect(throws: BuildFailure.self) {
            try unpackResult(tarGzip: MadeArchives.path("good.tar.gz"), into: folder.path, limits: BuildLimits())
        }
        #expect(throws: BuildFailure.self) {
            try unpackResult(tarGzip: MadeArchives.path("stored.zip"), into: folder.path, limits: BuildLimits())
        }
        #expect(try contents(of: folder.path).isEmpty)
        try unpackResult(tarGzip: MadeArchives.path("dotted.tar.gz"), into: folder.path, limits: BuildLimits())
        #expect(try contents(of: folder.path)["b/c/d"] == "file 644 D")
    }

    @Test(arguments: [
        "link-out.tar.gz", "link-up.tar.gz", "link-by-link.tar.gz", "link-loop.tar.gz", "through-link.tar.gz",
        "through-inner-link.tar.gz", "over-link.tar.gz", "hardlink-to-link.tar.gz",
    ])
    func resultWithALinkThatLeadsOutIsRefused(name: String) throws {
        let folder = try TemporaryFolder()
        #expect(throws: BuildFailure.self) {
            try unpackResult(tarGzip: MadeArchives.path(name), into: folder.path, limits: BuildLimits())
        }
        #expect(try contents(of: folder.path).isEmpty)
    }

    @Test(
        .enabled("the shared project is absent") { FileManager.default.fileExists(atPath: Shared.realProject) })
    func realProjectUnpacks() throws {
        let folder = try TemporaryFolder()
        try unpackArchive(file: Shared.realProject, into: folder.path, limits: BuildLimits())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["cargo-real"])
        #expect(FileManager.default.fileExists(atPath: folder.path + "/cargo-real/Cargo.lock"))
    }
}

/// The default limits with one change.
func with(_ change: (inout BuildLimits) -> Void) -> BuildLimits {
    var limits = BuildLimits()
    change(&limits)
    return limits
}

enum Shared {
    static let realProject: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let shared = ProcessInfo.processInfo.environment["CUPEL_SHARED"] ?? root + "/../shared"
        return shared + "/projects/cargo-real.tar.gz"
    }()
}
