// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence
internal import StrictJSON

/// Evidence made of what hardware answered, and compared with what it was asked.
enum HardwareAnswer {
    /// SEV-SNP: a report, and the host's certificates, a table that may be empty.
    static func snp(
        report: [UInt8], certificates: [UInt8], for request: AttestationRequest
    ) throws(AttesterError) -> EvidenceEnvelope {
        let decoded: SNPReport
        do {
            decoded = try SNPReport(decoding: report)
        } catch {
            throw AttesterError(.invalid, "SEV-SNP answered with something that is no report: \(error)")
        }
        try compare(decoded.reportData, with: request, "SEV-SNP")
        let chain = try certificateChain(certificates, signer: decoded.flags.signingKey == .vlek ? .vlek : .vcek)
        var members: [String: JSONValue] = ["attestation_report": .string(Base64.encode(report))]
        if !chain.isEmpty { members["cert_chain"] = .object(chain.mapValues { .string(Base64.encode($0)) }) }
        let json = JSONValue.object(members)
        return EvidenceEnvelope(platform: "snp", evidence: json)
    }

    /// TDX: a quote, and the event log that ACPI hands out, where there is one.
    static func tdx(
        quote: [UInt8], eventLog: [UInt8]?, for request: AttestationRequest
    ) throws(AttesterError) -> EvidenceEnvelope {
        var members: [String: JSONValue] = ["quote": .string(Base64.encode(quote))]
        members["cc_eventlog"] = eventLog.map { .string(Base64.encode($0)) }
        let json = JSONValue.object(members)
        let evidence: TDXEvidence
        do {
            evidence = try TDXEvidence(json)
        } catch {
            throw AttesterError(.invalid, "TDX answered with something that is no quote: \(error)")
        }
        guard case .trustDomain(let report) = evidence.quote.body else {
            throw AttesterError(.invalid, "TDX answered with the quote of an enclave, not of a trust domain")
        }
        try compare(report.reportData, with: request, "TDX")
        return EvidenceEnvelope(platform: "tdx", evidence: json)
    }

    static func compare(
        _ found: [UInt8], with request: AttestationRequest, _ who: String
    ) throws(AttesterError) {
        guard found == request.reportData.bytes else {
            throw AttesterError(
                .invalid,
                "\(who) signed other bytes than it was asked to: expected \(Hex.encode(request.reportData.bytes)), "
                    + "found \(Hex.encode(found))")
        }
    }

    /// By the names of ``SNPEvidence``, DER. Hosts hand out PEM as well, and pad.
    private static func certificateChain(
        _ bytes: [UInt8], signer: SNPCertificateTable.Kind
    ) throws(AttesterError) -> [String: [UInt8]] {
        guard bytes.contains(where: { $0 != 0 }) else { return [:] }
        do {
            let table = try SNPCertificateTable(decoding: bytes)
            var chain: [String: [UInt8]] = [:]
            for (name, kind) in [(signer == .vlek ? "vlek" : "vcek", signer), ("ask", .ask), ("ark", .ark)] {
                guard let content = table.content(kind), content.contains(where: { $0 != 0 }) else { continue }
                chain[name] = try CertificateBytes.der(content)
            }
            return chain
        } catch {
            throw AttesterError(.invalid, "the host's certificates for SEV-SNP cannot be read: \(error)")
        }
    }
}
