// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence

/// What one request brings.
struct VendorResource: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// DER.
        case chipCertificate(SNPChip)
        /// PEM, the signer of keys and the root, which have these names.
        case authorities(Set<String>)
        /// DER, PEM, or either in hexadecimal, of an issuer with one of these names.
        case revocationList(Set<String>)
        /// JSON: `{"tcbInfo":{…},"signature":"…"}`.
        case tcbInfo(IntelPlatform)
        /// JSON: `{"enclaveIdentity":{…},"signature":"…"}`.
        case qeIdentity(IntelPlatform)
    }

    let kind: Kind
    let url: String
    /// Headers of the answer that may hold the chain of who signed it, percent-encoded PEM. One of them must be there
    /// unless there is none here.
    var chainHeaders: [String] = []
}

extension CollateralNeed {
    /// What is asked of the vendors, in order; empty for what nobody serves. Of several for a chip's certificate, the
    /// first that is there will do.
    package func urls(_ addresses: VendorAddresses = .vendors) -> [String] { resources(addresses).map(\.url) }

    func resources(_ addresses: VendorAddresses) -> [VendorResource] {
        switch self {
        case .chipCertificate(let chip): chip.products.map { Self.certificate(chip, $0, addresses.amd) }
        case .providerCertificate, .tpmAuthorities: []
        case .amdRevocationList(let product, let key):
            [
                VendorResource(
                    kind: .revocationList(Self.authorities(product, key)),
                    url: "\(addresses.amd)/\(key.path)/\(product.rawValue)/crl")
            ]
        case .amdAuthorities(let product, let key):
            [
                VendorResource(
                    kind: .authorities(Self.authorities(product, key)),
                    url: "\(addresses.amd)/\(key.path)/\(product.rawValue)/cert_chain")
            ]
        case .intel(let platform): Self.intel(platform, addresses)
        }
    }

    /// AMD 57230, section 4.1. Security versions have at least two digits, decimal; Turin's chips have ids of 8 bytes
    /// and one version more.
    private static func certificate(_ chip: SNPChip, _ product: SNPProduct, _ base: String) -> VendorResource {
        let parameters = [
            "fmc": "fmcSPL", "bootloader": "blSPL", "tee": "teeSPL", "snp": "snpSPL", "microcode": "ucodeSPL",
        ]
        let query = chip.tcb.parts(of: product).named.compactMap { name, value in
            parameters[name].map { "\($0)=\(value < 10 ? "0" : "")\(value)" }
        }
        return VendorResource(
            kind: .chipCertificate(chip),
            url: "\(base)/vcek/v1/\(product.rawValue)/\(Hex.encode(chip.id.prefix(product.chipIDSize)))?"
                + query.joined(separator: "&"))
    }

    private static func intel(_ platform: IntelPlatform, _ addresses: VendorAddresses) -> [VendorResource] {
        let tee = platform.tee == .tdx ? "tdx" : "sgx"
        return [
            VendorResource(
                kind: .tcbInfo(platform),
                url: "\(addresses.intel)/\(tee)/certification/v4/tcb?fmspc=\(Hex.encode(platform.fmspc))",
                chainHeaders: ["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"]),
            VendorResource(
                kind: .qeIdentity(platform), url: "\(addresses.intel)/\(tee)/certification/v4/qe/identity",
                chainHeaders: ["SGX-Enclave-Identity-Issuer-Chain"]),
            VendorResource(
                kind: .revocationList([platform.authority.name]),
                url: "\(addresses.intel)/sgx/certification/v4/pckcrl?ca=\(platform.authority.rawValue)&encoding=der",
                chainHeaders: ["SGX-PCK-CRL-Issuer-Chain"]),
            VendorResource(kind: .revocationList(["Intel SGX Root CA"]), url: addresses.intelRootList),
        ]
    }
}

extension SNPSigningFlags.SigningKey {
    fileprivate var path: String { self == .vlek ? "vlek/v1" : "vcek/v1" }
}
