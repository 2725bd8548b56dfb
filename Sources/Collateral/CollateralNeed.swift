// SPDX-License-Identifier: Apache-2.0
package import Appraisal
import ByteCoding
package import Evidence

/// One thing that appraisal needs, or can use, beside the evidence.
package enum CollateralNeed: Hashable, Sendable {
    /// The certificate of the chip's key that signed a report.
    case chipCertificate(SNPChip)
    /// The certificate of a cloud provider's key that signed a report. AMD gives it to providers only.
    case providerCertificate(tcb: SNPTCBVersion)
    /// Revocation list of a product's authorities.
    case amdRevocationList(SNPProduct, SNPSigningFlags.SigningKey)
    /// The certificates of a product's authorities. Appraisal has their keys; they are for other verifiers.
    case amdAuthorities(SNPProduct, SNPSigningFlags.SigningKey)
    /// TCB info, QE identity and revocation lists.
    case intel(IntelPlatform)
    /// Certificates between a TPM's and the authority that the verifier names. Nobody serves them in one place.
    case tpmAuthorities
}

/// A chip as AMD's service knows it: by its id and the firmware that its key is derived from.
package struct SNPChip: Hashable, Sendable {
    /// The product lines that it may be of, the likeliest first.
    package let products: [SNPProduct]
    /// CHIP_ID, 64 bytes.
    package let id: [UInt8]
    /// REPORTED_TCB.
    package let tcb: SNPTCBVersion

    package init(products: [SNPProduct], id: [UInt8], tcb: SNPTCBVersion) {
        self.products = products
        self.id = id
        self.tcb = tcb
    }

    /// The chip that made a report. `nil` where the report does not name it: then its host has masked the id.
    ///
    /// Reports of version 2 do not say of which product they are. Where bytes 8 to 63 of the id are zero it is a Turin;
    /// else a Milan is asked for before a Genoa, since firmware of that age is seldom on anything else.
    package init?(of report: SNPReport) {
        guard report.chipID.contains(where: { $0 != 0 }) else { return nil }
        let isShort = report.chipID.dropFirst(SNPProduct.turin.chipIDSize).allSatisfy { $0 == 0 }
        let products: [SNPProduct] =
            if let processor = report.cpuid {
                processor.product.map { [$0] } ?? []
            } else {
                isShort ? [.turin] : [.milan, .genoa]
            }
        guard !products.isEmpty else { return nil }
        self.init(products: products, id: report.chipID, tcb: report.reportedTCB)
    }

    /// Whether a certificate says that it is of this chip with this firmware.
    func isNamed(by endorsement: SNPEndorsement) -> Bool {
        endorsement.kind == .vcek && products.contains(endorsement.product)
            && endorsement.chipID == Array(id.prefix(endorsement.product.chipIDSize))
            && endorsement.tcb == tcb.parts(of: endorsement.product)
    }
}

extension CollateralNeed {
    /// Whether appraisal comes to nothing without it.
    package var isRequired: Bool {
        switch self {
        case .chipCertificate, .providerCertificate, .intel: true
        case .amdRevocationList, .amdAuthorities, .tpmAuthorities: false
        }
    }

    /// What it is, for people.
    package var name: String {
        switch self {
        case .chipCertificate(let chip):
            "the VCEK certificate of the chip \(Hex.encode(chip.id.prefix(8)))…"
        case .providerCertificate: "the VLEK certificate of the host's provider"
        case .amdRevocationList(let product, let key): "the revocation list of \(product.rawValue)'s \(key.name) keys"
        case .amdAuthorities(let product, let key):
            "the certificates of the authorities of \(product.rawValue)'s \(key.name) keys"
        case .intel(let platform):
            "Intel's collateral for \(platform.tee == .tdx ? "TDX" : "SGX") on the platform \(Hex.encode(platform.fmspc))"
        case .tpmAuthorities: "certificates of the TPM maker's authorities"
        }
    }

    /// Those parts of `set` that meet this need; none where nothing in it does. Nothing of them is believed.
    package func parts(of set: CollateralSet) -> CollateralSet {
        switch self {
        case .chipCertificate(let chip):
            CollateralSet(amdCertificates: endorsements(in: set) { chip.isNamed(by: $0) })
        case .providerCertificate(let tcb):
            CollateralSet(
                amdCertificates: endorsements(in: set) { $0.kind == .vlek && $0.tcb == tcb.parts(of: $0.product) })
        case .amdRevocationList(let product, let key):
            CollateralSet(
                amdRevocationLists: set.amdRevocationLists.filter {
                    (try? RevocationList($0)).map {
                        Self.authorities(product, key).contains($0.issuer.commonName ?? "")
                    }
                        ?? false
                })
        case .amdAuthorities(let product, let key):
            CollateralSet(
                amdCertificates: set.amdCertificates.filter {
                    (try? Certificate($0)).map { Self.authorities(product, key).contains($0.subject.commonName ?? "") }
                        ?? false
                })
        case .intel(let platform):
            CollateralSet(intel: set.intel.filter { (try? $0.platform) == platform })
        case .tpmAuthorities: CollateralSet(tpmCertificates: set.tpmCertificates)
        }
    }

    /// Whether somebody who gave `set` has spoken on what this is about, be it the right thing or not.
    package func isAnswered(by set: CollateralSet) -> Bool {
        switch self {
        case .chipCertificate, .providerCertificate: !set.amdCertificates.isEmpty
        case .amdAuthorities, .amdRevocationList: !parts(of: set).isEmpty
        case .intel: !set.intel.isEmpty
        case .tpmAuthorities: !set.tpmCertificates.isEmpty
        }
    }

    private func endorsements(in set: CollateralSet, where fits: (SNPEndorsement) -> Bool) -> [[UInt8]] {
        set.amdCertificates.filter { bytes in
            (try? Certificate(bytes)).flatMap { try? SNPEndorsement($0) }.map(fits) ?? false
        }
    }

    /// The names of the root of a product line, and of what signs keys under it.
    static func authorities(_ product: SNPProduct, _ key: SNPSigningFlags.SigningKey) -> Set<String> {
        ["ARK-\(product.rawValue)", key == .vlek ? "SEV-VLEK-\(product.rawValue)" : "SEV-\(product.rawValue)"]
    }
}

extension SNPSigningFlags.SigningKey {
    var name: String { self == .vlek ? "VLEK" : "VCEK" }
}
