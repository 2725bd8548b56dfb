// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// Reads the members of a JSON object that Intel signed.
struct SignedFields {
    private let format: String
    private let members: [String: JSONValue]

    init(parsing bytes: [UInt8], format: String) throws(MalformedBytes) {
        try self.init(try JSONValue(parsing: bytes), format: format)
    }

    private init(_ json: JSONValue, format: String) throws(MalformedBytes) {
        guard case .object(let members) = json else {
            throw MalformedBytes(format: format, offset: 0, reason: "an object expected")
        }
        self.format = format
        self.members = members
    }

    func text(_ name: String) throws(MalformedBytes) -> String {
        guard case .string(let text)? = members[name] else { throw malformed(name, "a string expected") }
        return text
    }

    func number(_ name: String, maximum: Int) throws(MalformedBytes) -> Int {
        guard let number = members[name]?.integerValue, (0...maximum).contains(number) else {
            throw malformed(name, "a number from 0 to \(maximum) expected")
        }
        return number
    }

    func hex(_ name: String, count: Int) throws(MalformedBytes) -> [UInt8] {
        let bytes = try Hex.decode(try text(name))
        guard bytes.count == count else { throw malformed(name, "\(bytes.count) bytes, expected \(count)") }
        return bytes
    }

    func object(_ name: String) throws(MalformedBytes) -> SignedFields {
        guard let value = members[name] else { throw malformed(name, "missing") }
        return try SignedFields(value, format: format)
    }

    func list(_ name: String) throws(MalformedBytes) -> [SignedFields] {
        guard case .array(let values)? = members[name] else { throw malformed(name, "a list expected") }
        var list: [SignedFields] = []
        list.reserveCapacity(values.count)
        for value in values { list.append(try SignedFields(value, format: format)) }
        return list
    }

    /// Empty where the member is missing.
    func optionalList(_ name: String) throws(MalformedBytes) -> [SignedFields] {
        members[name] == nil ? [] : try list(name)
    }

    /// Empty where the member is missing.
    func optionalTexts(_ name: String) throws(MalformedBytes) -> [String] {
        guard let value = members[name] else { return [] }
        guard case .array(let values) = value else { throw malformed(name, "a list expected") }
        let texts = values.compactMap(\.stringValue)
        guard texts.count == values.count else { throw malformed(name, "a list of strings expected") }
        return texts
    }

    /// From `issueDate` to `nextUpdate`.
    func validity() throws(MalformedBytes) -> Validity {
        Validity(notBefore: try time("issueDate"), notAfter: try time("nextUpdate"))
    }

    func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: 0, reason: reason)
    }

    private func time(_ name: String) throws(MalformedBytes) -> Int64 {
        guard let time = CivilTime(rfc3339: try text(name)) else { throw malformed(name, "a time in UTC expected") }
        return time.secondsSince1970
    }
}
