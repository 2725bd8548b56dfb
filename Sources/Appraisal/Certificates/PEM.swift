// SPDX-License-Identifier: Apache-2.0
package import ByteCoding

/// Textual encodings of certificates and lists (RFC 7468).
package enum PEM {
    /// More blocks are refused.
    package static let maximumBlocks = 16
    /// A larger text is refused, in bytes.
    package static let maximumSize = 2 << 20

    /// The contents of all blocks where the bytes are PEM, and the bytes themselves otherwise.
    package static func orDER(_ bytes: [UInt8], label: String) throws(MalformedBytes) -> [[UInt8]] {
        let start = bytes.drop { isBlank($0) || isNewline($0) }
        guard start.starts(with: "-----BEGIN".utf8) else { return [bytes] }
        return try decode(bytes, label: label)
    }

    /// The contents of all blocks. Zeros at the end are let pass, as are blank lines.
    ///
    /// Throws at another label, base64 that is not strict, and text outside the blocks.
    package static func decode(_ bytes: [UInt8], label: String) throws(MalformedBytes) -> [[UInt8]] {
        guard bytes.count <= maximumSize else { throw malformed("\(bytes.count) bytes, at most \(maximumSize)") }
        let begin = Array("-----BEGIN \(label)-----".utf8)
        let end = Array("-----END \(label)-----".utf8)
        var blocks: [[UInt8]] = []
        var body: [UInt8]?
        for line in bytes.dropLast(bytes.reversed().prefix { $0 == 0 }.count).split(whereSeparator: isNewline) {
            let line = trimmed(line)
            if line.isEmpty { continue }
            if body == nil {
                guard line.elementsEqual(begin) else { throw malformed("'\(shown(line))' outside a \(label)") }
                body = []
            } else if line.elementsEqual(end) {
                guard blocks.count < maximumBlocks else { throw malformed("more than \(maximumBlocks) blocks") }
                blocks.append(try Base64.decode(String(decoding: body ?? [], as: UTF8.self)))
                body = nil
            } else {
                body?.append(contentsOf: line)
            }
        }
        guard body == nil else { throw malformed("a \(label) without its end") }
        guard !blocks.isEmpty else { throw malformed("no \(label)") }
        return blocks
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    private static func isNewline(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let start = line.drop(while: isBlank)
        return start.dropLast(start.reversed().prefix(while: isBlank).count)
    }

    private static func shown(_ line: ArraySlice<UInt8>) -> String { String(decoding: line.prefix(40), as: UTF8.self) }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "PEM", offset: 0, reason: reason)
    }
}
