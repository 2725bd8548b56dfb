// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// What OVMF says of itself to who launches it under SEV-SNP (edk2, `OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm`).
///
/// A section of the metadata "ASEV" has three fields of 4 bytes: address, size and kind.
public struct SNPFirmware: Sendable {
    public enum Kind: UInt32, Sendable {
        /// Memory that the guest finds zeroed and its own (SNP_SEC_MEM).
        case memory = 1
        /// The page to which the processor writes keys (SNP_SECRETS).
        case secrets = 2
        /// The page with the processor's abilities (CPUID).
        case cpuid = 3
        /// Of a Secure VM Service Module (SVSM_CAA).
        case callingArea = 4
        /// The page with the digests of kernel, initrd and command line (SNP_KERNEL_HASHES).
        case kernelHashes = 0x10
    }

    public struct Section: Hashable, Sendable {
        public let kind: Kind
        /// Of its first page.
        public let address: UInt64
        /// Bytes, whole pages.
        public let size: UInt64
    }

    public let bytes: [UInt8]
    /// In the order in which they are launched.
    public let sections: [Section]
    /// Where processors but the first start.
    public let resetAddress: UInt32
    /// Where OVMF looks for the table of digests; `nil` where it has no place for one.
    public let hashTableAddress: UInt64?

    private static let metadata = FirmwareGUID(0xdc88_6566, 0x984a, 0x4798, 0xa75e_5585_a7bf_67cc)
    private static let resetBlock = FirmwareGUID(0x00f7_71de, 0x1a7e, 0x4fcb, 0x890e_68c7_7e2f_b44e)
    private static let hashTable = FirmwareGUID(0x7255_371f, 0x3a3b, 0x4b04, 0x927b_1da6_efa8_d454)

    /// `nil` where the firmware says nothing of SEV-SNP. Throws at sections that are malformed, or overlap.
    public init?(_ firmware: GuestFirmware) throws(MalformedBytes) {
        let found = try firmware.metadata(Self.metadata, signature: "ASEV", sectionSize: 12)
        guard let (start, count) = found else { return nil }
        var cursor = start
        var sections: [Section] = []
        for _ in 0..<count { sections.append(try Self.section(&cursor)) }
        try Self.check(sections, below: (1 << 32) - UInt64(firmware.bytes.count))
        guard let reset = firmware.entry(Self.resetBlock), reset.count >= 4 else {
            throw GuestFirmware.malformed("SEV-ES reset block", 0, "missing: no processor but the first could start")
        }
        bytes = firmware.bytes
        self.sections = sections
        resetAddress = Self.uint32(reset)
        let table = firmware.entry(Self.hashTable) ?? []
        hashTableAddress = table.count >= 4 && Self.uint32(table) != 0 ? UInt64(Self.uint32(table)) : nil
    }

    /// Whether kernel, initrd and command line can be measured with it.
    public var measuresKernels: Bool { hashTableAddress != nil && sections.contains { $0.kind == .kernelHashes } }

    private static func section(_ cursor: inout ByteCursor) throws(MalformedBytes) -> Section {
        let address = try cursor.uint32("gpa")
        let size = try cursor.uint32("size")
        guard address.isMultiple(of: 4096), size.isMultiple(of: 4096), size > 0 else {
            throw cursor.malformed("section", "\(size) bytes at \(address), expected whole pages")
        }
        let number = try cursor.uint32("type")
        guard let kind = Kind(rawValue: number) else {
            throw cursor.malformed("section", "type \(number), which is not known")
        }
        return Section(kind: kind, address: UInt64(address), size: UInt64(size))
    }

    /// Each page is launched once; those that the processor fills are single.
    private static func check(_ sections: [Section], below limit: UInt64) throws(MalformedBytes) {
        var end: UInt64 = 0
        for section in sections.sorted(by: { $0.address < $1.address }) {
            guard section.address >= end else {
                throw GuestFirmware.malformed("ASEV", 0, "two sections overlap at \(section.address)")
            }
            end = section.address + section.size
        }
        guard end <= limit else { throw GuestFirmware.malformed("ASEV", 0, "a section lies in the firmware itself") }
        for kind in [Kind.secrets, .cpuid, .kernelHashes] {
            let found = sections.filter { $0.kind == kind }
            guard found.count <= 1, found.allSatisfy({ $0.size == 4096 }) else {
                throw GuestFirmware.malformed("ASEV", 0, "more than one page of type \(kind.rawValue)")
            }
        }
    }

    private static func uint32(_ bytes: [UInt8]) -> UInt32 {
        bytes.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
