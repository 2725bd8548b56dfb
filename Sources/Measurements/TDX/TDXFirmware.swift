// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import Crypto

/// What firmware says of itself to who launches it under TDX (Intel 344991, "TDVF Metadata"), and MRTD.
///
/// | offset | size | field | meaning |
/// |---|---|---|---|
/// | 0 | 4 | DataOffset | in the firmware |
/// | 4 | 4 | RawDataSize | bytes of content; zero for memory alone |
/// | 8 | 8 | MemoryAddress | |
/// | 16 | 8 | MemoryDataSize | |
/// | 24 | 4 | Type | 0 boot volume, 1 variables, 2 TD HOB, 3 temporary, 4 permanent memory |
/// | 28 | 4 | Attributes | bit 0: content is measured; bit 1: added when it is used |
public struct TDXFirmware: Sendable {
    public struct Section: Hashable, Sendable {
        /// Of its content in the firmware.
        public let content: Range<Int>
        public let address: UInt64
        /// Bytes of memory, whole pages.
        public let size: UInt64
        /// Whether its content is measured, and not only where it lies.
        public let isExtended: Bool
        /// Whether its pages come later, and count for nothing.
        public let isAddedLater: Bool
    }

    /// In the order in which they are launched.
    public let sections: [Section]
    private let bytes: [UInt8]

    private static let metadata = FirmwareGUID(0xe47a_6535, 0x984a, 0x4798, 0x865e_4685_a7bf_8ec2)
    /// The last of the types that QEMU launches.
    private static let lastType: UInt32 = 4
    /// Bytes of memory of one section; more is refused.
    private static let maximumSize: UInt64 = 1 << 30
    /// Pages that are launched before the guest runs; more are refused.
    private static let maximumPages: UInt64 = 1 << 18
    private static let pageSize = 4096
    private static let chunkSize = 256

    /// `nil` where the firmware says nothing of TDX. Throws at sections that are malformed, or overlap.
    public init?(_ firmware: GuestFirmware) throws(MalformedBytes) {
        let found = try firmware.metadata(Self.metadata, signature: "TDVF", sectionSize: 32)
        guard let (start, count) = found else { return nil }
        var cursor = start
        var sections: [Section] = []
        for _ in 0..<count { sections.append(try Self.section(&cursor, in: firmware.bytes.count)) }
        var end: UInt64 = 0
        for section in sections.sorted(by: { $0.address < $1.address }) {
            guard section.address >= end else {
                throw GuestFirmware.malformed("TDVF", 0, "two sections overlap at \(section.address)")
            }
            end = section.address + section.size
        }
        guard sections.contains(where: { $0.isExtended && !$0.content.isEmpty }) else {
            throw GuestFirmware.malformed("TDVF", 0, "no section whose content is measured")
        }
        let pages = sections.filter { !$0.isAddedLater }.reduce(0) { $0 + $1.size / UInt64(Self.pageSize) }
        guard pages <= Self.maximumPages else { throw GuestFirmware.malformed("TDVF", 0, "\(pages) pages") }
        self.sections = sections
        bytes = firmware.bytes
    }

    /// MRTD, 48 bytes (Intel 348549, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND): the SHA-384 of 128 bytes for each page that
    /// is added, and of 128 bytes and its content for each 256 bytes that are measured. A page is measured as soon as it
    /// is added, as QEMU does since version 9.
    public var mrtd: [UInt8] {
        var hash = SHA384()
        bytes.withUnsafeBytes { bytes in
            for section in sections where !section.isAddedLater {
                for offset in stride(from: 0, to: Int(section.size), by: Self.pageSize) {
                    hash.update(data: Self.head("MEM.PAGE.ADD", section.address + UInt64(offset)))
                    guard section.isExtended else { continue }
                    for chunk in stride(from: offset, to: offset + Self.pageSize, by: Self.chunkSize) {
                        hash.update(data: Self.head("MR.EXTEND", section.address + UInt64(chunk)))
                        Self.update(&hash, bytes, section, chunk)
                    }
                }
            }
        }
        return Array(hash.finalize())
    }

    /// 256 bytes of a section, of which those beyond its content are zero.
    private static func update(
        _ hash: inout SHA384, _ bytes: UnsafeRawBufferPointer, _ section: Section, _ offset: Int
    ) {
        let start = min(section.content.lowerBound + offset, section.content.upperBound)
        let end = min(start + chunkSize, section.content.upperBound)
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        if end - start < chunkSize { hash.update(data: [UInt8](repeating: 0, count: chunkSize - (end - start))) }
    }

    /// The operation's name in 16 bytes, the address, and zeros.
    private static func head(_ operation: String, _ address: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(operation.utf8)
        writer.zeros(16 - writer.bytes.count)
        writer.littleEndian(address)
        writer.zeros(104)
        return writer.bytes
    }

    private static func section(_ cursor: inout ByteCursor, in size: Int) throws(MalformedBytes) -> Section {
        let offset = Int(try cursor.uint32("DataOffset"))
        let rawSize = Int(try cursor.uint32("RawDataSize"))
        let address = try uint64(&cursor, "MemoryAddress")
        let memorySize = try uint64(&cursor, "MemoryDataSize")
        guard offset <= size, rawSize <= size - offset else {
            throw cursor.malformed("DataOffset", "\(rawSize) bytes at \(offset) of \(size)")
        }
        guard memorySize <= maximumSize, rawSize <= memorySize, memorySize.isMultiple(of: 4096), memorySize > 0,
            address.isMultiple(of: 4096), address <= 1 << 48
        else {
            throw cursor.malformed(
                "MemoryDataSize",
                "\(memorySize) bytes at \(address) for \(rawSize), expected whole pages that hold them")
        }
        let type = try cursor.uint32("Type")
        guard type <= lastType else { throw cursor.malformed("Type", "\(type), which QEMU does not launch") }
        let attributes = try cursor.uint32("Attributes")
        guard attributes & ~3 == 0 else { throw cursor.malformed("Attributes", "bits that are not known") }
        return Section(
            content: offset..<offset + rawSize, address: address, size: memorySize, isExtended: attributes & 1 != 0,
            isAddedLater: attributes & 2 != 0)
    }

    private static func uint64(_ cursor: inout ByteCursor, _ field: String) throws(MalformedBytes) -> UInt64 {
        let low = try cursor.uint32(field)
        return UInt64(low) | UInt64(try cursor.uint32(field)) << 32
    }
}
