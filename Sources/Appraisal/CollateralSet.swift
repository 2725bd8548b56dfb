// SPDX-License-Identifier: Apache-2.0

/// What a verifier has besides the evidence: certificates and lists of the vendors, fetched or handed over. Nothing in
/// it is believed for being here: each piece must verify under a root that is built in, or that the policy names.
public struct CollateralSet: Hashable, Sendable {
    /// Certificates of AMD's, DER or PEM: a VCEK or VLEK for evidence that carries none.
    public var amdCertificates: [[UInt8]]
    /// Revocation lists of AMD's, DER or PEM.
    public var amdRevocationLists: [[UInt8]]
    /// Intel's, one for each platform family (FMSPC) and TEE.
    public var intel: [IntelCollateral]
    /// Intermediate certificates of makers of TPMs, DER or PEM.
    public var tpmCertificates: [[UInt8]]

    public init(
        amdCertificates: [[UInt8]] = [], amdRevocationLists: [[UInt8]] = [], intel: [IntelCollateral] = [],
        tpmCertificates: [[UInt8]] = []
    ) {
        self.amdCertificates = amdCertificates
        self.amdRevocationLists = amdRevocationLists
        self.intel = intel
        self.tpmCertificates = tpmCertificates
    }
}
