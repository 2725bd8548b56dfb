// SPDX-License-Identifier: Apache-2.0
package import HTTPTypes

/// What tells a submission that is sent again from another one (draft-ietf-httpapi-idempotency-key-header): a string in
/// quotation marks, as the draft has it, or the same text bare, as many clients send it.
package struct IdempotencyKey: Hashable, Sendable {
    package static let maximumLength = 255
    package let text: String

    /// `nil` where the request has none. Throws where it has two, and where the text is not 1 to 255 visible characters
    /// of ASCII.
    package init?(_ headers: HTTPFields) throws(Refusal) {
        let values = headers[values: .idempotencyKey]
        guard let value = values.first else { return nil }
        guard values.count == 1 else { throw .malformed("Idempotency-Key stands twice") }
        guard let text = Self.unquoted(value), (1...Self.maximumLength).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw .malformed(
                "Idempotency-Key must have 1 to \(Self.maximumLength) visible ASCII characters, bare or between quotation "
                    + "marks with nothing after them; 32 random hexadecimal digits are a good one")
        }
        self.text = text
    }

    /// RFC 9651, section 4.2.5; `nil` where a quotation mark begins a string that is none.
    private static func unquoted(_ value: String) -> String? {
        guard value.first == "\"" else { return value }
        var bytes: [UInt8] = []
        var rest = value.utf8.dropFirst()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return rest.isEmpty ? String(decoding: bytes, as: UTF8.self) : nil }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = rest.popFirst(), [UInt8(ascii: "\\"), UInt8(ascii: "\"")].contains(escaped) else {
                return nil
            }
            bytes.append(escaped)
        }
        return nil
    }
}
