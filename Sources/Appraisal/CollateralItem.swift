// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// One piece of a set of collateral, for people: what it is, and from when to when it is good.
package struct CollateralItem: Hashable, Sendable {
    package let name: String
    /// `nil` where a part of it does not decode.
    package let validity: Validity?
}

extension CollateralSet {
    package var items: [CollateralItem] {
        amdCertificates.map { Self.item(certificate: $0) } + amdRevocationLists.map(Self.item(list:))
            + intel.map(Self.item(intel:)) + tpmCertificates.map { Self.item(certificate: $0) }
    }

    /// When the newest piece was issued, seconds since 1970: nobody could have judged by all of them before. `nil` where
    /// no piece decodes.
    package var newestIssue: Int64? { items.compactMap { $0.validity?.notBefore }.max() }

    /// Those pieces that are good at `time`, seconds since 1970.
    package func inForce(at time: Int64) -> CollateralSet {
        func isInForce(_ item: CollateralItem) -> Bool { item.validity?.contains(time) ?? false }
        return CollateralSet(
            amdCertificates: amdCertificates.filter { isInForce(Self.item(certificate: $0)) },
            amdRevocationLists: amdRevocationLists.filter { isInForce(Self.item(list: $0)) },
            intel: intel.filter { isInForce(Self.item(intel: $0)) },
            tpmCertificates: tpmCertificates.filter { isInForce(Self.item(certificate: $0)) })
    }

    private static func item(certificate bytes: [UInt8]) -> CollateralItem {
        guard let certificate = try? Certificate(bytes) else {
            return CollateralItem(name: "a certificate that does not decode", validity: nil)
        }
        let name = certificate.subject.commonName ?? "no name"
        guard let endorsement = try? SNPEndorsement(certificate) else {
            return CollateralItem(name: "certificate '\(name)'", validity: certificate.validity)
        }
        let parts = endorsement.tcb.named.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        let owner =
            endorsement.chipID.map { "chip \(Hex.encode($0.prefix(8)))…" } ?? "provider \(endorsement.provider ?? "?")"
        return CollateralItem(
            name: "certificate '\(name)' of \(endorsement.product.rawValue), \(owner), \(parts)",
            validity: certificate.validity)
    }

    private static func item(list bytes: [UInt8]) -> CollateralItem {
        guard let list = try? RevocationList(bytes) else {
            return CollateralItem(name: "a revocation list that does not decode", validity: nil)
        }
        return CollateralItem(
            name: "revocation list of '\(list.issuer.commonName ?? "no name")', \(list.revoked.count) revoked",
            validity: list.validity)
    }

    private static func item(intel collateral: IntelCollateral) -> CollateralItem {
        guard let platform = try? collateral.platform, let validity = try? collateral.validity else {
            return CollateralItem(name: "Intel's collateral, which does not decode", validity: nil)
        }
        return CollateralItem(
            name: "Intel's collateral for \(platform.tee == .tdx ? "TDX" : "SGX") on the platform "
                + "\(Hex.encode(platform.fmspc)), PCK \(platform.authority.rawValue) CA", validity: validity)
    }
}
