// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence

/// Structures of a TPM and event logs, as bytes.
enum TPMBytes {
    static func eccKey(curve: UInt16, _ point: [UInt8], attributes: UInt32, scheme: UInt16 = 0x18) -> [UInt8] {
        var writer = start(type: 0x23, attributes: attributes, scheme: scheme)
        writer.bigEndian(curve)
        writer.bigEndian(UInt16(0x10))
        sized(Array(point.prefix(point.count / 2)), &writer)
        sized(Array(point.suffix(point.count / 2)), &writer)
        return writer.bytes
    }

    static func rsaKey(modulus: [UInt8], scheme: UInt16 = 0x14, attributes: UInt32) -> [UInt8] {
        var writer = start(type: 1, attributes: attributes, scheme: scheme)
        writer.bigEndian(UInt16(modulus.count * 8))
        writer.bigEndian(UInt32(0))
        sized(modulus, &writer)
        return writer.bytes
    }

    /// TPMT_PUBLIC of the key that X.509 writes so, as far as tests have such keys.
    static func publicArea(of info: [UInt8], scheme: UInt16, attributes: UInt32 = 0x50072) -> [UInt8] {
        switch info.count {
        case 91: eccKey(curve: 3, Array(info.suffix(64)), attributes: attributes, scheme: scheme)
        case 120: eccKey(curve: 4, Array(info.suffix(96)), attributes: attributes, scheme: scheme)
        default:
            rsaKey(modulus: Array(info.dropLast(5).suffix(256)), scheme: scheme, attributes: attributes)
        }
    }

    private static func start(type: UInt16, attributes: UInt32, scheme: UInt16) -> ByteWriter {
        var writer = ByteWriter()
        writer.bigEndian(type)
        writer.bigEndian(UInt16(0x0B))
        writer.bigEndian(attributes)
        for number: UInt16 in [0, 0x10, scheme, 0x0B] { writer.bigEndian(number) }
        return writer
    }

    static func sized(_ bytes: [UInt8], _ writer: inout ByteWriter) {
        writer.bigEndian(UInt16(bytes.count))
        writer.append(bytes)
    }

    /// TPMS_ATTEST.
    static func attest(
        magic: UInt32, type: UInt16, extraData: [UInt8], selections: [(bank: TPMHashAlgorithm, registers: [Int])],
        digest: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(magic)
        writer.bigEndian(type)
        sized([0, 0x0B], &writer)
        sized(extraData, &writer)
        writer.bigEndian(UInt64(1000))
        writer.bigEndian(UInt32(1))
        writer.bigEndian(UInt32(0))
        writer.append([1])
        writer.bigEndian(UInt64(7))
        writer.bigEndian(UInt32(selections.count))
        for (bank, registers) in selections {
            writer.bigEndian(bank.rawValue)
            var bitmap: [UInt8] = [0, 0, 0]
            for register in registers { bitmap[register / 8] |= 1 << UInt8(register % 8) }
            writer.append([3] + bitmap)
        }
        sized(digest, &writer)
        return writer.bytes
    }

    /// A crypto-agile log of one bank, each event a register and a digest.
    static func log(_ bank: TPMHashAlgorithm, _ events: [(register: UInt32, digest: [UInt8])]) -> [UInt8] {
        var header = ByteWriter()
        header.append("Spec ID Event03\0".utf8)
        header.append([0, 0, 0, 0, 0, 2, 0, 2])
        header.littleEndian(UInt32(1))
        header.littleEndian(bank.rawValue)
        header.littleEndian(UInt16(bank.digestSize))
        header.append([0])
        var writer = ByteWriter()
        writer.littleEndian(UInt32(0))
        writer.littleEndian(UInt32(3))
        writer.append([UInt8](repeating: 0, count: 20))
        writer.littleEndian(UInt32(header.bytes.count))
        writer.append(header.bytes)
        for (register, digest) in events {
            writer.littleEndian(register)
            writer.littleEndian(UInt32(0x8000_0003))
            writer.littleEndian(UInt32(1))
            writer.littleEndian(bank.rawValue)
            writer.append(digest)
            writer.littleEndian(UInt32(0))
        }
        return writer.bytes
    }
}
