// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import Evidence
internal import StrictJSON

extension EvidenceEnvelope {
    /// Each member of the evidence by itself, so that one that is malformed hides no other. Members that the platform
    /// does not have are shown as they came.
    var inspected: [InspectedField] {
        [.text("platform", platform, "by its own word"), InspectedField("evidence", parts: members)]
    }

    private var members: [InspectedField] {
        EvidenceMembers(evidence, platform: Platform(rawValue: platform)).inspected
    }
}

/// The members of an evidence object, read one by one.
struct EvidenceMembers {
    private let members: [String: JSONValue]
    private let platform: Platform?

    init(_ json: JSONValue, platform: Platform?) {
        members = json.objectValue ?? [:]
        self.platform = platform
    }

    /// Those that the platform has in the order that its documentation gives, then the others.
    var inspected: [InspectedField] {
        let order = [
            "version", "attestation_report", "cert_chain", "tpm_quote", "quote", "hcl_report", "report", "vcek",
        ]
        func place(_ name: String) -> Int { order.firstIndex(of: name) ?? order.count }
        return members.sorted { (place($0.key), $0.key) < (place($1.key), $1.key) }.map { name, json in
            do throws(MalformedBytes) {
                return try read(name, json).map { InspectedField(name, parts: $0) } ?? InspectedField(name, .json(json))
            } catch {
                return InspectedField(name, .malformed(error.description))
            }
        }
    }

    /// `nil` for a member that is shown as it came.
    private func read(_ name: String, _ json: JSONValue) throws(MalformedBytes) -> [InspectedField]? {
        switch (platform, name) {
        case (.snp, "attestation_report"), (.googleSNP, "attestation_report"):
            try SNPReport(decoding: try EncodedBytes.base64(json)).inspected(product: product)
        case (.snp, "cert_chain"), (.googleSNP, "cert_chain"): Self.certificates(json)
        case (.tdx, "quote"), (.googleTDX, "quote"), (.azureSNP, "td_quote"), (.azureTDX, "td_quote"):
            try IntelQuote(decoding: try EncodedBytes.base64(json)).inspected
        case (.tdx, "cc_eventlog"), (.googleTDX, "cc_eventlog"):
            try TCGEventLog(decoding: try EncodedBytes.base64(json)).inspected
        case (.azureSNP, "hcl_report"), (.azureTDX, "hcl_report"), (.azureSNP, "report"):
            try AzureHCLReport(decoding: try EncodedBytes.base64(json)).inspected(product: product)
        case (.azureSNP, "tpm_quote"), (.azureTDX, "tpm_quote"), (.azureSNP, "quote"): Self.quote(json)
        case (.azureSNP, "vcek"), (.azureTDX, "vcek"): try Certificate(try EncodedBytes.base64(json)).inspected
        case (.software, "report_data"): try Self.reportData(json)
        case (.vtpm, "tpm_quote"): Self.signedQuote(json)
        case (.vtpm, "ak_public"): try TPMPublic(decoding: try EncodedBytes.base64(json)).inspected
        case (.vtpm, "ak_certificate"), (.vtpm, "ek_certificate"):
            try Certificate(try EncodedBytes.base64(json)).inspected
        case (.vtpm, "event_log"): try TCGEventLog(decoding: try EncodedBytes.base64(json)).inspected
        default: nil
        }
    }

    /// The product line that the signing key's certificate names.
    private var product: SNPProduct? {
        let chain = members["cert_chain"]
        let certificate = members["vcek"] ?? chain?["vcek"] ?? chain?["vlek"]
        return certificate.flatMap { try? EncodedBytes.base64($0) }.flatMap(SNPProduct.init(named:))
    }

    private static func reportData(_ json: JSONValue) throws(MalformedBytes) -> [InspectedField] {
        let data = try ReportData(bytes: try EncodedBytes.base64(json))
        return [.bytes("digest", data.digest), .bytes("nonce", data.nonceField, "and zeros")]
    }

    private static func certificates(_ json: JSONValue) -> [InspectedField] {
        ["vcek", "vlek", "ask", "ark"].compactMap { name in
            json[name].map { member in
                .reading(name) { () throws(MalformedBytes) in try Certificate(try EncodedBytes.base64(member)).inspected
                }
            }
        }
    }

    /// A plain TPM's: the signature with its algorithm, the values by bank and register.
    private static func signedQuote(_ json: JSONValue) -> [InspectedField] {
        [
            message(json),
            .reading("signature") { () throws(MalformedBytes) in
                try TPMSignature(decoding: try EncodedBytes.hex(json["signature"] ?? .null)).inspected
            },
            .reading("pcrs") { () throws(MalformedBytes) in
                try TPMPCRValues(json["pcrs"] ?? .null).inspected
            },
        ]
    }

    private static func message(_ json: JSONValue) -> InspectedField {
        .reading("message") { () throws(MalformedBytes) in
            try TPMAttest(decoding: try EncodedBytes.hex(json["message"] ?? .null)).inspected
        }
    }

    /// Azure's: a bare signature, and the values of the SHA-256 bank in order.
    private static func quote(_ json: JSONValue) -> [InspectedField] {
        let registers = json["pcrs"]?.arrayValue ?? []
        return [
            message(json),
            .reading("signature") { () throws(MalformedBytes) in
                [.bytes("sig", try EncodedBytes.hex(json["signature"] ?? .null), "RSASSA-PKCS1-v1_5 with SHA-256")]
            },
            InspectedField(
                "pcrs",
                parts: registers.enumerated().map { index, value in
                    do throws(MalformedBytes) {
                        return .bytes("PCR\(index)", try EncodedBytes.hex(value))
                    } catch {
                        return InspectedField("PCR\(index)", .malformed(error.description))
                    }
                }),
        ]
    }
}

/// Bytes within JSON, in the spellings that evidence has.
enum EncodedBytes {
    /// Base64 of either alphabet, PEM as it is, or a list of numbers.
    static func base64(_ json: JSONValue) throws(MalformedBytes) -> [UInt8] {
        if let bytes = numbers(json) { return bytes }
        let text = try text(json)
        if text.hasPrefix("-----BEGIN") { return Array(text.utf8) }
        let isURL = text.contains { $0 == "-" || $0 == "_" } || !text.utf8.count.isMultiple(of: 4)
        return try Base64.decode(text, alphabet: isURL ? .url : .standard)
    }

    /// Hexadecimal, or a list of numbers.
    static func hex(_ json: JSONValue) throws(MalformedBytes) -> [UInt8] {
        if let bytes = numbers(json) { return bytes }
        return try Hex.decode(try text(json))
    }

    private static func numbers(_ json: JSONValue) -> [UInt8]? {
        guard let items = json.arrayValue else { return nil }
        let bytes = items.compactMap { $0.integerValue.flatMap { UInt8(exactly: $0) } }
        return bytes.count == items.count ? bytes : nil
    }

    private static func text(_ json: JSONValue) throws(MalformedBytes) -> String {
        guard let text = json.stringValue else {
            throw MalformedBytes(format: "evidence", offset: 0, reason: "a string, or a list of bytes, expected")
        }
        return text
    }
}
