// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import StrictJSON

extension IntelCollateral {
    /// Reads the JSON form that verifiers hand around: an object of nine strings.
    ///
    /// | member | value |
    /// |---|---|
    /// | `tcb_info`, `qe_identity` | the signed JSON texts, byte for byte |
    /// | `tcb_info_signature`, `qe_identity_signature` | 64 bytes, hexadecimal |
    /// | `tcb_info_issuer_chain`, `qe_identity_issuer_chain`, `pck_crl_issuer_chain` | PEM |
    /// | `root_ca_crl`, `pck_crl` | DER or PEM, hexadecimal; or PEM |
    /// | `pck_certificate_chain` | optional and not used: quotes carry their own |
    ///
    /// Throws at other members, and at ones that are missing.
    public init(parsing json: [UInt8]) throws(MalformedBytes) {
        let members = try Members(try JSONValue(parsing: json))
        self.init(
            tcbInfo: Array(try members.text("tcb_info").utf8),
            tcbInfoSignature: try members.signature("tcb_info_signature"),
            tcbInfoIssuerChain: Array(try members.text("tcb_info_issuer_chain").utf8),
            qeIdentity: Array(try members.text("qe_identity").utf8),
            qeIdentitySignature: try members.signature("qe_identity_signature"),
            qeIdentityIssuerChain: Array(try members.text("qe_identity_issuer_chain").utf8),
            pckCRL: try members.list("pck_crl"),
            pckCRLIssuerChain: Array(try members.text("pck_crl_issuer_chain").utf8),
            rootCACRL: try members.list("root_ca_crl"))
    }

    /// The same form, canonical: what ``init(parsing:)`` reads.
    public var json: [UInt8] {
        let text = { (bytes: [UInt8]) in JSONValue.string(String(decoding: bytes, as: UTF8.self)) }
        let members: JSONValue = [
            "tcb_info": text(tcbInfo), "tcb_info_signature": .string(Hex.encode(tcbInfoSignature)),
            "tcb_info_issuer_chain": text(tcbInfoIssuerChain), "qe_identity": text(qeIdentity),
            "qe_identity_signature": .string(Hex.encode(qeIdentitySignature)),
            "qe_identity_issuer_chain": text(qeIdentityIssuerChain), "pck_crl": .string(Hex.encode(pckCRL)),
            "pck_crl_issuer_chain": text(pckCRLIssuerChain), "root_ca_crl": .string(Hex.encode(rootCACRL)),
        ]
        return members.canonicalBytes
    }

    /// Takes the answers of Intel's service apart (Intel PCS API version 4): `{"tcbInfo":{…},"signature":"…"}` and
    /// `{"enclaveIdentity":{…},"signature":"…"}`, each with the certificate chain of its header, percent-decoded.
    ///
    /// Throws where an answer is not of this form.
    public init(
        tcbInfoAnswer: [UInt8], tcbInfoIssuerChain: [UInt8], qeIdentityAnswer: [UInt8], qeIdentityIssuerChain: [UInt8],
        pckCRL: [UInt8], pckCRLIssuerChain: [UInt8], rootCACRL: [UInt8]
    ) throws(MalformedBytes) {
        let tcbInfo = try SignedAnswer(tcbInfoAnswer, member: "tcbInfo")
        let qeIdentity = try SignedAnswer(qeIdentityAnswer, member: "enclaveIdentity")
        self.init(
            tcbInfo: tcbInfo.body, tcbInfoSignature: tcbInfo.signature, tcbInfoIssuerChain: tcbInfoIssuerChain,
            qeIdentity: qeIdentity.body, qeIdentitySignature: qeIdentity.signature,
            qeIdentityIssuerChain: qeIdentityIssuerChain, pckCRL: pckCRL, pckCRLIssuerChain: pckCRLIssuerChain,
            rootCACRL: rootCACRL)
    }
}

/// Reads the members of the JSON form.
private struct Members {
    private static let required: Set<String> = [
        "tcb_info", "tcb_info_signature", "tcb_info_issuer_chain", "qe_identity", "qe_identity_signature",
        "qe_identity_issuer_chain", "pck_crl", "pck_crl_issuer_chain", "root_ca_crl",
    ]
    private static let optional: Set<String> = ["pck_certificate_chain"]

    private let members: [String: JSONValue]

    init(_ json: JSONValue) throws(MalformedBytes) {
        guard let members = json.objectValue else { throw Self.malformed("", "an object expected") }
        let known = Self.required.union(Self.optional)
        if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw Self.malformed(unknown, "not known; known are \(known.sorted().joined(separator: ", "))")
        }
        self.members = members
    }

    func text(_ name: String) throws(MalformedBytes) -> String {
        guard let text = members[name]?.stringValue else { throw Self.malformed(name, "a string expected") }
        return text
    }

    func signature(_ name: String) throws(MalformedBytes) -> [UInt8] {
        let bytes = try Hex.decode(try text(name))
        guard bytes.count == 64 else { throw Self.malformed(name, "\(bytes.count) bytes, expected 64") }
        return bytes
    }

    func list(_ name: String) throws(MalformedBytes) -> [UInt8] {
        let text = try text(name)
        return text.hasPrefix("-----BEGIN") ? Array(text.utf8) : try Hex.decode(text)
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "Intel collateral", field: field, offset: 0, reason: reason)
    }
}
