// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import Evidence

/// Which collateral a quote needs: what Intel's service is asked for.
package struct IntelPlatform: Hashable, Sendable {
    /// 6 bytes.
    package let fmspc: [UInt8]
    package let tee: IntelQuote.TEE
    /// Whose revocation list the PCK certificate may be on.
    package let authority: PCKCertificate.Authority

    package init(fmspc: [UInt8], tee: IntelQuote.TEE, authority: PCKCertificate.Authority) {
        self.fmspc = fmspc
        self.tee = tee
        self.authority = authority
    }

    /// Throws where the quote's PCK certificate does not decode. Nothing of it is believed.
    package init(of quote: IntelQuote) throws(MalformedBytes) {
        let certificate = try PCKChain(of: quote).leaf
        self.init(fmspc: certificate.fmspc, tee: quote.tee, authority: certificate.authority)
    }
}

extension IntelCollateral {
    /// Which quotes it is for. Throws where a part does not decode; nothing of it is believed.
    package var platform: IntelPlatform {
        get throws(MalformedBytes) {
            let info = try TCBInfo(tcbInfo)
            let list = try RevocationList(pckCRL)
            let authority = PCKCertificate.Authority.allCases.first { $0.name == list.issuer.commonName }
            guard let authority else {
                throw MalformedBytes(
                    format: "Intel collateral", field: "pck_crl", offset: 0,
                    reason: "issued by '\(list.issuer.commonName ?? "no name")'")
            }
            return IntelPlatform(fmspc: info.fmspc, tee: info.tee, authority: authority)
        }
    }

    /// From when to when all of it is good: `notAfter` is when a cache must fetch it again. Throws where a part does
    /// not decode; nothing of it is believed.
    package var validity: Validity {
        get throws(MalformedBytes) {
            var parts = [
                try TCBInfo(tcbInfo).validity, try QEIdentity(qeIdentity).validity, try RevocationList(pckCRL).validity,
                try RevocationList(rootCACRL).validity,
            ]
            for chain in [tcbInfoIssuerChain, qeIdentityIssuerChain, pckCRLIssuerChain] {
                for certificate in try PEM.decode(chain, label: "CERTIFICATE") {
                    parts.append(try Certificate(der: certificate).validity)
                }
            }
            return Validity.common(to: parts)
        }
    }
}

extension Validity {
    /// The time that lies in each of them; empty where there is none.
    static func common(to parts: [Validity]) -> Validity {
        Validity(
            notBefore: parts.map(\.notBefore).max() ?? .min, notAfter: parts.map(\.notAfter).min() ?? .max)
    }
}
