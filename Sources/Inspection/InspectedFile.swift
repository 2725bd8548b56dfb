// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
public import ByteCoding
internal import Evidence
public import StrictJSON

/// Everything that a file of evidence, or of what evidence is checked with, says. Nothing of it is believed.
///
/// Recognised by content, in this order: the formats of ``Evidence/EvidenceFormat``, then PEM certificates and
/// revocation lists, then the same as DER, then Intel's collateral.
public struct InspectedFile: Hashable, Sendable {
    /// In its manual's words: "SNP report".
    public let format: String
    /// Bytes.
    public let size: Int
    public let fields: [InspectedField]

    /// `nil` for a file that is nothing known: see ``tried``. Throws at one that is of a known format, and malformed.
    public init?(recognising bytes: [UInt8]) throws(MalformedBytes) {
        size = bytes.count
        if let format = EvidenceFormat(recognising: bytes) {
            self.format = format.rawValue
            fields = try EvidenceFile(decoding: bytes, as: format).inspected
        } else if let found = try Self.certificates(bytes) {
            (format, fields) = found
        } else if Self.isIntelCollateral(bytes) {
            format = "Intel collateral"
            fields = try IntelCollateral(parsing: bytes).inspected
        } else {
            return nil
        }
    }

    /// A JSON object with the two signed texts, whatever else it has.
    private static func isIntelCollateral(_ bytes: [UInt8]) -> Bool {
        guard let json = try? JSONValue(parsing: bytes) else { return false }
        return json["tcb_info"] != nil && json["qe_identity"] != nil
    }

    /// What a file that is not recognised was held against.
    public static var tried: [String] {
        EvidenceFormat.allCases.map(\.rawValue) + ["X.509 certificate", "X.509 CRL", "Intel collateral"]
    }

    /// Whether something within it could not be read.
    public var isMalformed: Bool { fields.contains { $0.isMalformed } }

    /// `format`, `size` and `fields`. Fields may be added; none is renamed.
    public var json: JSONValue {
        ["format": .string(format), "size": .integer(size), "fields": InspectedField.object(fields)]
    }

    private static func certificates(
        _ bytes: [UInt8]
    ) throws(MalformedBytes) -> (format: String, fields: [InspectedField])? {
        if bytes.starts(with: Array("-----BEGIN CERTIFICATE-----".utf8)) {
            let blocks = try PEM.decode(bytes, label: "CERTIFICATE")
            guard blocks.count > 1 else { return ("X.509 certificate", try Certificate(bytes).inspected) }
            return ("X.509 certificates", [.list("certificates", blocks.map(Certificate.inspected))])
        }
        if bytes.starts(with: Array("-----BEGIN X509 CRL-----".utf8)) {
            return ("X.509 CRL", try RevocationList(bytes).inspected)
        }
        guard bytes.first == 0x30 else { return nil }
        if let list = try? RevocationList(der: bytes) { return ("X.509 CRL", list.inspected) }
        return ("X.509 certificate", try Certificate(der: bytes).inspected)
    }
}

extension EvidenceFile {
    var inspected: [InspectedField] {
        switch self {
        case .envelope(let envelope): envelope.inspected
        case .azureEvidence(let json): EvidenceMembers(json, platform: .azureSNP).inspected
        case .hclReport(let report): report.inspected()
        case .tpmAttest(let attest): attest.inspected
        case .intelQuote(let quote, _): quote.inspected
        case .snpCertificateTable(let table): table.inspected
        case .snpExtendedReport(let report, let table):
            [InspectedField("report", parts: report.inspected(product: table.product))] + table.inspected
        case .snpReport(let report): report.inspected()
        case .eventLog(let log): log.inspected
        case .tpmPublic(let key): key.inspected
        case .tpmSignature(let signature): signature.inspected
        }
    }
}
