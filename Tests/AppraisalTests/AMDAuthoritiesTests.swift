// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import CryptoExtras
import Evidence
import StrictJSON
import TestVectors
import Testing

/// The authorities that are built in.
@Suite struct AMDAuthoritiesTests {
    @Test func allOfThemAreThere() {
        #expect(AMDAuthorities.amd.all.count == 9)
        for product in SNPProduct.allCases {
            for role in AMDAuthority.Role.allCases {
                let authority = AMDAuthorities.amd.authority(product, role)
                #expect(authority?.name == AMDTestHierarchy.name(product, role))
            }
        }
    }

    @Test(
        .enabled(if: SharedVectors.arePresent, "the shared vectors are absent"),
        arguments: SharedVector.all("amd-roots", check: "cert"))
    func everyConstantIsThatOfTheCertificate(vector: SharedVector) throws {
        let certificate = try Certificate(der: vector.bytes("cert"))
        let names = vector.id.split(separator: "-")
        let authority = try #require(
            AMDAuthorities.amd.all.first {
                $0.product.rawValue.lowercased() == names[0] && $0.role.rawValue == names[1]
            })
        #expect(
            authority.publicKeyInfo == certificate.publicKeyInfo && authority.serial == certificate.serial
                && authority.validity == certificate.validity && authority.name == certificate.subject.commonName)
        #expect(authority.certificateDigest == Hex.encode(SHA256.hash(data: certificate.der)))
        let root = try #require(AMDAuthorities.amd.authority(authority.product, .ark))
        #expect(root.hasSigned(certificate.signedBytes, certificate.signature, certificate.algorithm))
        #expect(certificate.extensions.isAuthority == true && certificate.extensions.maySignCertificates)
        #expect(certificate.extensions.maySignRevocationLists == (authority.role == .ark))
        let left = vector.compare(try facts(certificate, authority, root))
        #expect(left == [], "\(left)")
    }

    private func facts(
        _ certificate: Certificate, _ authority: AMDAuthority, _ root: AMDAuthority
    ) throws -> [String: JSONValue] {
        func date(_ time: Int64) -> JSONValue {
            .string(CivilTime(secondsSince1970: time).rfc3339.replacing("Z", with: "+00:00"))
        }
        func name(_ common: String) -> JSONValue {
            .string("CN=\(common),O=Advanced Micro Devices,ST=CA,L=Santa Clara,C=US,OU=Engineering")
        }
        let bits = try _RSA.Signing.PublicKey(derRepresentation: authority.publicKeyInfo).keySizeInBits
        let isRoot = certificate.issuer == certificate.subject
        var facts: [String: JSONValue] = [
            "der_sha256": .string(authority.certificateDigest),
            "spki_sha256": .string(Hex.encode(SHA256.hash(data: authority.publicKeyInfo))),
            "subject": name(authority.name), "issuer": name(root.name),
            "serial": .string(String(authority.serial.reduce(0) { $0 << 8 | Int($1) }, radix: 16)),
            "not_before": date(authority.validity.notBefore), "not_after": date(authority.validity.notAfter),
            "sig_alg_oid": certificate.algorithm == .rsaPSSWithSHA384 ? "1.2.840.113549.1.1.10" : "another",
            "key": .string("RSA-\(bits)"), "self_signed_valid": .bool(isRoot), "is_pinned_intel_root": false,
            "is_pinned_amd_root": .bool(authority.role == .ark),
        ]
        if !isRoot { facts["issued_by_issuer"] = true }
        return facts
    }

    /// The names as bytes: what the test above compares as text.
    @Test(
        .enabled(if: SharedVectors.arePresent, "the shared vectors are absent"),
        arguments: SharedVector.all("amd-roots", check: "cert"))
    func namesAreWholeOnes(vector: SharedVector) throws {
        let certificate = try Certificate(der: vector.bytes("cert"))
        for name in [certificate.issuer, certificate.subject] {
            let text = String(decoding: name.der, as: UTF8.self)
            #expect(text.contains("Advanced Micro Devices") && text.contains("Engineering"))
        }
    }
}
