// SPDX-License-Identifier: Apache-2.0

/// The `multipart/form-data` form of a submission (RFC 7578), read as it arrives.
package struct MultipartSubmission: SubmissionParser {
    static let maximumHeaders = 8 << 10
    static let maximumField = 8 << 10
    static let maximumParts = 32
    /// Field names of the form and what they are called inside.
    private static let fields = [
        "nonce": "nonce", "repo_url": "repo_url", "ref": "repo_ref", "repo_ref": "repo_ref",
        "source_name": "source_name",
    ]

    private enum State {
        /// Before the first boundary.
        case preamble
        /// After a boundary: a line end for another part, `--` for the end.
        case boundary
        case headers
        case field(name: String)
        case archive
        case ignored
        /// After the last boundary.
        case epilogue
    }

    /// A line end, two hyphens and the boundary.
    private let delimiter: [UInt8]
    private var state = State.preamble
    /// What has arrived and is not yet understood; a line end is put before the body so that a boundary at its very
    /// start is like any other.
    private var pending: [UInt8] = [0x0D, 0x0A]
    private var field: [UInt8] = []
    private var seen: Set<String> = []
    private var parts = 0

    /// `nil` where `boundary` is none (RFC 2046, section 5.1.1).
    package init?(boundary: String) {
        let bytes = Array(boundary.utf8)
        let isWellFormed = bytes.allSatisfy { (0x20...0x7E).contains($0) } && bytes.last != 0x20
        guard (1...70).contains(bytes.count), isWellFormed else { return nil }
        delimiter = Array("\r\n--".utf8) + bytes
    }

    package mutating func parse(_ bytes: UnsafeRawBufferPointer, emit: (SubmissionPart) -> Void) throws(Refusal) {
        if case .epilogue = state { return }
        pending.append(contentsOf: bytes)
        while try step(emit: emit) {}
    }

    package mutating func finish(emit: (SubmissionPart) -> Void) throws(Refusal) {
        guard case .epilogue = state else { throw .malformed("the form breaks off before its last boundary") }
    }

    /// Returns whether more can be understood without more input.
    private mutating func step(emit: (SubmissionPart) -> Void) throws(Refusal) -> Bool {
        switch state {
        case .preamble, .field, .archive, .ignored: return try stepContent(emit: emit)
        case .boundary: return try stepBoundary()
        case .headers: return try stepHeaders(emit: emit)
        case .epilogue:
            pending = []
            return false
        }
    }

    private mutating func stepContent(emit: (SubmissionPart) -> Void) throws(Refusal) -> Bool {
        let end = ByteSearch.first(delimiter, in: pending)
        let count = end ?? ByteSearch.startOfPartialMatch(delimiter, in: pending)
        try take(count, emit: emit)
        guard end != nil else { return false }
        if case .field(let name) = state { try endField(name, emit: emit) }
        pending.removeFirst(delimiter.count)
        state = .boundary
        return true
    }

    /// Takes `count` bytes of the part that is being read.
    private mutating func take(_ count: Int, emit: (SubmissionPart) -> Void) throws(Refusal) {
        switch state {
        case .field(let name):
            guard field.count + count <= Self.maximumField else {
                throw .malformed("the field \(name) is longer than \(Self.maximumField) bytes")
            }
            field.append(contentsOf: pending[..<count])
        case .archive: if count > 0 { emit(.archive(Array(pending[..<count]))) }
        default: break
        }
        pending.removeFirst(count)
    }

    private mutating func endField(_ name: String, emit: (SubmissionPart) -> Void) throws(Refusal) {
        guard let text = String(validating: field, as: UTF8.self) else {
            throw .malformed("the field \(name) is not UTF-8")
        }
        guard seen.insert(name).inserted else { throw .malformed("the field \(name) stands twice") }
        field = []
        emit(.field(name, text))
    }

    private mutating func stepBoundary() throws(Refusal) -> Bool {
        let padding = pending.prefix { $0 == 0x20 || $0 == 0x09 }.count
        guard padding <= 64, pending.count >= padding + 2 else {
            guard padding <= 64 else { throw .malformed("a boundary of the form is followed by something else") }
            return false
        }
        let mark = [pending[padding], pending[padding + 1]]
        switch mark {
        case [0x0D, 0x0A]:
            parts += 1
            guard parts <= Self.maximumParts else {
                throw .malformed("the form has more than \(Self.maximumParts) parts")
            }
            // The line end stays: it belongs to the blank line where a part has no headers.
            pending.removeFirst(padding)
            state = .headers
        case Array("--".utf8) where padding == 0: state = .epilogue
        default: throw .malformed("a boundary of the form is followed by something else")
        }
        return true
    }

    private mutating func stepHeaders(emit: (SubmissionPart) -> Void) throws(Refusal) -> Bool {
        guard let end = ByteSearch.first(Array("\r\n\r\n".utf8), in: pending) else {
            guard pending.count <= Self.maximumHeaders else {
                throw .malformed("a part of the form has headers longer than \(Self.maximumHeaders) bytes")
            }
            return false
        }
        guard let headers = PartHeaders(pending[..<end]) else {
            throw .malformed("a part of the form has no content-disposition of the kind form-data with a name")
        }
        pending.removeFirst(end + 4)
        try begin(headers, emit: emit)
        return true
    }

    private mutating func begin(_ headers: PartHeaders, emit: (SubmissionPart) -> Void) throws(Refusal) {
        if let name = Self.fields[headers.name] {
            state = .field(name: name)
        } else if headers.name == "source" {
            guard seen.insert("source").inserted else { throw .malformed("the field source stands twice") }
            emit(.archiveBegins(name: headers.fileName))
            state = .archive
        } else {
            state = .ignored
        }
    }
}
