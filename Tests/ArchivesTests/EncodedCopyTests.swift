// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Foundation
import Testing

@Suite struct EncodedCopyTests {
    private static let noise = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    private static let text = Array(String(repeating: "what compresses well\n", count: 200_000).utf8)

    /// A result in both forms: the paths of the plain and of the encoded one.
    private func packed(_ folder: TemporaryFolder, _ name: String) throws -> (plain: String, encoded: String) {
        let (plain, encoded) = (folder.path + "/\(name).tar.gz", folder.path + "/\(name).tar.gz.zst")
        let writer = try TarGzipWriter(path: plain, encodedCopy: encoded)
        let file = try folder.write(Self.noise, to: "noise")
        #expect(try writer.add(file: file, as: "p/artifacts/tool", executable: true) == Digest256(of: Self.noise))
        try writer.add(linkTo: "tool", as: "p/artifacts/link")
        #expect(try writer.addBytes(Self.text, as: "p/build.log") == Digest256(of: Self.text))
        try writer.addBytes([], as: "p/empty")
        try writer.close()
        #expect(writer.hasEncodedCopy)
        return (plain, encoded)
    }

    /// The tar file within a `.tar.gz`, by gzip.
    private func tar(_ path: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = Array(pipe.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return bytes
    }

    @Test func copyHoldsTheSameTarFile() throws {
        let folder = try TemporaryFolder()
        let (plain, encoded) = try packed(folder, "one")
        let decoded = folder.path + "/decoded.tar.gz"
        try decodeZstd(file: encoded, to: decoded, limits: BuildLimits())
        #expect(try tar(plain) == tar(decoded))
        let target = try folder.folder("target")
        try unpackResult(tarGzip: decoded, into: target, limits: BuildLimits())
        #expect(try bytes(of: target + "/p/artifacts/tool") == Self.noise)
        #expect(try bytes(of: target + "/p/build.log") == Self.text)
    }

    @Test func sameFilesGiveTheSameCopy() throws {
        let folder = try TemporaryFolder()
        let (one, two) = (try packed(folder, "one"), try packed(folder, "two"))
        #expect(try bytes(of: one.plain) == bytes(of: two.plain))
        #expect(try bytes(of: one.encoded) == bytes(of: two.encoded))
    }

    @Test func sealIsThePartThatIsNotServed() throws {
        let folder = try TemporaryFolder()
        let encoded = try packed(folder, "one").encoded
        let whole = try bytes(of: encoded)
        let size = try #require(sizeOfWholeEncodedCopy(encoded))
        #expect(Int(size) == whole.count - 40)
        #expect(Array(whole.suffix(40).prefix(8)) == [0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0])
        #expect(Array(whole.suffix(32)) == Digest256(of: Array(whole.dropLast(40))).bytes)
        // Without the seal it decodes as well: that is what clients get.
        let served = try folder.write(Array(whole.dropLast(40)), to: "served")
        try decodeZstd(file: served, to: folder.path + "/decoded", limits: BuildLimits())
    }

    @Test func damagedCopyIsNone() throws {
        let folder = try TemporaryFolder()
        let whole = try bytes(of: packed(folder, "one").encoded)
        let places = [0, 1, whole.count / 2, whole.count - 41, whole.count - 40, whole.count - 36, whole.count - 1]
        for place in places {
            var changed = whole
            changed[place] ^= 1
            #expect(sizeOfWholeEncodedCopy(try folder.write(changed, to: "changed")) == nil, "byte \(place)")
        }
        for length in [0, 1, 39, 40, 41, whole.count / 2, whole.count - 40, whole.count - 1] {
            let path = try folder.write(Array(whole.prefix(length)), to: "cut")
            #expect(sizeOfWholeEncodedCopy(path) == nil, "cut to \(length)")
        }
        #expect(sizeOfWholeEncodedCopy(try folder.write(whole + [0], to: "longer")) == nil)
        #expect(sizeOfWholeEncodedCopy(folder.path + "/missing") == nil)
    }

    @Test func withoutAPlaceForTheCopyTheResultIsGood() throws {
        let folder = try TemporaryFolder()
        let plain = folder.path + "/result"
        let writer = try TarGzipWriter(path: plain, encodedCopy: folder.path + "/no/such/folder/copy")
        for index in 0..<20 { try writer.addBytes(Self.noise, as: "p/\(index)") }
        try writer.close()
        #expect(!writer.hasEncodedCopy)
        #expect(try tar(plain).count > 20 * Self.noise.count)
    }

    /// Of two that meet a full disk at the same moment, the plain one is to be tried again, also where the copy was told
    /// first.
    @Test func copyThatFailedByItselfHasMadeRoomOnceItIsGivenUp() throws {
        let folder = try TemporaryFolder()
        let copy = EncodedCopy(path: folder.path + "/copy")
        // There is no entry that this could belong to. Of more steps than wait at a time, the first was taken.
        for _ in 0..<10 { Self.text.withUnsafeBytes { copy.write($0) } }
        #expect(copy.giveUp())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        #expect(!copy.giveUp(), "there is no more room to be had")
    }

    @Test func writerThatIsNotClosedRemovesBoth() throws {
        let folder = try TemporaryFolder()
        do {
            let writer = try TarGzipWriter(path: folder.path + "/result", encodedCopy: folder.path + "/copy")
            for index in 0..<9 { try writer.addBytes(Self.noise, as: "p/\(index)") }
        }
        #expect(try contents(of: folder.path).isEmpty)
    }

    @Test func whereThereIsNoPlaceForTheResultThereIsNoCopy() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([7], to: "result")
        #expect(throws: BuildFailure.self) { _ = try TarGzipWriter(path: path, encodedCopy: folder.path + "/copy") }
        #expect(try contents(of: folder.path).keys.sorted() == ["result"])
    }

    @Test func whatIsNoZstdOrIsCutIsRefused() throws {
        let folder = try TemporaryFolder()
        let whole = try bytes(of: packed(folder, "one").encoded)
        let cases: [(String, [UInt8])] = [
            ("text", Array("no zstd at all, but long enough to be one".utf8)), ("empty", []),
            ("cut", Array(whole.prefix(whole.count / 2))), ("gzip", try bytes(of: folder.path + "/one.tar.gz")),
        ]
        for (name, content) in cases {
            let path = try folder.write(content, to: name)
            let failure = #expect(throws: BuildFailure.self) {
                try decodeZstd(file: path, to: folder.path + "/decoded-\(name)", limits: BuildLimits())
            }
            #expect(failure?.kind == .source && failure?.message.contains("zstd") == true, "\(name)")
        }
    }

    @Test func bombInZstdMeetsTheLimit() throws {
        let folder = try TemporaryFolder()
        let encoded = try packed(folder, "one").encoded
        let failure = #expect(throws: BuildFailure.self) {
            let limits = with { $0.unpackedSize = 1 << 20 }
            try decodeZstd(file: encoded, to: folder.path + "/decoded", limits: limits)
        }
        #expect(failure?.kind == .resourceLimit)
        #expect(try bytes(of: folder.path + "/decoded").count <= 1 << 20)
    }
}
