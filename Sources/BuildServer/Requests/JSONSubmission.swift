// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import StrictJSON

/// The JSON form of a submission, read as it arrives: the string of `source_data` is decoded on the way and never
/// held; everything else, a few hundred bytes, is kept and parsed strictly when the body is over.
package struct JSONSubmission: SubmissionParser {
    /// Bytes of the body without the archive; more is refused.
    package static let maximumRest = 64 << 10
    private static let archiveKey = "source_data"

    /// Where the scanner stands. Only strings matter to it: the strict parser judges the rest.
    private enum State {
        case outside
        case string
        case stringEscape
        case archive
        case archiveEscape
        /// Hexadecimal digits of `\uXXXX` so far.
        case archiveUnicode(value: UInt32, digits: Int)
    }

    private var state = State.outside
    /// The body with the archive's characters left out.
    private var rest: [UInt8] = []
    private var depth = 0
    /// Where in `rest` the string being read starts, quotation mark included.
    private var stringStart = 0
    /// Set between a key of the outermost object and its value.
    private var key: String?
    private var expectsKey = false
    private var base64 = Base64Stream()
    private var hasArchive = false

    package init() {}

    package mutating func parse(_ bytes: UnsafeRawBufferPointer, emit: (SubmissionPart) -> Void) throws(Refusal) {
        var index = 0
        var decoded: [UInt8] = []
        while index < bytes.count {
            if case .archive = state {
                let end = Self.endOfRun(in: bytes, from: index)
                try decode(UnsafeRawBufferPointer(rebasing: bytes[index..<end]), into: &decoded)
                index = end
                guard index < bytes.count else { break }
            }
            try take(bytes[index], emit: emit, into: &decoded)
            index += 1
        }
        if !decoded.isEmpty { emit(.archive(decoded)) }
    }

    package mutating func finish(emit: (SubmissionPart) -> Void) throws(Refusal) {
        guard !rest.isEmpty else { throw .malformed("the body is empty; send a JSON object with nonce and a source") }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: rest)
        } catch {
            throw .malformed("the body is not JSON: \(error.reason)")
        }
        guard case .object(let members) = value else { throw .malformed("the body must be a JSON object") }
        if hasArchive {
            do {
                try base64.finish()
            } catch {
                throw .malformed("source_data is not base64: \(error.reason)")
            }
        }
        for name in ["nonce", "repo_url", "repo_ref", "source_name"] {
            switch members[name] {
            case .string(let text): emit(.field(name, text))
            case nil, .null: break
            default: throw .malformed("\(name) must be a string")
            }
        }
        guard hasArchive || members[Self.archiveKey] == nil || members[Self.archiveKey] == .null else {
            throw .malformed("source_data must be a string of base64")
        }
    }

    private mutating func take(
        _ byte: UInt8, emit: (SubmissionPart) -> Void, into decoded: inout [UInt8]
    ) throws(Refusal) {
        switch state {
        case .outside: try takeOutside(byte, emit: emit)
        case .string:
            try keep(byte)
            if byte == UInt8(ascii: "\\") { state = .stringEscape }
            if byte == UInt8(ascii: "\"") { endString() }
        case .stringEscape:
            try keep(byte)
            state = .string
        case .archive:
            if byte == UInt8(ascii: "\"") {
                try keep(byte)
                (state, key) = (.outside, nil)
            } else {
                state = .archiveEscape
            }
        case .archiveEscape: try takeEscape(byte, into: &decoded)
        case .archiveUnicode(let value, let digits): try takeUnicode(byte, value, digits, into: &decoded)
        }
    }

    private mutating func takeOutside(_ byte: UInt8, emit: (SubmissionPart) -> Void) throws(Refusal) {
        try keep(byte)
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            expectsKey = depth == 1 && byte == UInt8(ascii: "{")
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: ","):
            if depth == 1 { (expectsKey, key) = (true, nil) }
        case UInt8(ascii: "\""):
            stringStart = rest.count - 1
            state = .string
            if depth == 1, !expectsKey, key == Self.archiveKey {
                guard !hasArchive else { throw .malformed("source_data stands twice") }
                hasArchive = true
                emit(.archiveBegins(name: nil))
                state = .archive
            }
        default: break
        }
    }

    private mutating func endString() {
        state = .outside
        guard depth == 1, expectsKey else { return }
        expectsKey = false
        key = (try? JSONValue(parsing: Array(rest[stringStart...])))?.stringValue
    }

    private mutating func keep(_ byte: UInt8) throws(Refusal) {
        guard rest.count < Self.maximumRest else {
            throw .malformed("the fields beside source_data are longer than \(Self.maximumRest) bytes")
        }
        rest.append(byte)
    }

    private mutating func decode(_ characters: UnsafeRawBufferPointer, into decoded: inout [UInt8]) throws(Refusal) {
        do {
            try base64.decode(characters, into: &decoded)
        } catch {
            throw .malformed("source_data is not base64: \(error.reason), at character \(error.offset)")
        }
    }
}

extension JSONSubmission {
    /// Up to the quotation mark or backslash that ends a run of plain characters.
    private static func endOfRun(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\") { end += 1 }
        return end
    }

    /// Many encoders write `/` as `\/`, and folded lines as `\n`.
    private mutating func takeEscape(_ byte: UInt8, into decoded: inout [UInt8]) throws(Refusal) {
        state = .archive
        switch byte {
        case UInt8(ascii: "/"): try decode(character: byte, into: &decoded)
        case UInt8(ascii: "n"), UInt8(ascii: "r"): break
        case UInt8(ascii: "u"): state = .archiveUnicode(value: 0, digits: 0)
        default: throw .malformed("source_data is not base64: an escape that stands for no character of base64")
        }
    }

    private mutating func takeUnicode(
        _ byte: UInt8, _ value: UInt32, _ digits: Int, into decoded: inout [UInt8]
    ) throws(Refusal) {
        guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
            throw .malformed("source_data has a \\u escape without four hexadecimal digits")
        }
        let value = value << 4 | UInt32(digit)
        guard digits == 3 else {
            state = .archiveUnicode(value: value, digits: digits + 1)
            return
        }
        state = .archive
        try decode(character: UInt8(exactly: value) ?? 0, into: &decoded)
    }

    private mutating func decode(character: UInt8, into decoded: inout [UInt8]) throws(Refusal) {
        do {
            try withUnsafeBytes(of: character) { characters throws(MalformedBytes) in
                try base64.decode(characters, into: &decoded)
            }
        } catch {
            throw .malformed("source_data is not base64: \(error.reason), at character \(error.offset)")
        }
    }
}
