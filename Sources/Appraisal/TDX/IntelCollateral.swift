// SPDX-License-Identifier: Apache-2.0

/// Intel's collateral for one platform family (FMSPC) and TEE, as it came and not yet believed (Intel SGX and TDX
/// Provisioning Certification Service, API version 4).
public struct IntelCollateral: Hashable, Sendable {
    /// The value of `tcbInfo`, byte for byte: the signature covers these bytes.
    public var tcbInfo: [UInt8]
    /// 64 bytes, r and s.
    public var tcbInfoSignature: [UInt8]
    /// PEM, the signer first.
    public var tcbInfoIssuerChain: [UInt8]
    /// The value of `enclaveIdentity`, byte for byte.
    public var qeIdentity: [UInt8]
    /// 64 bytes, r and s.
    public var qeIdentitySignature: [UInt8]
    /// PEM, the signer first.
    public var qeIdentityIssuerChain: [UInt8]
    /// DER or PEM: of the CA that issued the platform's PCK certificate.
    public var pckCRL: [UInt8]
    /// PEM, the signer first.
    public var pckCRLIssuerChain: [UInt8]
    /// DER or PEM.
    public var rootCACRL: [UInt8]

    public init(
        tcbInfo: [UInt8], tcbInfoSignature: [UInt8], tcbInfoIssuerChain: [UInt8], qeIdentity: [UInt8],
        qeIdentitySignature: [UInt8], qeIdentityIssuerChain: [UInt8], pckCRL: [UInt8], pckCRLIssuerChain: [UInt8],
        rootCACRL: [UInt8]
    ) {
        self.tcbInfo = tcbInfo
        self.tcbInfoSignature = tcbInfoSignature
        self.tcbInfoIssuerChain = tcbInfoIssuerChain
        self.qeIdentity = qeIdentity
        self.qeIdentitySignature = qeIdentitySignature
        self.qeIdentityIssuerChain = qeIdentityIssuerChain
        self.pckCRL = pckCRL
        self.pckCRLIssuerChain = pckCRLIssuerChain
        self.rootCACRL = rootCACRL
    }
}
