// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// Evidence of the platform `vtpm`, decoded and not yet believed.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `version` | 1 | |
/// | `tpm_quote.message` | hex | ``TPMAttest`` |
/// | `tpm_quote.signature` | hex | ``TPMSignature`` |
/// | `tpm_quote.pcrs` | object | by bank ("sha256") and register ("7"): values in hex |
/// | `ak_public` | base64 | the key that signed: ``TPMPublic`` |
/// | `ak_certificate` | base64 DER, optional | a CA's statement that the key is a TPM's |
/// | `ak_chain` | list of base64 DER, optional | issuers of `ak_certificate`, without the root |
/// | `ek_certificate` | base64 DER, optional | the maker's statement that the TPM is genuine |
/// | `ek_chain` | list of base64 DER, optional | issuers of `ek_certificate`, without the root |
/// | `event_log` | base64, optional | ``TCGEventLog`` |
///
/// Only `ak_certificate` ties the quote to a TPM. A TPM shows that it holds both keys by decrypting a challenge with
/// its endorsement key (TPM 2.0 Library part 1, section 24), which leaves nothing that others could check later.
public struct TPMEvidence: Hashable, Sendable {
    public static let platform = "vtpm"
    /// Certificates larger than this are refused, in bytes.
    public static let maximumCertificateSize = 16_384
    /// Longer chains are refused.
    public static let maximumChain = 8

    /// A certificate, DER, and its issuers without the root.
    public struct Chain: Hashable, Sendable {
        public let certificate: [UInt8]
        public let issuers: [[UInt8]]

        public init(certificate: [UInt8], issuers: [[UInt8]] = []) {
            self.certificate = certificate
            self.issuers = issuers
        }
    }

    public let quote: TPMAttest
    public let signature: TPMSignature
    public let registers: TPMPCRValues
    public let attestationKey: TPMPublic
    /// `nil` where nobody certified the attestation key.
    public let attestationChain: Chain?
    /// `nil` where the evidence does not say whose TPM it is.
    public let endorsementChain: Chain?
    public let eventLog: TCGEventLog?
    /// The log as it came.
    public let eventLogBytes: [UInt8]?

    /// Throws where the log does not decode.
    public init(
        quote: TPMAttest, signature: TPMSignature, registers: TPMPCRValues, attestationKey: TPMPublic,
        attestationChain: Chain? = nil, endorsementChain: Chain? = nil, eventLogBytes: [UInt8]? = nil
    ) throws(MalformedBytes) {
        self.quote = quote
        self.signature = signature
        self.registers = registers
        self.attestationKey = attestationKey
        self.attestationChain = attestationChain
        self.endorsementChain = endorsementChain
        self.eventLogBytes = eventLogBytes
        guard let eventLogBytes else {
            eventLog = nil
            return
        }
        eventLog = try TCGEventLog(decoding: eventLogBytes)
    }

    /// Throws at unknown fields, another version, and where a part does not decode.
    public init(_ json: JSONValue) throws(MalformedBytes) {
        let fields = try EvidenceFields(json, format: Self.format, known: Self.known)
        guard fields["version"]?.integerValue == 1 else { throw fields.malformed("version", "1 expected") }
        let parts = try EvidenceFields(
            try fields.required("tpm_quote"), format: Self.format, known: ["message", "signature", "pcrs"])
        try self.init(
            quote: try TPMAttest(decoding: try parts.hex("message")),
            signature: try TPMSignature(decoding: try parts.hex("signature")),
            registers: try TPMPCRValues(try parts.required("pcrs")),
            attestationKey: try TPMPublic(decoding: try fields.base64("ak_public")),
            attestationChain: try Self.chain(fields, "ak_certificate", "ak_chain"),
            endorsementChain: try Self.chain(fields, "ek_certificate", "ek_chain"),
            eventLogBytes: try fields.optionalBase64("event_log"))
    }

    private static let format = "TPM evidence"
    private static let known: Set<String> = [
        "version", "tpm_quote", "ak_public", "ak_certificate", "ak_chain", "ek_certificate", "ek_chain", "event_log",
    ]

    private static func chain(
        _ fields: EvidenceFields, _ leaf: String, _ rest: String
    ) throws(MalformedBytes) -> Chain? {
        var issuers: [[UInt8]] = []
        if let json = fields[rest] {
            guard let list = json.arrayValue, list.count <= maximumChain else {
                throw fields.malformed(rest, "a list of at most \(maximumChain) certificates expected")
            }
            for item in list {
                guard let text = item.stringValue else { throw fields.malformed(rest, "a string expected") }
                issuers.append(try Base64.decode(text))
            }
        }
        guard let certificate = try fields.optionalBase64(leaf) else {
            guard issuers.isEmpty else { throw fields.malformed(rest, "stands without \(leaf)") }
            return nil
        }
        for bytes in [certificate] + issuers where bytes.count > maximumCertificateSize {
            throw fields.malformed(leaf, "a certificate of \(bytes.count) bytes")
        }
        return Chain(certificate: certificate, issuers: issuers)
    }
}

extension TPMEvidence {
    /// The fields of the table above.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "version": 1,
            "tpm_quote": [
                "message": .string(Hex.encode(quote.bytes)), "signature": .string(Hex.encode(signature.encoded)),
                "pcrs": registers.json,
            ],
            "ak_public": .string(Base64.encode(attestationKey.bytes)),
        ]
        for (chain, leaf, rest) in [
            (attestationChain, "ak_certificate", "ak_chain"), (endorsementChain, "ek_certificate", "ek_chain"),
        ] {
            guard let chain else { continue }
            members[leaf] = .string(Base64.encode(chain.certificate))
            if !chain.issuers.isEmpty { members[rest] = .array(chain.issuers.map { .string(Base64.encode($0)) }) }
        }
        if let eventLogBytes { members["event_log"] = .string(Base64.encode(eventLogBytes)) }
        return .object(members)
    }

    public var envelope: EvidenceEnvelope { EvidenceEnvelope(platform: Self.platform, evidence: json) }
}
