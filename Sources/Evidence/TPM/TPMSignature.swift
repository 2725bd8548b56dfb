// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// A TPM's signature (TPM 2.0 Library part 2, TPMT_SIGNATURE).
///
/// | size | field | meaning |
/// |---|---|---|
/// | 2 | sigAlg | 0x0014 RSASSA, 0x0016 RSAPSS, 0x0018 ECDSA, big-endian |
/// | 2 | hash | ``TPMHashAlgorithm``, big-endian |
/// | TPM2B | sig | RSA: as long as the modulus |
/// | TPM2B, TPM2B | signatureR, signatureS | ECDSA: each at most as long as the curve's field |
public struct TPMSignature: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        case rsassa([UInt8])
        case rsapss([UInt8])
        /// Big-endian, without a fixed length.
        case ecdsa(r: [UInt8], s: [UInt8])
    }

    public let hash: TPMHashAlgorithm
    public let value: Value

    public init(hash: TPMHashAlgorithm, value: Value) {
        self.hash = hash
        self.value = value
    }

    /// Throws at another algorithm, and at trailing bytes.
    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var cursor = ByteCursor(bytes, format: "TPMT_SIGNATURE")
        let algorithm = try cursor.bigEndianUInt16("sigAlg")
        hash = try TPMHashAlgorithm(&cursor, "hash")
        switch algorithm {
        case TPMAlgorithmID.rsassa: value = .rsassa(try cursor.sized("sig"))
        case TPMAlgorithmID.rsapss: value = .rsapss(try cursor.sized("sig"))
        case TPMAlgorithmID.ecdsa:
            value = .ecdsa(r: try cursor.sized("signatureR"), s: try cursor.sized("signatureS"))
        default: throw cursor.malformed("sigAlg", "0x\(String(algorithm, radix: 16)) is not known")
        }
        try cursor.end()
    }

    /// The structure's bytes.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        let (algorithm, parts): (UInt16, [[UInt8]]) =
            switch value {
            case .rsassa(let signature): (TPMAlgorithmID.rsassa, [signature])
            case .rsapss(let signature): (TPMAlgorithmID.rsapss, [signature])
            case .ecdsa(let r, let s): (TPMAlgorithmID.ecdsa, [r, s])
            }
        writer.bigEndian(algorithm)
        writer.bigEndian(hash.rawValue)
        for part in parts { writer.sized(part) }
        return writer.bytes
    }
}
