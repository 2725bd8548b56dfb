// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// A GUID as firmware writes it (UEFI 2.10, appendix A): the first three parts little-endian, the rest as it is read.
struct FirmwareGUID: Hashable {
    let bytes: [UInt8]

    init(_ timeLow: UInt32, _ timeMiddle: UInt16, _ timeHigh: UInt16, _ rest: UInt64) {
        var writer = ByteWriter()
        writer.littleEndian(timeLow)
        writer.littleEndian(timeMiddle)
        writer.littleEndian(timeHigh)
        writer.bigEndian(rest)
        bytes = writer.bytes
    }

    /// - Parameter bytes: 16 of them.
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
