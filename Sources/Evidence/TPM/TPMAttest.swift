// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// What a TPM signs, decoded and not yet believed (TPM 2.0 Library part 2, TPMS_ATTEST).
///
/// Integers are big-endian. A TPM2B is a size of two bytes and that many bytes.
///
/// | size | field | meaning |
/// |---|---|---|
/// | 4 | magic | 0xFF544347: made within the TPM, which a restricted key signs nothing without |
/// | 2 | type | 0x8018: a quote |
/// | TPM2B | qualifiedSigner | name of the key and its parents |
/// | TPM2B | extraData | the caller's bytes |
/// | 8, 4, 4, 1 | clockInfo | milliseconds, resets, restarts, and whether the clock is safe |
/// | 8 | firmwareVersion | the vendor's |
/// | list | attested.pcrSelect | quotes: ``TPMPCRSelection``, a count of four bytes first |
/// | TPM2B | attested.pcrDigest | quotes: digest of the selected values |
public struct TPMAttest: Hashable, Sendable {
    public static let generatedMagic: UInt32 = 0xFF54_4347
    public static let quoteType: UInt16 = 0x8018

    public let magic: UInt32
    public let type: UInt16
    public let qualifiedSigner: [UInt8]
    public let extraData: [UInt8]
    public let clock: UInt64
    public let resetCount: UInt32
    public let restartCount: UInt32
    public let isClockSafe: Bool
    public let firmwareVersion: UInt64
    public let attested: Attested
    /// The whole structure, which the signature covers, as it came.
    public let bytes: [UInt8]

    public enum Attested: Hashable, Sendable {
        case quote(TPMQuoteInfo)
        /// A structure of another type, which is not read.
        case other([UInt8])
    }

    /// Whether the TPM says that it made this.
    public var isGeneratedByTPM: Bool { magic == Self.generatedMagic }

    /// The quote; `nil` where this is something else.
    public var quote: TPMQuoteInfo? { if case .quote(let quote) = attested { quote } else { nil } }

    /// Throws at truncated input, an unknown hash algorithm, and bytes after a quote. Magic and type are not judged.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "TPMS_ATTEST")
        magic = try cursor.bigEndianUInt32("magic")
        type = try cursor.bigEndianUInt16("type")
        qualifiedSigner = try cursor.sized("qualifiedSigner")
        extraData = try cursor.sized("extraData")
        clock = try cursor.bigEndianUInt64("clockInfo.clock")
        resetCount = try cursor.bigEndianUInt32("clockInfo.resetCount")
        restartCount = try cursor.bigEndianUInt32("clockInfo.restartCount")
        let safe = try cursor.uint8("clockInfo.safe")
        guard safe <= 1 else { throw cursor.malformed("clockInfo.safe", "\(safe), expected 0 or 1") }
        isClockSafe = safe == 1
        firmwareVersion = try cursor.bigEndianUInt64("firmwareVersion")
        attested =
            type == Self.quoteType
            ? .quote(try TPMQuoteInfo(&cursor)) : .other(try cursor.bytes(cursor.remaining, "attested"))
        try cursor.end()
        self.bytes = bytes
    }

    /// The structure's bytes, made of its fields.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(magic)
        writer.bigEndian(type)
        writer.sized(qualifiedSigner)
        writer.sized(extraData)
        writer.bigEndian(clock)
        writer.bigEndian(resetCount)
        writer.bigEndian(restartCount)
        writer.append([isClockSafe ? 1 : 0])
        writer.bigEndian(firmwareVersion)
        switch attested {
        case .quote(let quote): quote.encode(&writer)
        case .other(let bytes): writer.append(bytes)
        }
        return writer.bytes
    }
}

/// Which registers a quote covers, and the digest of their values (TPM 2.0 Library part 2, TPMS_QUOTE_INFO).
public struct TPMQuoteInfo: Hashable, Sendable {
    public let selections: [TPMPCRSelection]
    /// By the signature's hash algorithm, whatever the banks are.
    public let pcrDigest: [UInt8]

    init(_ cursor: inout ByteCursor) throws(MalformedBytes) {
        let count = try cursor.bigEndianUInt32("attested.pcrSelect.count")
        guard count <= TPMPCRSelection.maximumBanks else {
            throw cursor.malformed("attested.pcrSelect.count", "\(count), at most 16")
        }
        var selections: [TPMPCRSelection] = []
        for _ in 0..<count { selections.append(try TPMPCRSelection(&cursor)) }
        self.selections = selections
        pcrDigest = try cursor.sized("attested.pcrDigest")
    }

    func encode(_ writer: inout ByteWriter) {
        writer.bigEndian(UInt32(selections.count))
        for selection in selections { selection.encode(&writer) }
        writer.sized(pcrDigest)
    }

    /// The digest that the selected values would have, in the order of the selections; `nil` where one is missing.
    public func digest(of values: TPMPCRValues, by algorithm: TPMHashAlgorithm) -> [UInt8]? {
        var bytes: [UInt8] = []
        for selection in selections {
            for register in selection.registers {
                guard let value = values[selection.bank, register] else { return nil }
                bytes += value
            }
        }
        return algorithm.digest(of: bytes)
    }
}
