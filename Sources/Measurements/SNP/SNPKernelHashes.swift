// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The digests that QEMU writes into a page of the guest, and OVMF compares with what it is then given (QEMU,
/// `target/i386/sev.c`, `sev_add_kernel_loader_hashes`).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 16, 2 | GUID of the table, its size (168) |
/// | 18 | 16, 2, 32 | GUID, size (50), SHA-256 of the command line and a zero |
/// | 68 | 16, 2, 32 | the same of the initrd; of nothing where there is none |
/// | 118 | 16, 2, 32 | the same of the kernel |
/// | 168 | 8 | zero |
public struct SNPKernelHashes: Hashable, Sendable {
    public let kernel: Digest256
    public let initrd: Digest256
    public let commandLine: Digest256

    /// - Parameters:
    ///   - kernel: the SHA-256 of its file, as it is handed to QEMU.
    ///   - initrd: the same; `nil` without one.
    ///   - commandLine: without the zero at its end.
    public init(kernel: Digest256, initrd: Digest256?, commandLine: String) {
        self.kernel = kernel
        self.initrd = initrd ?? Digest256(of: [])
        self.commandLine = Digest256(of: Array(commandLine.utf8) + [0])
    }

    private static let table = FirmwareGUID(0x9438_d606, 0x4f22, 0x4cc9, 0xb479_a793_d411_fd21)
    private static let commandLineEntry = FirmwareGUID(0x97d0_2dd8, 0xbd20, 0x4c94, 0xaa78_e771_4d36_ab2a)
    private static let initrdEntry = FirmwareGUID(0x44ba_f731, 0x3a2f, 0x4bd7, 0x9af1_41e2_9169_781d)
    private static let kernelEntry = FirmwareGUID(0x4de7_9437, 0xabd2, 0x427f, 0xb835_d5b1_72d2_045b)
    private static let tableSize = 176

    /// The page, with the table at `address`.
    ///
    /// Throws where the table does not lie in the page.
    func page(at page: UInt64, table address: UInt64) throws(MeasurementError) -> [UInt8] {
        guard address >= page, address + UInt64(Self.tableSize) <= page + UInt64(SNPLaunchDigest.pageSize) else {
            throw MeasurementError(
                "the firmware looks for digests of the kernel outside of the page that it has for them")
        }
        var writer = ByteWriter()
        writer.zeros(Int(address - page))
        writer.append(Self.table.bytes)
        writer.littleEndian(UInt16(168))
        for (entry, digest) in [
            (Self.commandLineEntry, commandLine), (Self.initrdEntry, initrd), (Self.kernelEntry, kernel),
        ] {
            writer.append(entry.bytes)
            writer.littleEndian(UInt16(50))
            writer.append(digest.bytes)
        }
        writer.zeros(SNPLaunchDigest.pageSize - writer.bytes.count)
        return writer.bytes
    }
}
