// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// Reads the members of an evidence object strictly: each is asked for by name, and one that nobody knows is refused.
struct EvidenceFields {
    private let format: String
    private let members: [String: JSONValue]

    /// Throws where this is no object, and at members other than these.
    init(_ json: JSONValue, format: String, known: Set<String>) throws(MalformedBytes) {
        self.format = format
        guard let members = json.objectValue else {
            throw MalformedBytes(format: format, offset: 0, reason: "an object expected")
        }
        if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw MalformedBytes(
                format: format, field: unknown, offset: 0,
                reason: "not known; known are \(known.sorted().joined(separator: ", "))")
        }
        self.members = members
    }

    subscript(field: String) -> JSONValue? { members[field] }

    func required(_ field: String) throws(MalformedBytes) -> JSONValue {
        guard let value = members[field] else { throw malformed(field, "missing") }
        return value
    }

    func text(_ field: String) throws(MalformedBytes) -> String {
        guard let text = try required(field).stringValue else { throw malformed(field, "a string expected") }
        return text
    }

    func base64(_ field: String, alphabet: Base64.Alphabet = .standard) throws(MalformedBytes) -> [UInt8] {
        try Base64.decode(try text(field), alphabet: alphabet)
    }

    /// `nil` where the member is missing.
    func optionalBase64(_ field: String) throws(MalformedBytes) -> [UInt8]? {
        members[field] == nil ? nil : try base64(field)
    }

    func hex(_ field: String) throws(MalformedBytes) -> [UInt8] { try Hex.decode(try text(field)) }

    func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: 0, reason: reason)
    }

    /// A list of numbers from 0 to 255.
    static func bytes(_ json: JSONValue) -> [UInt8]? {
        guard let items = json.arrayValue else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(items.count)
        for item in items {
            guard let byte = item.integerValue.flatMap({ UInt8(exactly: $0) }) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
