// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import StrictJSON

/// One field of a format, as a tree from which both text and JSON are made. Nothing in it is believed.
public struct InspectedField: Hashable, Sendable {
    /// As the format's manual spells it. What no manual names, since it follows from other fields, is in lower case.
    public let name: String
    /// `nil` where the field is nothing but its parts.
    public let value: InspectedValue?
    /// What the value means, for people; it is not in the JSON.
    public let meaning: String?
    public let parts: [InspectedField]
    /// Whether the parts are numbered rather than named.
    public let isList: Bool

    init(_ name: String, _ value: InspectedValue?, _ meaning: String? = nil, parts: [InspectedField] = []) {
        self.name = name
        self.value = value
        self.meaning = meaning
        self.parts = parts
        isList = false
    }

    init(_ name: String, _ meaning: String? = nil, parts: [InspectedField]) {
        self.init(name, nil, meaning, parts: parts)
    }

    private init(list name: String, _ parts: [InspectedField], _ meaning: String?) {
        self.name = name
        value = nil
        self.meaning = meaning
        self.parts = parts
        isList = true
    }

    /// Parts without names of their own.
    static func list(_ name: String, _ parts: [InspectedField], _ meaning: String? = nil) -> InspectedField {
        Self(list: name, parts, meaning)
    }

    /// Whether something in it could not be read.
    public var isMalformed: Bool {
        if case .malformed = value { return true }
        return parts.contains { $0.isMalformed }
    }

    /// A field that is nothing but its parts is an object, or a list; one that has a value too has it as `value`.
    public var json: JSONValue {
        if isList { return .array(parts.map(\.json)) }
        guard let value else { return Self.object(parts) }
        guard !parts.isEmpty else { return value.json }
        return Self.object([InspectedField("value", value)] + parts)
    }

    /// Of two parts with one name, the first counts.
    static func object(_ parts: [InspectedField]) -> JSONValue {
        .object(Dictionary(parts.map { ($0.name, $0.json) }) { first, _ in first })
    }
}

extension InspectedField {
    static func bytes(_ name: String, _ bytes: [UInt8], _ meaning: String? = nil) -> InspectedField {
        Self(name, .bytes(bytes), meaning ?? (!bytes.isEmpty && bytes.allSatisfy { $0 == 0 } ? "zero" : nil))
    }

    static func number(_ name: String, _ number: some UnsignedInteger, _ meaning: String? = nil) -> InspectedField {
        Self(name, .number(UInt64(number)), meaning)
    }

    static func hex(
        _ name: String, _ number: some UnsignedInteger, _ meaning: String? = nil, parts: [InspectedField] = []
    ) -> InspectedField {
        Self(name, .hex(UInt64(number)), meaning, parts: parts)
    }

    static func text(_ name: String, _ text: String, _ meaning: String? = nil) -> InspectedField {
        Self(name, .text(text), meaning)
    }

    /// One bit, and what it means where it is one, or zero.
    static func bit(_ name: String, _ isSet: Bool, _ one: String, else zero: String? = nil) -> InspectedField {
        Self(name, .flag(isSet), isSet ? one : zero)
    }

    /// Bytes that a caller chose: in hexadecimal, and as text where they are printable.
    static func callerBytes(_ name: String, _ bytes: [UInt8], _ meaning: String? = nil) -> InspectedField {
        let text = Printable.text(of: bytes)
        return Self(
            name, .bytes(bytes), meaning ?? (bytes.isEmpty ? "empty" : nil),
            parts: [InspectedField("text", text.map { .text($0) } ?? .absent)])
    }

    /// What reading a part comes to, or why it could not be read.
    static func reading(
        _ name: String, _ body: () throws(MalformedBytes) -> [InspectedField]
    ) -> InspectedField {
        do throws(MalformedBytes) {
            return Self(name, parts: try body())
        } catch {
            return Self(name, .malformed(error.description))
        }
    }
}

/// What a field holds.
public enum InspectedValue: Hashable, Sendable {
    case number(UInt64)
    /// A number whose bits matter.
    case hex(UInt64)
    case bytes([UInt8])
    case text(String)
    case flag(Bool)
    /// As it came.
    case json(JSONValue)
    /// The format has the field, and this file does not.
    case absent
    /// It could not be read; the reason.
    case malformed(String)

    /// Numbers beyond 2^53, which JSON readers do not keep exactly, are texts of decimal digits.
    var json: JSONValue {
        switch self {
        case .number(let number):
            Int(exactly: number).flatMap { $0 <= 1 << 53 ? .integer($0) : nil } ?? .string(String(number))
        case .hex(let number): .string("0x" + String(number, radix: 16))
        case .bytes(let bytes): .string(Hex.encode(bytes))
        case .text(let text): .string(text)
        case .flag(let flag): .bool(flag)
        case .json(let json): json
        case .absent: .null
        case .malformed(let reason): ["malformed": .string(reason)]
        }
    }
}

enum Printable {
    /// The text that bytes hold, without zeros at its end; `nil` unless all of it is printable ASCII.
    static func text(of bytes: [UInt8]) -> String? {
        let content = bytes.dropLast(bytes.reversed().prefix { $0 == 0 }.count)
        guard !content.isEmpty, content.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
        return String(decoding: content, as: UTF8.self)
    }
}
