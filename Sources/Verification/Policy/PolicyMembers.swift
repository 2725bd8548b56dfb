// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import StrictJSON

/// The members of one mapping of a file that a verifier wrote. A key that nobody knows is refused, and the nearest one
/// named; a value of a wrong type is refused with its line, what was expected and what was found.
struct PolicyMembers {
    /// "snp.minimumTCB"; empty for the whole file.
    let path: String
    private let members: [String: JSONValue]
    private let lines: [String: Int]

    init(_ document: YAMLDocument, known: [String]) throws(PolicyError) {
        try self.init(document.value, at: "", lines: document.lines, known: known)
    }

    /// - Parameter known: every key that may stand there; `nil` where the keys are names of the verifier's own.
    init(_ value: JSONValue, at path: String, lines: [String: Int], known: [String]?) throws(PolicyError) {
        self.path = path
        self.lines = lines
        guard let members = value.objectValue else {
            throw PolicyError(
                line: lines[path], key: path, "keys with values expected, found \(Self.description(of: value))")
        }
        self.members = members
        guard let known else { return }
        let unknown = members.keys.filter { !known.contains($0) }
        guard let key = unknown.min(by: { (line($0, lines), $0) < (line($1, lines), $1) }) else { return }
        let nearest = Spelling.nearest(to: key, among: known) ?? ""
        let place = path.isEmpty ? key : "\(path).\(key)"
        throw PolicyError(line: lines[place], key: place, "no such key; did you mean '\(nearest)'?")
    }

    /// In the order of the file.
    var keys: [String] { members.keys.sorted { (line($0, lines), $0) < (line($1, lines), $1) } }

    subscript(key: String) -> JSONValue? { members[key] }

    func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func refusal(_ key: String, _ reason: String) -> PolicyError {
        PolicyError(line: lines[place(key)], key: place(key), reason)
    }

    func inner(_ key: String, known: [String]?) throws(PolicyError) -> PolicyMembers? {
        guard let value = members[key] else { return nil }
        guard value.objectValue?.isEmpty != true else { throw refusal(key, "is empty: name at least one key in it") }
        return try PolicyMembers(value, at: place(key), lines: lines, known: known)
    }

    /// A list of mappings.
    func list(_ key: String, known: [String]) throws(PolicyError) -> [PolicyMembers] {
        var found: [PolicyMembers] = []
        for (index, element) in try elements(key).enumerated() {
            found.append(try PolicyMembers(element, at: "\(place(key))[\(index)]", lines: lines, known: known))
        }
        return found
    }

    func required(_ key: String) throws(PolicyError) {
        guard members[key] == nil else { return }
        throw PolicyError(line: lines[path], key: path, "the key '\(key)' is missing")
    }

    func flag(_ key: String) throws(PolicyError) -> Bool? {
        guard let value = members[key] else { return nil }
        guard let flag = value.boolValue else { throw wrong(key, "true or false") }
        return flag
    }

    func number(_ key: String, _ range: ClosedRange<Int>) throws(PolicyError) -> Int? {
        guard let value = members[key] else { return nil }
        guard let number = value.integerValue, range.contains(number) else {
            throw wrong(key, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func text(_ key: String) throws(PolicyError) -> String? {
        guard let value = members[key] else { return nil }
        guard let text = value.stringValue, !text.isEmpty else { throw wrong(key, "text") }
        return text
    }

    /// One text, or a list of them with at least one.
    func texts(_ key: String) throws(PolicyError) -> [String]? {
        guard let value = members[key] else { return nil }
        if let text = value.stringValue, !text.isEmpty { return [text] }
        guard let elements = value.arrayValue, !elements.isEmpty else { throw wrong(key, "text, or a list of texts") }
        var texts: [String] = []
        var seen: Set<String> = []
        for (index, element) in elements.enumerated() {
            guard let text = element.stringValue, !text.isEmpty else {
                throw Self.wrong("\(place(key))[\(index)]", lines, "text", element)
            }
            guard seen.insert(text).inserted else {
                throw PolicyError(
                    line: lines["\(place(key))[\(index)]"], key: "\(place(key))[\(index)]", "'\(text)' stands twice")
            }
            texts.append(text)
        }
        return texts
    }

    func patterns(_ key: String) throws(PolicyError) -> [Pattern]? { try texts(key)?.map { Pattern($0) } }

    /// One of the names, or a list of them.
    func names(_ key: String, of known: [String]) throws(PolicyError) -> [String]? {
        guard let names = try texts(key) else { return nil }
        for name in names where !known.contains(name) {
            let nearest = Spelling.nearest(to: name, among: known) ?? ""
            throw refusal(
                key, "'\(name)' is not one of \(known.joined(separator: ", ")); did you mean '\(nearest)'?")
        }
        return names
    }

    /// Exactly `count` bytes as hexadecimal digits.
    func hex(_ key: String, count: Int) throws(PolicyError) -> [UInt8]? {
        guard let value = members[key] else { return nil }
        let expected = "\(2 * count) hexadecimal digits"
        guard let text = value.stringValue, let bytes = try? Hex.decode(text) else { throw wrong(key, expected) }
        guard bytes.count == count else { throw refusal(key, "\(expected) expected, found \(2 * bytes.count)") }
        return bytes
    }

    /// One value of exactly `count` bytes as hexadecimal digits, or a list of them.
    func hexes(_ key: String, count: Int) throws(PolicyError) -> Set<[UInt8]>? { try hexes(key, counts: [count]) }

    /// The same, of several lengths.
    func hexes(_ key: String, counts: [Int]) throws(PolicyError) -> Set<[UInt8]>? {
        guard let texts = try texts(key) else { return nil }
        var values: Set<[UInt8]> = []
        for text in texts {
            guard let bytes = try? Hex.decode(text), counts.contains(bytes.count) else {
                let expected = counts.map { String(2 * $0) }.joined(separator: " or ")
                throw refusal(key, "\(expected) hexadecimal digits expected, found '\(text.prefix(100))'")
            }
            values.insert(bytes)
        }
        return values
    }

    /// One SHA-256 or a list of them.
    func digests(_ key: String) throws(PolicyError) -> [Digest256]? {
        guard let texts = try texts(key) else { return nil }
        var digests: [Digest256] = []
        for text in texts {
            guard let bytes = try? Hex.decode(text), let digest = try? Digest256(rawBytes: bytes) else {
                throw refusal(key, "64 hexadecimal digits expected, found '\(text.prefix(80))'")
            }
            digests.append(digest)
        }
        return digests
    }

    func wrong(_ key: String, _ expected: String) -> PolicyError {
        Self.wrong(place(key), lines, expected, members[key] ?? .null)
    }

    private func elements(_ key: String) throws(PolicyError) -> [JSONValue] {
        guard let value = members[key] else { return [] }
        guard let elements = value.arrayValue, !elements.isEmpty else { throw wrong(key, "a list with at least one") }
        return elements
    }

    private func line(_ key: String, _ lines: [String: Int]) -> Int { lines[place(key)] ?? 0 }

    private static func wrong(
        _ place: String, _ lines: [String: Int], _ expected: String, _ found: JSONValue
    ) -> PolicyError {
        PolicyError(line: lines[place], key: place, "\(expected) expected, found \(description(of: found))")
    }

    private static func description(of value: JSONValue) -> String {
        switch value {
        case .null: "nothing"
        case .bool(let flag): "\(flag)"
        case .number: "the number \(String(decoding: value.canonicalBytes, as: UTF8.self))"
        case .string(let text): text.isEmpty ? "empty text" : "the text '\(text.prefix(60))'"
        case .array(let elements): elements.isEmpty ? "an empty list" : "a list"
        case .object: "keys with values"
        }
    }
}
