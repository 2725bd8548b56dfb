// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import Evidence

/// What evidence shall sign for its caller: the digest of the provenance and the verifier's nonce, or any bytes.
///
/// SEV-SNP and TDX sign 64 bytes, so zeros follow. A TPM signs ``bytes`` as they are: zeros at a nonce's end are the
/// nonce's own then, and none are added.
public struct AttestationRequest: Hashable, Sendable {
    /// 1 to 64 bytes.
    public let bytes: [UInt8]
    /// The same, with zeros up to 64 bytes.
    public let reportData: ReportData

    /// Throws where there is no byte, or more than 64.
    public init(bytes: [UInt8]) throws(AttesterError) {
        guard (1...64).contains(bytes.count) else {
            throw AttesterError(.invalid, "1 to 64 bytes can be attested, found \(bytes.count)")
        }
        self.bytes = bytes
        do {
            reportData = try ReportData(bytes: bytes + Array(repeating: 0, count: 64 - bytes.count))
        } catch {
            throw AttesterError(.invalid, "\(error)")
        }
    }

    /// Throws where the nonce has more than 32 bytes.
    public init(provenanceDigest: Digest256, nonce: [UInt8]) throws(AttesterError) {
        try self.init(bytes: provenanceDigest.bytes + nonce)
    }
}
