// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Finds the certificate of the key that signed a report: the one in the evidence, which must then be right, or one
/// that the verifier has.
struct SNPEndorsementSearch {
    let evidence: SNPEvidence
    /// DER or PEM, of any kind.
    let certificates: [[UInt8]]
    let trusted: [SNPTrustedEndorsement]

    enum Outcome {
        case found(SNPEndorsement)
        /// Its issuer's signature need not be checked again.
        case trusted(SNPTrustedEndorsement)
        case missing(Finding)
    }

    /// Throws where the certificate in the evidence is malformed.
    func outcome() throws(MalformedBytes) -> Outcome {
        if let bytes = evidence.endorsementKey {
            if let known = trusted.first(where: { $0.endorsement.certificate.der == bytes }) { return .trusted(known) }
            return .found(try SNPEndorsement(try Certificate(bytes)))
        }
        if let known = bestMatch(trusted, \.endorsement) { return .trusted(known) }
        let candidates = Candidates(certificates)
        if let match = bestMatch(candidates.endorsements, \.self) { return .found(match) }
        return .missing(missing(candidates))
    }

    /// What report and certificate say is compared first, which is cheap. Where several agree, as all of a firmware do
    /// where the chip's id is masked, the signature decides.
    private func bestMatch<Element>(
        _ elements: [Element], _ endorsement: (Element) -> SNPEndorsement
    ) -> Element? {
        func check(_ element: Element) -> SNPReportCheck {
            SNPReportCheck(report: evidence.report, endorsement: endorsement(element))
        }
        let agreeing = elements.filter { check($0).disagreements.isEmpty }
        guard agreeing.count > 1 else { return agreeing.first }
        return agreeing.first { check($0).isSignatureValid } ?? agreeing.first
    }

    /// A certificate beside the evidence that does not fit speaks for another machine, not against the evidence.
    private func missing(_ candidates: Candidates) -> Finding {
        let count = candidates.endorsements.count
        let unfit = candidates.endorsements.first.map {
            SNPReportCheck(report: evidence.report, endorsement: $0).disagreements.map(\.subject).joined(
                separator: ", ")
        }
        let found =
            switch (count, unfit) {
            case (1, let unfit?): "one beside the evidence, which differs in \(unfit)"
            case (0, _): "none, in the evidence or beside it"
            default: "\(count) beside the evidence, none of this chip and firmware"
            }
        let unreadable = candidates.unreadable == 0 ? "" : "; \(candidates.unreadable) beside it do not parse"
        return Finding(
            .snpNoCertificate, subject: "cert_chain", expected: "the VCEK or VLEK certificate of the key that signed",
            found: found + unreadable,
            remedy: "fetch it from AMD's key distribution service, and name it with --collateral")
    }

    /// The certificates that a verifier has, as far as they are of keys that sign reports.
    private struct Candidates {
        private(set) var endorsements: [SNPEndorsement] = []
        private(set) var unreadable = 0

        init(_ certificates: [[UInt8]]) {
            for bytes in certificates {
                guard let blocks = try? PEM.orDER(bytes, label: "CERTIFICATE") else {
                    unreadable += 1
                    continue
                }
                for der in blocks { add(der) }
            }
        }

        private mutating func add(_ der: [UInt8]) {
            guard let certificate = try? Certificate(der: der) else { return unreadable += 1 }
            guard let endorsement = try? SNPEndorsement(certificate) else {
                return unreadable += certificate.extensions.isAuthority == true ? 0 : 1
            }
            endorsements.append(endorsement)
        }
    }
}

extension Finding.Code {
    /// There is no certificate to check the report with.
    public static let snpNoCertificate = Self(rawValue: "snp.certificate.missing")
}
