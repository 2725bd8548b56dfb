// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// A signed payload (DSSE 1.0.2, github.com/secure-systems-lab/dsse): decoded, and not yet believed.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `payload` | base64, either alphabet | what is signed |
/// | `payloadType` | string | what the payload is; signed too |
/// | `signatures` | array, at least one | `sig`, base64, and an optional `keyid`, which nothing signs |
public struct DSSEEnvelope: Hashable, Sendable {
    public let payloadType: String
    public let payload: [UInt8]
    public let signatures: [Signature]

    public struct Signature: Hashable, Sendable {
        /// A hint, and no more: it is not signed.
        public let keyID: String?
        public let bytes: [UInt8]

        public init(keyID: String?, bytes: [UInt8]) {
            self.keyID = keyID
            self.bytes = bytes
        }
    }

    /// More signatures are refused.
    public static let maximumSignatures = 64

    public init(payloadType: String, payload: [UInt8], signatures: [Signature]) {
        self.payloadType = payloadType
        self.payload = payload
        self.signatures = signatures
    }

    /// Throws at unknown fields, no signature, and one signature that stands twice.
    public init(parsing bytes: [UInt8]) throws(MalformedBytes) { try self.init(JSONValue(parsing: bytes)) }

    /// As ``init(parsing:)``.
    public init(_ json: JSONValue) throws(MalformedBytes) {
        let members = try Self.members(json, "", required: ["payload", "payloadType", "signatures"], optional: [])
        guard let type = members["payloadType"]?.stringValue, !type.isEmpty else {
            throw Self.malformed("payloadType", "text expected")
        }
        payloadType = type
        payload = try Self.base64(members["payload"], "payload")
        guard let entries = members["signatures"]?.arrayValue, !entries.isEmpty else {
            throw Self.malformed("signatures", "at least one expected")
        }
        guard entries.count <= Self.maximumSignatures else {
            throw Self.malformed("signatures", "\(entries.count), at most \(Self.maximumSignatures) are read")
        }
        var signatures: [Signature] = []
        for entry in entries {
            let fields = try Self.members(entry, "signatures", required: ["sig"], optional: ["keyid"])
            if let hint = fields["keyid"], hint.stringValue == nil { throw Self.malformed("keyid", "text expected") }
            let signature = Signature(
                keyID: fields["keyid"]?.stringValue, bytes: try Self.base64(fields["sig"], "sig"))
            guard !signatures.contains(signature) else { throw Self.malformed("signatures", "one stands there twice") }
            signatures.append(signature)
        }
        self.signatures = signatures
    }

    /// What is signed: "DSSEv1", the type and the payload, each with its length (DSSE, "PAE").
    public var preAuthenticationEncoding: [UInt8] {
        let head = "DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) "
        return Array(head.utf8) + payload
    }

    /// The first of `keys` that signed, whatever the hints say; `nil` where none did.
    public func signer(among keys: [VerificationKey]) -> VerificationKey? {
        let message = preAuthenticationEncoding
        return keys.first { key in signatures.contains { key.isValid($0.bytes, for: message) } }
    }

    public var json: JSONValue {
        [
            "payload": .string(Base64.encode(payload)), "payloadType": .string(payloadType),
            "signatures": .array(
                signatures.map { signature in
                    var members: [String: JSONValue] = ["sig": .string(Base64.encode(signature.bytes))]
                    members["keyid"] = signature.keyID.map(JSONValue.string)
                    return .object(members)
                }),
        ]
    }

    private static func members(
        _ json: JSONValue, _ field: String, required: Set<String>, optional: Set<String>
    ) throws(MalformedBytes) -> [String: JSONValue] {
        guard let members = json.objectValue else { throw malformed(field, "an object expected") }
        if let missing = required.subtracting(members.keys).min() { throw malformed(missing, "missing") }
        if let unknown = Set(members.keys).subtracting(required).subtracting(optional).min() {
            throw malformed(unknown, "an unknown field")
        }
        return members
    }

    /// Either alphabet, as the specification allows.
    private static func base64(_ json: JSONValue?, _ field: String) throws(MalformedBytes) -> [UInt8] {
        guard let text = json?.stringValue, !text.isEmpty else { throw malformed(field, "base64 expected") }
        let isURL = text.utf8.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        return try Base64.decode(text, alphabet: isURL ? .url : .standard)
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "DSSE envelope", field: field, offset: 0, reason: reason)
    }
}
