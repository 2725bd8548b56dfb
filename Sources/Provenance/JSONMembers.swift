// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// Takes the members of one JSON object one by one, and refuses what is left: an unknown field is never skipped.
struct JSONMembers {
    private let format: String
    private var members: [String: JSONValue]

    init(_ json: JSONValue, of format: String) throws(MalformedBytes) {
        self.format = format
        guard let members = json.objectValue else {
            throw MalformedBytes(format: format, offset: 0, reason: "an object expected")
        }
        self.members = members
    }

    mutating func take(_ field: String) -> JSONValue? { members.removeValue(forKey: field) }

    mutating func required(_ field: String) throws(MalformedBytes) -> JSONValue {
        guard let value = take(field) else { throw malformed(field, "missing") }
        return value
    }

    mutating func string(_ field: String) throws(MalformedBytes) -> String {
        guard let text = try required(field).stringValue else { throw malformed(field, "a string expected") }
        return text
    }

    mutating func optionalString(_ field: String) throws(MalformedBytes) -> String? {
        guard let value = take(field) else { return nil }
        guard let text = value.stringValue else { throw malformed(field, "a string expected") }
        return text
    }

    mutating func array(_ field: String) throws(MalformedBytes) -> [JSONValue] {
        guard let elements = try required(field).arrayValue else { throw malformed(field, "an array expected") }
        return elements
    }

    func end() throws(MalformedBytes) {
        guard let field = members.keys.min() else { return }
        throw malformed(field, "an unknown field")
    }

    func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: 0, reason: reason)
    }
}
