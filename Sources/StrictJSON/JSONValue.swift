// SPDX-License-Identifier: Apache-2.0

/// A JSON text (RFC 8259) within the I-JSON profile (RFC 7493): unique keys, valid Unicode, IEEE 754 numbers.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// Finite: neither infinities nor NaN can be written in JSON.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// A whole number; JSON's numbers are exact up to 2^53.
    public static func integer(_ value: Int) -> JSONValue { .number(Double(value)) }
}

extension JSONValue {
    /// The member called `key`; `nil` where this is no object or has no such member.
    public subscript(key: String) -> JSONValue? { objectValue?[key] }

    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var numberValue: Double? { if case .number(let value) = self { value } else { nil } }
    public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    public var objectValue: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }

    /// The number, where it is whole and exactly representable (at most 2^53 either way).
    public var integerValue: Int? {
        guard let number = numberValue, number.magnitude <= 9_007_199_254_740_992 else { return nil }
        return Int(exactly: number)
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements))
    }
}
