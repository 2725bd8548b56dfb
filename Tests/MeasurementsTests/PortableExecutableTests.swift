// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Crypto
import Measurements
import Testing

@Suite struct PortableExecutableTests {
    private static let sample = ProgramSample(sections: [
        .init(name: ".text", content: [UInt8](repeating: 7, count: 700)), .init(name: ".data", content: [1, 2, 3]),
    ])
    private static let headerStart = ProgramSample.start

    private static func changed(_ offset: Int, _ value: some FixedWidthInteger) -> [UInt8] {
        var bytes = sample.bytes
        let number = FirmwareSample.little(value)
        bytes.replaceSubrange(offset..<offset + number.count, with: number)
        return bytes
    }

    @Test func sectionsAreRead() throws {
        let program = try PortableExecutable(decoding: Self.sample.bytes)
        #expect(program.sections.map(\.name) == [".text", ".data"])
        #expect(program.sections.map(\.size) == [700, 3])
        #expect(program.sections[0].content.count == 1024)
    }

    @Test func theDigestLeavesOutWhatSigningChanges() throws {
        let plain = try PortableExecutable(decoding: Self.sample.bytes)
        var signed = Self.sample
        signed.signature = [UInt8](repeating: 0xAA, count: 64)
        let digest = plain.authenticodeDigest(SHA256.self)
        #expect(try PortableExecutable(decoding: signed.bytes).authenticodeDigest(SHA256.self) == digest)
        let checkSum = Self.headerStart + 24 + 64
        let summed = try PortableExecutable(decoding: Self.changed(checkSum, UInt32(1)))
        #expect(summed.authenticodeDigest(SHA256.self) == digest)
        // Without these twelve bytes, it is that of the file.
        let directory = Self.headerStart + 24 + 112 + 32
        let bytes = Self.sample.bytes
        let rest = bytes[..<checkSum] + bytes[checkSum + 4..<directory] + bytes[(directory + 8)...]
        #expect(digest == Array(SHA256.hash(data: Array(rest))))
        #expect(plain.authenticodeDigest(SHA384.self) == Array(SHA384.hash(data: Array(rest))))
    }

    @Test func everyOtherByteIsInTheDigest() throws {
        let digest = try PortableExecutable(decoding: Self.sample.bytes).authenticodeDigest(SHA256.self)
        for offset in [2, Self.headerStart + 4, Self.sample.bytes.count - 1, 600] {
            let bytes = Self.changed(offset, Self.sample.bytes[offset] ^ 1)
            #expect(try PortableExecutable(decoding: bytes).authenticodeDigest(SHA256.self) != digest, "\(offset)")
        }
        var longer = Self.sample
        longer.rest = [0]
        #expect(try PortableExecutable(decoding: longer.bytes).authenticodeDigest(SHA256.self) != digest)
        var short = Self.sample
        short.directoryEntries = 2
        let directory = Self.headerStart + 24 + 64
        let bytes = short.bytes
        #expect(
            try PortableExecutable(decoding: bytes).authenticodeDigest(SHA256.self)
                == Array(SHA256.hash(data: Array(bytes[..<directory] + bytes[(directory + 4)...]))))
    }

    @Test func everyPrefixIsRefused() {
        let bytes = Self.sample.bytes
        for count in 0..<bytes.count {
            #expect(throws: MalformedBytes.self, "\(count)") {
                try PortableExecutable(decoding: Array(bytes.prefix(count)))
            }
        }
    }

    private static let places: [(offset: Int, value: Int32)] = [
        (0, 0x5A4E), (60, 0x40), (60, 0x81), (60, 0xFFFF), (headerStart, 0), (headerStart + 6, 0),
        (headerStart + 6, 97),
        (headerStart + 20, 0xE0), (headerStart + 24, 0x10B), (headerStart + 84, 0x40), (headerStart + 84, 0x7FFF_FFFF),
        (headerStart + 132, 17), (headerStart + 132, -1),
        // The entry of the certificate table: an offset without a size, and sizes without an end.
        (headerStart + 168, 8), (headerStart + 172, 8), (headerStart + 172, -1),
        // The first section: its name, its size and place in the file.
        (headerStart + 264, 0), (headerStart + 264, 0x2000_2020), (headerStart + 280, -1), (headerStart + 284, 0x10),
        (headerStart + 284, -1), (headerStart + 280, 512), (headerStart + 272, 0x4000),
    ]

    @Test(arguments: places)
    func malformedHeadersAreRefused(offset: Int, value: Int32) {
        #expect(throws: MalformedBytes.self) { try PortableExecutable(decoding: Self.changed(offset, value)) }
    }

    @Test func gapsAndWhatFollowsASignatureAreRefused() {
        var gap = Self.sample
        gap.gap = 8
        #expect(throws: MalformedBytes.self) {
            var bytes = gap.bytes
            // The sections say where they are; the headers do not reach there.
            bytes[Self.headerStart + 84] = bytes[Self.headerStart + 84]
            return try PortableExecutable(decoding: bytes)
        }
        var signed = Self.sample
        signed.signature = [UInt8](repeating: 0xAA, count: 64)
        #expect(throws: MalformedBytes.self) { try PortableExecutable(decoding: signed.bytes + [0]) }
        #expect(throws: MalformedBytes.self) { try PortableExecutable(decoding: Array(signed.bytes.dropLast())) }
        signed.rest = [0]
        #expect(throws: MalformedBytes.self) { try PortableExecutable(decoding: signed.bytes) }
    }
}
