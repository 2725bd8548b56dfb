// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// `evidence.json`: which platform attests, and what it says. Self-describing, so that evidence can travel between
/// verifiers.
public struct EvidenceEnvelope: Hashable, Sendable {
    public let platform: String
    /// An object whose fields the platform defines.
    public let evidence: JSONValue

    public init(platform: String, evidence: JSONValue) {
        self.platform = platform
        self.evidence = evidence
    }

    /// Throws unless there are exactly the fields `platform`, a string, and `evidence`, an object.
    public init(parsing bytes: [UInt8]) throws(MalformedBytes) {
        let json = try JSONValue(parsing: bytes)
        guard let members = json.objectValue else { throw Self.malformed("", "an object expected") }
        guard Set(members.keys) == ["platform", "evidence"] else {
            throw Self.malformed(
                "", "exactly 'platform' and 'evidence' expected, found \(members.keys.sorted().joined(separator: ", "))"
            )
        }
        guard let platform = json["platform"]?.stringValue else {
            throw Self.malformed("platform", "a string expected")
        }
        guard let evidence = json["evidence"], evidence.objectValue != nil else {
            throw Self.malformed("evidence", "an object expected")
        }
        self.init(platform: platform, evidence: evidence)
    }

    /// RFC 8785.
    public var canonicalBytes: [UInt8] {
        let json: JSONValue = ["platform": .string(platform), "evidence": evidence]
        return json.canonicalBytes
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "evidence.json", field: field, offset: 0, reason: reason)
    }
}
