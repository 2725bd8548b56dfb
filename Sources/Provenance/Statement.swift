// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// One artifact of a statement: its path below `artifacts/` and its digest.
public struct Subject: Hashable, Sendable {
    public let name: String
    public let sha256: Digest256

    public init(name: String, sha256: Digest256) {
        self.name = name
        self.sha256 = sha256
    }

    /// Whether the name is a relative path that stays where it is: no empty, `.` or `..` parts, no backslashes, no
    /// control characters.
    public var isPlainPath: Bool { PlainPath.isPlain(name) }
}

/// An in-toto Statement v1.
public struct Statement: Hashable, Sendable {
    public static let type = "https://in-toto.io/Statement/v1"

    public let subjects: [Subject]
    public let predicateType: String
    public let predicate: JSONValue

    public init(subjects: [Subject], predicateType: String, predicate: JSONValue) {
        self.subjects = subjects
        self.predicateType = predicateType
        self.predicate = predicate
    }

    /// Throws at another type, unknown fields, no subject, two subjects of one name, and subjects without exactly one
    /// SHA-256.
    public init(parsing bytes: [UInt8]) throws(MalformedBytes) {
        var reader = try JSONMembers(JSONValue(parsing: bytes), of: "in-toto statement")
        let type = try reader.string("_type")
        guard type == Self.type else { throw reader.malformed("_type", "'\(type)', expected '\(Self.type)'") }
        var subjects: [Subject] = []
        var names: Set<String> = []
        for json in try reader.array("subject") {
            let subject = try Self.subject(json)
            guard names.insert(subject.name).inserted else {
                throw reader.malformed("subject", "'\(subject.name)' stands twice")
            }
            subjects.append(subject)
        }
        guard !subjects.isEmpty else { throw reader.malformed("subject", "no subject: it proves nothing") }
        self.subjects = subjects
        predicateType = try reader.string("predicateType")
        predicate = try reader.required("predicate")
        try reader.end()
    }

    /// RFC 8785; what hardware signs the digest of.
    public var canonicalBytes: [UInt8] {
        let json: JSONValue = [
            "_type": .string(Self.type),
            "subject": .array(
                subjects.map { ["name": .string($0.name), "digest": ["sha256": .string($0.sha256.hex)]] }),
            "predicateType": .string(predicateType),
            "predicate": predicate,
        ]
        return json.canonicalBytes
    }

    private static func subject(_ json: JSONValue) throws(MalformedBytes) -> Subject {
        var reader = try JSONMembers(json, of: "in-toto subject")
        let name = try reader.string("name")
        var digest = try JSONMembers(reader.required("digest"), of: "digest of the subject '\(name)'")
        let sha256 = try Digest256(hex: digest.string("sha256"))
        try digest.end()
        try reader.end()
        return Subject(name: name, sha256: sha256)
    }
}
