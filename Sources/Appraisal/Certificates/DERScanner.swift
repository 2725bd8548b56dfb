// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Reads DER elements one after another, in place: for the long, flat lists of Intel's, of which a tree would be made
/// only to be thrown away (ITU-T X.690; definite lengths, tags of one byte).
struct DERScanner {
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let enumerated: UInt8 = 0x0A
    static let sequence: UInt8 = 0x30
    /// Context-specific, constructed: [0].
    static let explicit0: UInt8 = 0xA0

    let bytes: [UInt8]
    private let format: String
    private(set) var offset: Int
    private let end: Int

    init(_ bytes: [UInt8], format: String) {
        self.init(bytes, 0..<bytes.count, format: format)
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>, format: String) {
        self.bytes = bytes
        self.format = format
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }

    /// `nil` at the end.
    var nextTag: UInt8? { isAtEnd ? nil : bytes[offset] }

    /// The content of the next element, which must have this tag.
    mutating func content(_ tag: UInt8, _ field: String) throws(MalformedBytes) -> Range<Int> {
        let element = try next(field)
        guard element.tag == tag else {
            throw malformed(field, "an element of type \(element.tag), expected \(tag)")
        }
        return element.content
    }

    /// A scanner of what the next element holds, which must be a SEQUENCE.
    mutating func sequence(_ field: String) throws(MalformedBytes) -> DERScanner {
        try scanner(Self.sequence, field)
    }

    /// A scanner of what the next element holds, which must have this tag.
    mutating func scanner(_ tag: UInt8, _ field: String) throws(MalformedBytes) -> DERScanner {
        DERScanner(bytes, try content(tag, field), format: format)
    }

    /// The next element whole, with its tag and length.
    mutating func element(_ field: String) throws(MalformedBytes) -> [UInt8] {
        let start = offset
        _ = try next(field)
        return Array(bytes[start..<offset])
    }

    /// The same, which must have this tag.
    mutating func element(_ tag: UInt8, _ field: String) throws(MalformedBytes) -> [UInt8] {
        let start = offset
        _ = try content(tag, field)
        return Array(bytes[start..<offset])
    }

    /// The content octets of an INTEGER, in the fewest bytes.
    mutating func integer(_ field: String) throws(MalformedBytes) -> [UInt8] {
        let octets = Array(bytes[try content(Self.integer, field)])
        guard let first = octets.first else { throw malformed(field, "a number without bytes") }
        if octets.count > 1, first == (octets[1] < 0x80 ? 0x00 : 0xFF) {
            throw malformed(field, "a number that is not in the fewest bytes")
        }
        return octets
    }

    mutating func next(_ field: String) throws(MalformedBytes) -> (tag: UInt8, content: Range<Int>) {
        guard end - offset >= 2 else { throw malformed(field, "an element expected") }
        let tag = bytes[offset]
        guard tag & 0x1F != 0x1F else { throw malformed(field, "a tag of several bytes") }
        var length = Int(bytes[offset + 1])
        var start = offset + 2
        if length >= 0x80 {
            let count = length & 0x7F
            guard (1...3).contains(count), end - start >= count, bytes[start] != 0 else {
                throw malformed(field, "a length that is not DER")
            }
            length = bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0x80 else { throw malformed(field, "a length that is not the shortest") }
            start += count
        }
        guard end - start >= length else { throw malformed(field, "\(length) bytes needed, \(end - start) left") }
        offset = start + length
        return (tag, start..<start + length)
    }

    /// A number that is not negative, in the fewest bytes.
    mutating func unsigned(_ field: String, maximum: Int) throws(MalformedBytes) -> Int {
        let range = try content(Self.integer, field)
        let digits = bytes[range]
        guard let first = digits.first, first < 0x80, digits.count <= 4,
            digits.count == 1 || first != 0 || bytes[range.lowerBound + 1] >= 0x80
        else { throw malformed(field, "not a small number") }
        let value = digits.reduce(0) { $0 << 8 | Int($1) }
        guard value <= maximum else { throw malformed(field, "\(value), at most \(maximum)") }
        return value
    }

    mutating func octets(_ field: String, count: Int) throws(MalformedBytes) -> [UInt8] {
        let range = try content(Self.octetString, field)
        guard range.count == count else { throw malformed(field, "\(range.count) bytes, expected \(count)") }
        return Array(bytes[range])
    }

    func finish(_ field: String) throws(MalformedBytes) {
        guard isAtEnd else { throw malformed(field, "\(end - offset) bytes beyond the end") }
    }

    func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: offset, reason: reason)
    }
}
