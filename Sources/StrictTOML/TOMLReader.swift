// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// Reads one TOML document: lines, headers, keys and the tables that they make. Values are in an extension.
struct TOMLReader {
    /// UTF-8, as was checked.
    let bytes: [UInt8]
    private let name: String
    var offset = 0

    init(_ bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
    }

    mutating func document() throws(MalformedBytes) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        let root = TOMLTable(.header, depth: 0)
        var current = root
        while true {
            try skipBlank(lines: true)
            guard let byte = peek() else { return root.json }
            if byte == UInt8(ascii: "[") {
                current = try header(in: root)
            } else {
                try keyAndValue(into: current)
            }
            try endLine()
        }
    }

    // MARK: Tables

    /// `[a.b]` or `[[a.b]]`: the table that the lines below it belong to.
    private mutating func header(in root: TOMLTable) throws(MalformedBytes) -> TOMLTable {
        let start = offset
        offset += 1
        let isList = take("[")
        let path = try key(depth: 0)
        guard take("]"), !isList || take("]") else { throw malformed("']' expected") }
        var table = root
        for part in path.dropLast() { table = try inner(part, of: table, at: start) }
        guard let last = path.last else { throw malformed("a key expected") }
        let depth = table.depth + (isList ? 2 : 1)
        guard depth <= TOMLDocument.maximumDepth else { throw tooDeep() }
        switch (table.members[last], isList) {
        case (nil, _):
            let new = TOMLTable(.header, depth: depth)
            table.members[last] = isList ? .tables(TOMLTables(new)) : .table(new)
            return new
        case (.tables(let list), true):
            let new = TOMLTable(.header, depth: depth)
            list.tables.append(new)
            return new
        case (.table(let old), false) where old.origin == .implicit:
            old.origin = .header
            return old
        default: throw twice(last, at: start)
        }
    }

    /// The table through which a header goes.
    private func inner(_ part: String, of table: TOMLTable, at start: Int) throws(MalformedBytes) -> TOMLTable {
        switch table.members[part] {
        case .table(let inner): return inner
        case .tables(let list):
            if let last = list.tables.last { return last }
            throw twice(part, at: start)
        case .value: throw twice(part, at: start)
        case nil:
            guard table.depth < TOMLDocument.maximumDepth else { throw tooDeep() }
            let new = TOMLTable(.implicit, depth: table.depth + 1)
            table.members[part] = .table(new)
            return new
        }
    }

    /// A line or a member of an inline table: `a.b = 1`.
    mutating func keyAndValue(into current: TOMLTable) throws(MalformedBytes) {
        let start = offset
        let path = try key(depth: current.depth)
        guard take("=") else { throw malformed("'=' expected") }
        var table = current
        for part in path.dropLast() {
            switch table.members[part] {
            case .table(let inner) where inner.origin != .header:
                inner.origin = .dotted
                table = inner
            case nil:
                let new = TOMLTable(.dotted, depth: table.depth + 1)
                table.members[part] = .table(new)
                table = new
            default: throw twice(part, at: start)
            }
        }
        guard let last = path.last else { throw malformed("a key expected") }
        guard table.members[last] == nil else { throw twice(last, at: start) }
        try skipBlank(lines: false)
        table.members[last] = .value(try value(depth: table.depth + 1))
    }

    // MARK: Keys

    /// The parts of a key, and the blanks around it.
    private mutating func key(depth: Int) throws(MalformedBytes) -> [String] {
        var parts: [String] = []
        repeat {
            try skipBlank(lines: false)
            guard depth + parts.count < TOMLDocument.maximumDepth else { throw tooDeep() }
            parts.append(try keyPart())
            try skipBlank(lines: false)
        } while take(".")
        return parts
    }

    private mutating func keyPart() throws(MalformedBytes) -> String {
        switch peek() {
        case UInt8(ascii: "\""): return try basicString()
        case UInt8(ascii: "'"): return try literalString()
        default:
            let start = offset
            while let byte = peek(), isWord(byte) { offset += 1 }
            guard offset > start else { throw malformed("a key expected") }
            return text(start..<offset)
        }
    }

    private func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    // MARK: Blanks and lines

    /// Spaces and tabs; with `lines` also line ends and comments.
    mutating func skipBlank(lines: Bool) throws(MalformedBytes) {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): offset += 1
            case UInt8(ascii: "#") where lines: try skipComment()
            case 0x0A where lines: offset += 1
            case 0x0D where lines && peek(1) == 0x0A: offset += 2
            default: return
            }
        }
    }

    private mutating func skipComment() throws(MalformedBytes) {
        while let byte = peek(), byte != 0x0A, !(byte == 0x0D && peek(1) == 0x0A) {
            guard !isControl(byte) else { throw malformed("a control character in a comment") }
            offset += 1
        }
    }

    private mutating func endLine() throws(MalformedBytes) {
        try skipBlank(lines: false)
        if peek() == UInt8(ascii: "#") { try skipComment() }
        guard offset == bytes.count || takeLineEnd() else { throw malformed("the end of the line expected") }
    }

    mutating func takeLineEnd() -> Bool {
        if take("\n") { return true }
        guard peek() == 0x0D, peek(1) == 0x0A else { return false }
        offset += 2
        return true
    }

    // MARK: Bytes

    func peek(_ ahead: Int = 0) -> UInt8? { offset + ahead < bytes.count ? bytes[offset + ahead] : nil }

    mutating func take(_ letter: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: letter) else { return false }
        offset += 1
        return true
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// All but the tab.
    func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != 0x09 || byte == 0x7F }

    // MARK: Errors

    func malformed(_ reason: String, at place: Int? = nil) -> MalformedBytes {
        let place = place ?? offset
        let line = bytes[..<place].count { $0 == 0x0A } + 1
        return MalformedBytes(format: "\(name) line \(line)", offset: place, reason: reason)
    }

    func tooDeep() -> MalformedBytes { malformed("nested deeper than \(TOMLDocument.maximumDepth) levels") }

    private func twice(_ key: String, at place: Int) -> MalformedBytes {
        malformed("the key '\(shown(key))' has a value or a table already", at: place)
    }

    /// A text for a message: control characters as U+FFFD, at most 100 characters.
    func shown(_ text: String) -> String {
        let start = text.unicodeScalars.prefix(100)
        var shown = String.UnicodeScalarView()
        shown.append(contentsOf: start.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 })
        return String(shown) + (start.endIndex < text.endIndex ? "…" : "")
    }
}
