// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Crypto
import Measurements
import Testing

@Suite struct IGVMFileTests {
    private static let page = [UInt8](repeating: 7, count: 4096)
    private static let area = [UInt8](repeating: 9, count: 4096)
    private static let saveAreaAddress: UInt64 = 0xFFFF_FFFF_F000

    private static var sample: IGVMSample {
        var sample = IGVMSample()
        sample.platform()
        sample.add(0x101, IGVMSample.little(UInt64(0x30000)) + IGVMSample.little(UInt32(1)) + [0, 0, 0, 0])
        sample.add(0x301, IGVMSample.little(UInt64(0x2000)) + IGVMSample.little(UInt32(3)) + [0, 0, 0, 0])
        sample.page(0x1000, content: page)
        sample.page(0x2000, content: nil)
        sample.page(0x3000, content: page, flags: 2)
        sample.page(0x4000, content: nil, type: 1)
        sample.page(0x5000, content: nil, type: 2)
        sample.page(0x6000, content: nil, type: 3)
        sample.page(0x7000, content: page, mask: 2)
        sample.page(0x8000, content: page, flags: 4)
        sample.insert(0x9000, area: 3)
        sample.add(0x80000999, [1, 2, 3])
        sample.context(content: area)
        return sample
    }

    /// The digest, chained here once more.
    private func chain(_ pages: [(type: UInt8, address: UInt64, content: [UInt8]?)]) -> [UInt8] {
        pages.reduce([UInt8](repeating: 0, count: 48)) { digest, page in
            let content = page.content.map { Array(SHA384.hash(data: $0)) } ?? [UInt8](repeating: 0, count: 48)
            let head: [UInt8] = [0x70, 0, page.type, 0, 0, 0, 0, 0]
            return Array(SHA384.hash(data: digest + content + head + IGVMSample.little(page.address)))
        }
    }

    private func pages(zeros: Bool) -> [(type: UInt8, address: UInt64, content: [UInt8]?)] {
        [
            (1, 0x1000, Self.page), zeros ? (1, 0x2000, [UInt8](repeating: 0, count: 4096)) : (3, 0x2000, nil),
            (4, 0x3000, nil), (5, 0x4000, nil), (6, 0x5000, nil), (6, 0x6000, nil), (4, 0x9000, nil), (4, 0xA000, nil),
            (2, Self.saveAreaAddress, Self.area),
        ]
    }

    @Test(arguments: [1, 2] as [UInt32])
    func directivesAreMeasuredInTheirOrder(version: UInt32) throws {
        let file = try IGVMFile(decoding: Self.sample.bytes(version: version))
        #expect(IGVMFile.isRecognised(Self.sample.bytes()))
        #expect(file.processors == 1)
        #expect(try file.measurement() == chain(pages(zeros: false)))
        #expect(file.digest(zeroPages: .asContent) == chain(pages(zeros: true)))
    }

    @Test func largePagesAreMeasuredInSmallOnes() throws {
        let content: [UInt8] = (0..<512 * 4096).map { UInt8(truncatingIfNeeded: $0 / 4096) }
        var sample = IGVMSample()
        sample.platform()
        sample.page(0x20_0000, content: content, flags: 1)
        sample.context(content: Self.area)
        let pages: [(type: UInt8, address: UInt64, content: [UInt8]?)] = (0..<512).map {
            (index: Int) in
            let start: Int = index * 4096
            return (1, 0x20_0000 + UInt64(start), Array(content[start..<start + 4096]))
        }
        let expected = chain(pages + self.pages(zeros: false).suffix(1))
        #expect(try IGVMFile(decoding: sample.bytes()).measurement() == expected)
    }

    @Test func theDigestOfAnIDBlockIsCompared() throws {
        for zeros in [false, true] {
            var sample = Self.sample
            sample.idBlock(chain(pages(zeros: zeros)))
            #expect(try IGVMFile(decoding: sample.bytes()).measurement() == chain(pages(zeros: zeros)))
        }
        var other = Self.sample
        other.idBlock([UInt8](repeating: 1, count: 48))
        let file = try IGVMFile(decoding: other.bytes())
        #expect(throws: MeasurementError.self) { try file.measurement() }
        var foreign = Self.sample
        foreign.idBlock([UInt8](repeating: 1, count: 48), mask: 2)
        #expect(try IGVMFile(decoding: foreign.bytes()).measurement() == chain(pages(zeros: false)))
    }

    typealias Change = @Sendable (inout IGVMSample) -> Void

    private static let changes: [(what: String, change: Change)] = [
        ("no platform", { $0.structures.removeFirst() }),
        ("SNP twice", { $0.structures.insert($0.structures[0], at: 0) }),
        ("a platform after its part", { $0.platform() }), ("two bits", { $0.structures[0].content[0] = 3 }),
        ("another version", { $0.structures[0].content[6] = 2 }), ("no processor", { $0.structures.removeLast() }),
        ("an unknown structure", { $0.add(0x399, []) }), ("relocation", { $0.add(0x102, []) }),
        ("the reserved structure", { $0.add(0x306, []) }),
        ("a structure too long", { $0.structures[3].content.append(0) }),
        ("a structure too short", { $0.structures[3].content.removeLast() }),
        ("a page between pages", { $0.structures[3].content[1] = 0x18 }),
        ("a page nowhere", { $0.structures[3].content[7] = 0x80 }),
        ("unknown flags", { $0.structures[3].content[16] = 8 }),
        ("an unknown type", { $0.structures[3].content[20] = 4 }),
        ("reserved bits", { $0.structures[3].content[22] = 1 }),
        ("a large page between large pages", { $0.structures[3].content[16] = 1 }),
        ("content in the headers", { $0.structures[3].offset = 24 }),
        ("content beyond the end", { $0.structures[3].offset = 1 << 30 }),
        ("an area twice", { $0.structures.insert($0.structures[2], at: 3) }),
        ("half an area", { $0.structures[2].content[1] = 0x28 }), ("a huge area", { $0.structures[2].content[4] = 1 }),
        ("an unknown area", { $0.insert(0xB000, area: 4, at: 4) }),
        ("an area inserted twice", { $0.insert(0xB000, area: 3, at: 4) }),
        ("a page after the processors", { $0.page(0xC000, content: nil) }),
        ("a save area elsewhere", { $0.structures[$0.structures.count - 1].content[1] = 0xE0 }),
        ("a processor without its first", { $0.structures[$0.structures.count - 1].content[16] = 1 }),
        ("a processor twice", { $0.context(content: IGVMFileTests.area) }),
    ]

    @Test(arguments: changes)
    func malformedFilesAreRefused(what: String, change: Change) {
        var sample = Self.sample
        change(&sample)
        #expect(throws: MalformedBytes.self, "\(what)") { try IGVMFile(decoding: sample.bytes()) }
    }

    @Test func headersAreChecked() {
        let bytes = Self.sample.bytes()
        for offset in [0, 4, 8, 12, 16, 20, 30] {
            var changed = bytes
            changed[offset] ^= 1
            #expect(throws: MalformedBytes.self, "\(offset)") { try IGVMFile(decoding: changed) }
        }
        for count in [0, 3, 23, 24, 100, bytes.count - 1] {
            #expect(throws: MalformedBytes.self) { try IGVMFile(decoding: Array(bytes.prefix(count))) }
        }
        #expect(throws: MalformedBytes.self) { try IGVMFile(decoding: bytes + [0]) }
        #expect(throws: MalformedBytes.self) { try IGVMFile(decoding: Self.sample.bytes(version: 3)) }
        #expect(throws: MalformedBytes.self) { try IGVMFile(decoding: Self.sample.bytes(version: 2, pageSize: 16384)) }
        #expect(throws: MalformedBytes.self) { try IGVMFile(decoding: Self.sample.bytes(version: 2, architecture: 1)) }
        #expect(throws: MalformedBytes.self) { try IGVMFile(decoding: Self.sample.bytes(padding: 1)) }
    }
}
