// SPDX-License-Identifier: Apache-2.0
package import ByteCoding

/// Textual encodings of certificates and lists (RFC 7468).
package enum PEM {
    /// More blocks are refused.
    package static let maximumBlocks = 16

    /// The contents of all blocks. Zeros at the end are let pass, as are lines between blocks that are blank.
    ///
    /// Throws at another label, base64 that is not strict, and text outside the blocks.
    package static func decode(_ bytes: [UInt8], label: String) throws(MalformedBytes) -> [[UInt8]] {
        let content = bytes.dropLast(bytes.reversed().prefix { $0 == 0 }.count)
        guard let text = String(validating: content, as: UTF8.self) else { throw malformed("not UTF-8") }
        var blocks: [[UInt8]] = []
        var body: String?
        for line in text.split(whereSeparator: \.isNewline).map({ trimmed($0) }) where !line.isEmpty {
            switch (line, body) {
            case ("-----BEGIN \(label)-----", nil): body = ""
            case ("-----END \(label)-----", let base64?):
                guard blocks.count < maximumBlocks else { throw malformed("more than \(maximumBlocks) blocks") }
                blocks.append(try Base64.decode(base64))
                body = nil
            case (_, nil): throw malformed("'\(line.prefix(40))' outside a \(label)")
            case (_, let base64?): body = base64 + line
            }
        }
        guard body == nil else { throw malformed("a \(label) without its end") }
        guard !blocks.isEmpty else { throw malformed("no \(label)") }
        return blocks
    }

    private static func trimmed(_ line: Substring) -> String {
        String(line.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "PEM", offset: 0, reason: reason)
    }
}
