// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Foundation
import Testing

@Suite struct TarGzipWriterTests {
    @Test func sameFilesGiveTheSameBytes() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Array("content".utf8), to: "file")
        var results: [[UInt8]] = []
        for name in ["one", "two"] {
            let other = try folder.write(Array("content".utf8), to: "file-" + name)
            let date = Date(timeIntervalSince1970: name == "one" ? 1_000_000 : 2_000_000)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: other)
            let mode = name == "one" ? 0o600 : 0o666
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: other)
            let writer = try TarGzipWriter(path: folder.path + "/" + name)
            try writer.add(file: other, as: "p/artifacts/tool", executable: true)
            try writer.add(file: file, as: "p/é", executable: false)
            try writer.addBytes(Array("{}".utf8), as: "p/provenance.json")
            try writer.close()
            results.append(try bytes(of: folder.path + "/" + name))
        }
        #expect(results[0] == results[1])
        #expect(results[0][4..<8] == [0, 0, 0, 0], "the time in the gzip header")
    }

    @Test func whatIsWrittenUnpacksAgain() throws {
        let folder = try TemporaryFolder()
        let longName = "p/" + String(repeating: "x", count: 150) + "/" + String(repeating: "y", count: 120)
        let big = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        let file = try folder.write(big, to: "big")
        let writer = try TarGzipWriter(path: folder.path + "/result")
        #expect(try writer.add(file: file, as: longName, executable: true) == Digest256(of: big))
        #expect(try writer.addBytes(big, as: "p/bytes") == Digest256(of: big))
        #expect(try writer.addBytes([], as: "p/empty") == Digest256(of: []))
        try writer.close()
        let target = try folder.folder("target")
        try unpackResult(tarGzip: folder.path + "/result", into: target, limits: BuildLimits())
        #expect(try bytes(of: target + "/" + longName) == big)
        #expect(try bytes(of: target + "/p/bytes") == big)
        #expect(try bytes(of: target + "/p/empty").isEmpty)
        let mode = try FileManager.default.attributesOfItem(atPath: target + "/" + longName)[.posixPermissions]
        #expect((mode as? NSNumber)?.intValue == 0o755)
    }

    @Test func linksUnpackAsTheyWerePacked() throws {
        let folder = try TemporaryFolder()
        let target = "../" + String(repeating: "x", count: 150) + "/é"
        for name in ["one", "two"] {
            let writer = try TarGzipWriter(path: folder.path + "/" + name)
            try writer.addBytes([7], as: "p/file")
            try writer.add(linkTo: "file", as: "p/link-é")
            try writer.add(linkTo: target, as: "p/far/link")
            try writer.close()
        }
        #expect(try bytes(of: folder.path + "/one") == bytes(of: folder.path + "/two"))
        let (source, result) = (try folder.folder("source"), try folder.folder("result"))
        try unpackArchive(file: folder.path + "/one", into: source, limits: BuildLimits())
        try unpackResult(tarGzip: folder.path + "/one", into: result, limits: BuildLimits())
        for place in [source, result] {
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place + "/p/link-é") == "file")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place + "/p/far/link") == target)
        }
    }

    @Test func writerThatIsNotClosedRemovesItsFile() throws {
        let folder = try TemporaryFolder()
        do {
            let writer = try TarGzipWriter(path: folder.path + "/result")
            try writer.addBytes([1, 2, 3], as: "a")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/result"))
    }

    @Test func existingFileIsNotOverwritten() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([7], to: "result")
        #expect(throws: BuildFailure.self) { _ = try TarGzipWriter(path: path) }
        #expect(try bytes(of: path) == [7])
    }

    @Test(arguments: ["link", "folder", "fifo", "missing"])
    func whatIsNoRegularFileIsNoArtifact(name: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], to: "file")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: file)
        _ = try folder.folder("folder")
        mkfifo(folder.path + "/fifo", 0o600)
        let writer = try TarGzipWriter(path: folder.path + "/result")
        let failure = #expect(throws: BuildFailure.self) {
            try writer.add(file: folder.path + "/" + name, as: "a", executable: false)
        }
        #expect(failure?.kind == .artifact)
    }

}
