// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// Evidence of the platforms `az-snp` and `az-tdx`, decoded and not yet believed.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `version` | 1 or 2 | |
/// | `tpm_quote.message` | hex | ``TPMAttest`` |
/// | `tpm_quote.signature` | hex | RSASSA-PKCS1-v1_5 with SHA-256, the bare number |
/// | `tpm_quote.pcrs` | 24 × hex | values of the SHA-256 bank |
/// | `hcl_report` | base64url | ``AzureHCLReport`` |
/// | `vcek` | base64url DER, or PEM | SNP: the certificate of the key that signed the report |
/// | `td_quote` | base64url | TDX: ``IntelQuote`` |
///
/// The first form that others wrote has `quote` and `report` instead, bytes as lists of numbers, and no `version`.
public struct AzureEvidence: Hashable, Sendable {
    public let hclReport: AzureHCLReport
    public let runtimeData: AzureRuntimeData
    public let quote: TPMAttest
    /// Big-endian, without a structure around it.
    public let quoteSignature: [UInt8]
    public let registers: TPMPCRValues
    /// DER or PEM, as it came.
    public let endorsementKey: [UInt8]?
    public let tdQuote: IntelQuote?

    /// Throws at unknown fields, and where a part does not decode.
    public init(_ json: JSONValue) throws(MalformedBytes) {
        let fields = try EvidenceFields(
            json, format: Self.format,
            known: ["version", "tpm_quote", "hcl_report", "vcek", "td_quote", "quote", "report"])
        let isFirstForm = fields["version"] == nil
        if !isFirstForm {
            guard let version = fields["version"]?.integerValue, (1...2).contains(version) else {
                throw fields.malformed("version", "1 or 2 expected")
            }
        }
        guard fields["report"] == nil || isFirstForm && fields["hcl_report"] == nil else {
            throw fields.malformed("report", "stands beside version or hcl_report")
        }
        hclReport = try AzureHCLReport(
            decoding: isFirstForm && fields["report"] != nil
                ? try Self.numbers(fields, "report") : try fields.base64("hcl_report", alphabet: .url))
        runtimeData = try AzureRuntimeData(parsing: hclReport.variableData)
        let quoteField = fields["quote"] != nil ? "quote" : "tpm_quote"
        guard fields["quote"] == nil || fields["tpm_quote"] == nil else {
            throw fields.malformed("quote", "stands beside tpm_quote")
        }
        let parts = try EvidenceFields(
            try fields.required(quoteField), format: Self.format, known: ["message", "signature", "pcrs"])
        quote = try TPMAttest(decoding: try Self.bytes(parts, "message"))
        quoteSignature = try Self.bytes(parts, "signature")
        registers = try Self.registers(parts)
        endorsementKey = try Self.certificate(fields)
        tdQuote =
            fields["td_quote"] == nil
            ? nil : try IntelQuote(decoding: try fields.base64("td_quote", alphabet: .url))
    }

    private static let format = "Azure evidence"

    private static func numbers(_ fields: EvidenceFields, _ field: String) throws(MalformedBytes) -> [UInt8] {
        guard let bytes = EvidenceFields.bytes(try fields.required(field)) else {
            throw fields.malformed(field, "a list of bytes expected")
        }
        return bytes
    }

    /// Hexadecimal text, or a list of numbers.
    private static func bytes(_ fields: EvidenceFields, _ field: String) throws(MalformedBytes) -> [UInt8] {
        fields[field]?.arrayValue == nil ? try fields.hex(field) : try numbers(fields, field)
    }

    private static func registers(_ fields: EvidenceFields) throws(MalformedBytes) -> TPMPCRValues {
        guard let list = try fields.required("pcrs").arrayValue, list.count == 24 else {
            throw fields.malformed("pcrs", "a list of 24 values expected")
        }
        var registers = TPMPCRValues()
        for (index, item) in list.enumerated() {
            let value =
                try item.stringValue.map { text throws(MalformedBytes) in try Hex.decode(text) }
                ?? EvidenceFields.bytes(item)
            guard let value, value.count == 32 else { throw fields.malformed("pcrs", "32 bytes expected") }
            registers[.sha256, index] = value
        }
        return registers
    }

    private static func certificate(_ fields: EvidenceFields) throws(MalformedBytes) -> [UInt8]? {
        guard fields["vcek"] != nil else { return nil }
        let text = try fields.text("vcek")
        let bytes = text.hasPrefix("-----BEGIN") ? Array(text.utf8) : try Base64.decode(text, alphabet: .url)
        guard bytes.count <= SNPEvidence.maximumCertificateSize else {
            throw fields.malformed("vcek", "a certificate of \(bytes.count) bytes")
        }
        return bytes
    }
}
