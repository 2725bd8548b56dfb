// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import CryptoExtras
import Evidence

/// Authorities as AMD's, with keys of the tests' own, made once a process.
struct AMDTestHierarchy: Sendable {
    struct Authority: Sendable {
        let product: SNPProduct
        let role: AMDAuthority.Role
        let key: TestKey
        /// DER.
        let certificate: [UInt8]
        let validity: Validity
        let serial: [UInt8]

        var name: String { AMDTestHierarchy.name(product, role) }

        var asTrusted: AMDAuthority {
            AMDAuthority(
                product: product, role: role, name: name, serial: serial, validity: validity,
                certificateDigest: Hex.encode(SHA256.hash(data: certificate)), publicKeyInfo: key.publicKeyInfo)
        }
    }

    let authorities: [Authority]
    /// Of chips, of providers, and of somebody else.
    let chipKey = P384.Signing.PrivateKey()
    let providerKey = P384.Signing.PrivateKey()
    let strangerKey = P384.Signing.PrivateKey()
    /// An authority that nobody trusts.
    let strangerAuthority: TestKey

    var trusted: AMDAuthorities { AMDAuthorities(authorities.map(\.asTrusted)) }

    static let shared = try? AMDTestHierarchy()

    private init() throws {
        authorities = try SNPProduct.allCases.flatMap { try Self.authorities(of: $0) }
        strangerAuthority = .rsaPSS(try _RSA.Signing.PrivateKey(keySize: .bits2048))
    }

    func authority(_ product: SNPProduct, _ role: AMDAuthority.Role) -> Authority? {
        authorities.first { $0.product == product && $0.role == role }
    }

    static func name(_ product: SNPProduct, _ role: AMDAuthority.Role) -> String {
        switch role {
        case .ark: "ARK-\(product.rawValue)"
        case .ask: "SEV-\(product.rawValue)"
        case .asvk: "SEV-VLEK-\(product.rawValue)"
        }
    }

    private static func authorities(of product: SNPProduct) throws -> [Authority] {
        let root = TestKey.rsaPSS(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        return try AMDAuthority.Role.allCases.enumerated().map { index, role in
            let key = role == .ark ? root : TestKey.rsaPSS(try _RSA.Signing.PrivateKey(keySize: .bits2048))
            let serial: [UInt8] = [1, 0, UInt8(index)]
            let certificate = TestCertificate(
                serial: serial, issuer: name(product, .ark), subject: name(product, role),
                publicKeyInfo: key.publicKeyInfo, extensions: [.init(id: "2.5.29.19", value: [0x30, 3, 1, 1, 0xFF])])
            return Authority(
                product: product, role: role, key: key, certificate: try certificate.signed(by: root),
                validity: Validity(notBefore: 1_577_836_800, notAfter: 2_524_607_999), serial: serial)
        }
    }
}
