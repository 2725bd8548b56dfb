// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// The JSON of an ``AzureHCLReport``: the vTPM's keys, the VM's configuration, and the guest's own data.
///
/// Unknown members are let pass: what the hardware signs is the digest of all bytes, and only the attestation key is
/// used.
public struct AzureRuntimeData: Hashable, Sendable {
    /// An RSA key of RFC 7517's form.
    public struct Key: Hashable, Sendable {
        public let id: String
        /// Big-endian, without leading zeros.
        public let modulus: [UInt8]
        /// Big-endian, without leading zeros.
        public let exponent: [UInt8]
    }

    public let keys: [Key]
    /// 64 bytes, zero where the guest wrote none to NV index 0x01400002; `nil` where the paravisor is too old for it.
    public let userData: [UInt8]?
    public let configuration: JSONValue?

    /// `HCLAkPub`: the key that signs the vTPM's quotes.
    public var attestationKey: Key? { keys.first { $0.id == "HCLAkPub" } }

    /// Throws where this is no JSON, or a key is no RSA key, or a key id stands twice.
    public init(parsing bytes: [UInt8]) throws(MalformedBytes) {
        let json = try JSONValue(parsing: bytes)
        guard let list = json["keys"]?.arrayValue else { throw Self.malformed("keys", "a list expected") }
        var keys: [Key] = []
        for item in list { keys.append(try Self.key(item)) }
        guard Set(keys.map(\.id)).count == keys.count else { throw Self.malformed("keys", "a key id stands twice") }
        self.keys = keys
        configuration = json["vm-configuration"]
        guard let text = json["user-data"] else {
            userData = nil
            return
        }
        guard let hex = text.stringValue else { throw Self.malformed("user-data", "a string expected") }
        userData = try Hex.decode(hex)
    }

    private static func key(_ json: JSONValue) throws(MalformedBytes) -> Key {
        guard json["kty"]?.stringValue == "RSA", let id = json["kid"]?.stringValue,
            let modulus = json["n"]?.stringValue, let exponent = json["e"]?.stringValue
        else { throw malformed("keys", "an RSA key with kid, n and e expected") }
        return Key(
            id: id, modulus: try Base64.decode(modulus, alphabet: .url),
            exponent: try Base64.decode(exponent, alphabet: .url))
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "HCL runtime data", field: field, offset: 0, reason: reason)
    }
}
