// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// One block of a file of textual encodings (RFC 7468), whatever its label.
struct PEMBlock {
    let label: String
    let der: [UInt8]

    /// Throws where ``PEM/decode(_:label:)`` would throw at one of them.
    static func all(in bytes: [UInt8]) throws(MalformedBytes) -> [PEMBlock] {
        var blocks: [PEMBlock] = []
        var rest = bytes.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
        while rest.contains(where: { $0 != 0 && $0 != 0x20 && !(0x09...0x0D).contains($0) }) {
            guard blocks.count < CollateralSet.maximumFiles else { throw malformed("too many blocks") }
            let (label, end) = try bounds(of: rest)
            let content = try PEM.decode(Array(rest[..<end]), label: label)
            blocks.append(PEMBlock(label: label, der: content[0]))
            rest = rest[end...]
        }
        return blocks
    }

    /// The label of the first block, and where its last line ends.
    private static func bounds(of bytes: ArraySlice<UInt8>) throws(MalformedBytes) -> (String, Int) {
        var start: String?
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let end = bytes[index...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.endIndex
            let line = String(decoding: bytes[index..<end], as: UTF8.self)
            if let label = start {
                if line.hasPrefix("-----END \(label)-----") { return (label, end) }
            } else if line.hasPrefix("-----BEGIN "), let label = label(line) {
                start = label
            } else if !line.isEmpty {
                throw malformed("'\(line.prefix(40))' outside a block")
            }
            index = end < bytes.endIndex ? end + 1 : end
        }
        throw malformed("a block without its end")
    }

    private static func label(_ line: String) -> String? {
        guard line.hasSuffix("-----"), line.utf8.count > 16 else { return nil }
        return String(line.dropFirst("-----BEGIN ".count).dropLast(5))
    }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "PEM", offset: 0, reason: reason)
    }
}
