// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import Evidence
internal import StrictJSON

/// Azure's confidential machines, whose hardware is asked by a layer below the guest (the paravisor): the report is
/// made at boot, over the key of a virtual TPM, and that key signs the caller's bytes.
public struct AzureVTPMAttester: Attester {
    public let platform: String
    private let place: TPMPlace
    private let metadata: AzureMetadata

    /// The hardware's report and what it is over.
    static let reportIndex: UInt32 = 0x0140_0001
    /// The key that the report is over.
    private static let key: UInt32 = 0x8100_0003
    /// Bytes; this virtual TPM takes no more.
    static let maximumBytes = 50
    private static let registers = Array(0..<24)

    /// Reads whose hardware it is. Throws `absent` where the TPM holds no such report.
    public init(place: TPMPlace = TPMPlace()) throws(AttesterError) {
        try self.init(place: place, metadata: AzureMetadata())
    }

    package init(place: TPMPlace, metadata: AzureMetadata) throws(AttesterError) {
        self.place = place
        self.metadata = metadata
        let report = try TPMConnection.with(place) { tpm throws(AttesterError) in
            guard try tpm.has(Self.reportIndex) else {
                throw AttesterError(.absent, "the TPM at '\(place.tcti)' holds no report of confidential hardware")
            }
            return try Self.report(tpm)
        }
        platform = report.reportType == .snp ? "az-snp" : "az-tdx"
    }

    public func attest(_ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope {
        guard request.bytes.count <= Self.maximumBytes else {
            throw AttesterError(
                .invalid,
                "Azure's virtual TPM signs at most \(Self.maximumBytes) bytes, asked for \(request.bytes.count): "
                    + "leave out zeros at the end")
        }
        let (bytes, report, quote) = try TPMConnection.with(place) { tpm throws(AttesterError) in
            let bytes = try tpm.read(index: Self.reportIndex)
            let report = try Self.report(tpm)
            try tpm.use(key: Self.key)
            try Self.compare(try tpm.publicKey(), with: report)
            return (bytes, report, try TPMQuote(over: request.bytes, of: Self.registers, by: tpm))
        }
        guard case .rsassa(let signature) = quote.signature.value else {
            throw AttesterError(.invalid, "Azure's virtual TPM signed with another scheme than RSASSA")
        }
        let values = Self.registers.map { JSONValue.string(Hex.encode(quote.registers[.sha256, $0] ?? [])) }
        var members: [String: JSONValue] = [
            "version": 1, "hcl_report": .string(Base64.encode(bytes, alphabet: .url)),
            "tpm_quote": [
                "message": .string(Hex.encode(quote.message.bytes)), "signature": .string(Hex.encode(signature)),
                "pcrs": .array(values),
            ],
        ]
        switch report.reportType {
        case .snp: members["vcek"] = metadata.vcek().map { .string(Base64.encode($0, alphabet: .url)) }
        case .tdx:
            let module = Array(report.hardwareReport.prefix(TDXModuleReport.size))
            members["td_quote"] = .string(Base64.encode(try metadata.tdQuote(over: module), alphabet: .url))
        }
        return try checked(EvidenceEnvelope(platform: platform, evidence: .object(members)))
    }

    private static func report(_ tpm: TPMConnection) throws(AttesterError) -> AzureHCLReport {
        let bytes = try tpm.read(index: reportIndex)
        do {
            return try AzureHCLReport(decoding: bytes)
        } catch {
            throw AttesterError(.invalid, "the virtual TPM's hardware report cannot be read: \(error)")
        }
    }

    private static func compare(_ key: TPMPublic, with report: AzureHCLReport) throws(AttesterError) {
        let named: AzureRuntimeData.Key?
        do {
            named = try AzureRuntimeData(parsing: report.variableData).attestationKey
        } catch {
            throw AttesterError(.invalid, "the virtual TPM's hardware report cannot be read: \(error)")
        }
        guard case .rsa(let modulus, _) = key.key, let named, modulus == named.modulus else {
            throw AttesterError(.invalid, "the virtual TPM's key is not the one that the hardware's report is over")
        }
    }

    /// What would be handed out, read back as a verifier does.
    private func checked(_ envelope: EvidenceEnvelope) throws(AttesterError) -> EvidenceEnvelope {
        let evidence: AzureEvidence
        do {
            evidence = try AzureEvidence(envelope.evidence)
        } catch {
            throw AttesterError(.invalid, "Azure's answers make no evidence: \(error)")
        }
        guard let quote = evidence.tdQuote else { return envelope }
        let digest = evidence.hclReport.variableDataDigest
        guard case .trustDomain(let report) = quote.body,
            report.reportData == digest + Array(repeating: 0, count: 64 - digest.count)
        else { throw AttesterError(.invalid, "Azure's quoting service signed another report than it was given") }
        return envelope
    }
}
