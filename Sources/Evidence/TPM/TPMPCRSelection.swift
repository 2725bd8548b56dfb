// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Registers of one bank (TPM 2.0 Library part 2, TPMS_PCR_SELECTION): the bank's algorithm (2 bytes, big-endian), the
/// size of the bitmap (1 byte), and the bitmap, in which register i is bit i mod 8 of byte i div 8.
public struct TPMPCRSelection: Hashable, Sendable {
    /// More banks are refused: TPMs have at most five.
    public static let maximumBanks: UInt32 = 16
    /// Bytes; a longer bitmap is refused: 24 registers take three.
    static let maximumBitmap = 4

    public let bank: TPMHashAlgorithm
    /// As it came: three bytes on every TPM that is known.
    public let bitmap: [UInt8]

    public init(bank: TPMHashAlgorithm, bitmap: [UInt8]) {
        self.bank = bank
        self.bitmap = bitmap
    }

    init(_ cursor: inout ByteCursor) throws(MalformedBytes) {
        bank = try TPMHashAlgorithm(&cursor, "pcrSelections.hash")
        let size = Int(try cursor.uint8("pcrSelections.sizeofSelect"))
        guard size <= Self.maximumBitmap else {
            throw cursor.malformed("pcrSelections.sizeofSelect", "\(size), at most \(Self.maximumBitmap)")
        }
        bitmap = try cursor.bytes(size, "pcrSelections.pcrSelect")
    }

    func encode(_ writer: inout ByteWriter) {
        writer.bigEndian(bank.rawValue)
        writer.append([UInt8(truncatingIfNeeded: bitmap.count)])
        writer.append(bitmap)
    }

    /// The selected registers, in rising order.
    public var registers: [Int] {
        bitmap.enumerated().flatMap { index, byte in
            (0..<8).filter { byte >> UInt8($0) & 1 == 1 }.map { index * 8 + $0 }
        }
    }
}

/// Values of platform configuration registers, by bank and number.
public struct TPMPCRValues: Hashable, Sendable {
    private var banks: [TPMHashAlgorithm: [Int: [UInt8]]] = [:]

    public init() {}

    public subscript(bank: TPMHashAlgorithm, register: Int) -> [UInt8]? {
        get { banks[bank]?[register] }
        set { banks[bank, default: [:]][register] = newValue }
    }

    /// The registers of a bank that have a value, in rising order.
    public func registers(of bank: TPMHashAlgorithm) -> [Int] { (banks[bank] ?? [:]).keys.sorted() }

    public var count: Int { banks.values.reduce(0) { $0 + $1.count } }
}
