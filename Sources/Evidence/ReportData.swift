// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// The 64 bytes that a platform signs for its caller: SHA-256 of `provenance.json` (32) ‖ nonce (0 to 32) ‖ zeros.
public struct ReportData: Hashable, Sendable {
    /// Always 64 bytes.
    public let bytes: [UInt8]

    /// Throws where the nonce has more than 32 bytes.
    public init(provenanceDigest: Digest256, nonce: [UInt8]) throws(MalformedBytes) {
        guard nonce.count <= 32 else {
            throw MalformedBytes(
                format: "report data", field: "nonce", offset: 32, reason: "\(nonce.count) bytes, at most 32 fit")
        }
        bytes = provenanceDigest.bytes + nonce + Array(repeating: 0, count: 32 - nonce.count)
    }

    /// Throws unless there are exactly 64 bytes.
    public init(bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count == 64 else {
            throw MalformedBytes(format: "report data", offset: 0, reason: "\(bytes.count) bytes, expected 64")
        }
        self.bytes = bytes
    }

    /// The first 32 bytes: the digest of the provenance.
    public var digest: [UInt8] { Array(bytes[..<32]) }

    /// The last 32 bytes: the nonce and its padding.
    public var nonceField: [UInt8] { Array(bytes[32...]) }
}
