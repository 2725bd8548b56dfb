// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Measurements
import Testing

@Suite struct GuestFirmwareTests {
    typealias Change = @Sendable (inout FirmwareSample) -> Void

    @Test func firmwareThatSaysNothingIsOfNeitherKind() throws {
        let plain = try GuestFirmware(decoding: FirmwareSample(sections: nil).bytes)
        #expect(try SNPFirmware(plain) == nil)
        #expect(try TDXFirmware(plain) == nil)
        let both = try GuestFirmware(decoding: FirmwareSample(tdx: FirmwareSample.tdxSections).bytes)
        #expect(try SNPFirmware(both)?.measuresKernels == true)
        #expect(try TDXFirmware(both)?.sections.count == 6)
    }

    @Test(arguments: [0, 1, 4095, 4097, 16 * 4096 - 1])
    func firmwareIsWholePagesWithATable(size: Int) {
        #expect(throws: MalformedBytes.self) { try GuestFirmware(decoding: Array(FirmwareSample().bytes.suffix(size))) }
    }

    @Test func aTableIsReadFromItsEnd() throws {
        let sample = FirmwareSample()
        var noFooter = sample.bytes
        noFooter[noFooter.count - 33] ^= 1
        let error = #expect(throws: MalformedBytes.self) { try GuestFirmware(decoding: noFooter) }
        #expect(error?.reason.contains("is this OVMF?") == true)
        for size: [UInt8] in [[0, 0], [17, 0], [0xFF, 0xFF], [19, 0]] {
            var bytes = sample.bytes
            bytes.replaceSubrange(bytes.count - 50..<bytes.count - 48, with: size)
            #expect(throws: MalformedBytes.self) { try GuestFirmware(decoding: bytes) }
        }
        #expect(throws: MalformedBytes.self) {
            try GuestFirmware(decoding: sample.bytes(sample.entries + [sample.entries[0]]))
        }
        // The last entry's size, before the table's own.
        for size: [UInt8] in [[0, 0], [17, 0], [0xFF, 0]] {
            var bytes = sample.bytes
            bytes.replaceSubrange(bytes.count - 68..<bytes.count - 66, with: size)
            #expect(throws: MalformedBytes.self) { try GuestFirmware(decoding: bytes) }
        }
    }

    private static let changesOfSNP: [(what: String, change: Change)] = [
        ("another version", { $0.metadataVersion = 2 }), ("another length", { $0.metadataLength = 17 }),
        ("no section", { $0.sections = [] }), ("half a page", { $0.sections?[0][1] = 0x800 }),
        ("no page", { $0.sections?[0][1] = 0 }), ("between pages", { $0.sections?[0][0] = 0x800800 }),
        ("an unknown type", { $0.sections?[0][2] = 7 }), ("an overlap", { $0.sections?[0][1] = 0xB000 }),
        ("two CPUID pages", { $0.sections?[0][2] = 3 }),
        ("two secrets pages", { $0.sections?.append([0x900000, 0x1000, 2]) }),
        ("two hash pages", { $0.sections?.append([0x900000, 0x1000, 0x10]) }),
        ("in the firmware", { $0.sections?[0][0] = 0xFFFF_F000 }), ("no reset block", { $0.reset = nil }),
    ]

    @Test(arguments: changesOfSNP)
    func malformedMetadataOfSNPAreRefused(what: String, change: Change) throws {
        var sample = FirmwareSample()
        change(&sample)
        let firmware = try? GuestFirmware(decoding: sample.bytes)
        #expect(throws: MalformedBytes.self, "\(what)") { try SNPFirmware(try #require(firmware)) }
    }

    private static let changesOfTDX: [(what: String, change: Change)] = [
        ("beyond the end", { $0.tdx?[0][0] = 0x1_0000 }), ("more content than memory", { $0.tdx?[0][3] = 0x1000 }),
        ("half a page", { $0.tdx?[2][3] = 0x800 }), ("no page", { $0.tdx?[2][3] = 0 }),
        ("between pages", { $0.tdx?[2][2] = 0x810800 }), ("an unknown type", { $0.tdx?[2][4] = 5 }),
        ("unknown attributes", { $0.tdx?[2][5] = 4 }), ("an overlap", { $0.tdx?[2][2] = 0x80_A000 }),
        ("nothing measured", { sample in for index in 0..<6 { sample.tdx?[index][5] = 0 } }),
        ("far beyond memory", { $0.tdx?[2][2] = 1 << 60 }), ("much memory", { $0.tdx?[2][3] = 1 << 40 }),
        ("another version", { $0.metadataVersion = 0 }), ("another length", { $0.metadataLength = 16 }),
    ]

    @Test(arguments: changesOfTDX)
    func malformedMetadataOfTDXAreRefused(what: String, change: Change) throws {
        var sample = FirmwareSample.tdx
        change(&sample)
        let firmware = try GuestFirmware(decoding: sample.bytes)
        #expect(throws: MalformedBytes.self, "\(what)") { try TDXFirmware(firmware) }
    }

    @Test(arguments: [0, 15, 17 * 4096])
    func metadataLieInTheFirmware(distance: Int) throws {
        for (sample, index) in [(FirmwareSample(), 0), (.tdx, 0)] {
            var entries = sample.entries
            entries[index].content = FirmwareSample.little(UInt32(distance))
            let firmware = try GuestFirmware(decoding: sample.bytes(entries))
            #expect(throws: MalformedBytes.self) {
                _ = try (SNPFirmware(firmware) == nil, TDXFirmware(firmware) == nil)
            }
            entries[index].content = [1, 2, 3]
            let short = try GuestFirmware(decoding: sample.bytes(entries))
            #expect(throws: MalformedBytes.self) { _ = try (SNPFirmware(short) == nil, TDXFirmware(short) == nil) }
        }
    }

    /// What the reference program of the vectors gives for the same bytes.
    @Test func pagesAreMeasuredAsTheyAreAdded() throws {
        #expect(
            Digest256(of: FirmwareSample.tdx.bytes).hex
                == "b4eb67e6819a4ee00b7bf777a0903811f9aa5dd719f1b863eb58d44a6e8b81af")
        let firmware = try #require(try TDXFirmware(try GuestFirmware(decoding: FirmwareSample.tdx.bytes)))
        #expect(
            Hex.encode(firmware.mrtd)
                == "66226f2514f60873bf52f3df6bf22727ac63a7fccb2abff1d65003806545154a2839dc3c855ed0c51d68f575a454f268")
    }

    @Test func memoryBeyondTheContentIsZero() throws {
        var sample = FirmwareSample.tdx
        sample.tdx?[4][1] = 0x810
        let short = try #require(try TDXFirmware(try GuestFirmware(decoding: sample.bytes)))
        for offset in [0x1000, 0x180F, 0x1810, 0x1FFF] {
            var bytes = sample.bytes
            bytes[offset] ^= 1
            let other = try #require(try TDXFirmware(try GuestFirmware(decoding: bytes)))
            #expect((other.mrtd == short.mrtd) == (offset >= 0x1810), "\(offset)")
        }
    }
}
