// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// The state in which a virtual processor starts (AMD 24593, volume 2, table B-4, "VMSA Layout, State Save Area"), as
/// KVM and the hypervisor have set it up. Fields that are not named are zero.
struct SNPSaveArea {
    /// Where the first processor starts: 16 bytes below 4 GiB.
    static let firstAddress: UInt32 = 0xFFFF_FFF0

    let start: UInt32
    let signature: UInt32
    let features: UInt64
    let hypervisor: SNPHypervisor

    /// One page.
    var page: [UInt8] {
        var fields = Fields()
        for offset in [0x00, 0x30, 0x40, 0x50] { fields.segment(offset, attributes: 0x93) }  // ES, DS, FS, GS
        let isFirst = start == Self.firstAddress
        fields.segment(
            0x10, selector: 0xF000, attributes: hypervisor == .ec2 && isFirst ? 0x9A : 0x9B, base: start & 0xFFFF_0000)
        fields.segment(0x20, attributes: hypervisor == .ec2 ? 0x92 : 0x93)  // SS
        fields.segment(0x60, attributes: 0)  // GDTR
        fields.segment(0x70, attributes: 0x82)  // LDTR
        fields.segment(0x80, attributes: 0)  // IDTR
        fields.segment(0x90, attributes: hypervisor == .ec2 ? 0x83 : 0x8B)  // TR
        fields.set(0x0D0, UInt64(0x1000))  // EFER: KVM sets SVME
        fields.set(0x148, UInt64(0x40))  // CR4: KVM sets MCE
        fields.set(0x158, UInt64(0x10))  // CR0
        fields.set(0x160, UInt64(0x400))  // DR7
        fields.set(0x168, UInt64(0xFFFF_0FF0))  // DR6
        fields.set(0x170, UInt64(2))  // RFLAGS
        fields.set(0x178, UInt64(start & 0xFFFF))  // RIP
        fields.set(0x268, hypervisor == .gce ? UInt64(0x0007_0106) : 0x0007_0406_0007_0406)  // G_PAT
        fields.set(0x310, UInt64(hypervisor == .qemu ? signature : 0x600))  // RDX
        fields.set(0x3B0, features)  // SEV_FEATURES
        fields.set(0x3E8, UInt64(1))  // XCR0
        if hypervisor == .qemu {
            fields.set(0x408, UInt32(0x1F80))  // MXCSR
            fields.set(0x410, UInt16(0x37F))  // X87_FCW
        }
        return fields.bytes
    }

    private struct Fields {
        private(set) var bytes = [UInt8](repeating: 0, count: SNPLaunchDigest.pageSize)

        /// Little-endian.
        mutating func set(_ offset: Int, _ value: some FixedWidthInteger & UnsignedInteger) {
            var writer = ByteWriter()
            writer.littleEndian(value)
            bytes.replaceSubrange(offset..<offset + writer.bytes.count, with: writer.bytes)
        }

        /// Selector, attributes, limit and base.
        mutating func segment(_ offset: Int, selector: UInt16 = 0, attributes: UInt16, base: UInt32 = 0) {
            set(offset, selector)
            set(offset + 2, attributes)
            set(offset + 4, UInt32(0xFFFF))
            set(offset + 8, UInt64(base))
        }
    }
}
