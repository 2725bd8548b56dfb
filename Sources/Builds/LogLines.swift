// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Cuts the output of a build into the lines of its log: valid UTF-8 (bad bytes become U+FFFD), without terminal
/// escapes, without the line end, without rows of combining characters that readers of the events refuse, at most
/// ``maximumLength`` bytes each. What exceeds that is dropped and said so at the line's end. Memory is bounded whatever
/// arrives.
public struct LogLines: Sendable {
    /// UTF-8 bytes of one line.
    public static let maximumLength = 16 * 1024
    static let cutMark = " […]"

    private var line: [UInt8] = []
    private var isCut = false
    private var escape = TerminalEscape()

    public init() {}

    /// Takes more output and returns the lines that it completes.
    public mutating func lines(from bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0A {
                lines.append(endLine())
            } else if escape.keeps(byte) {
                append(byte)
            }
        }
        return lines
    }

    /// The last line, where it had no end.
    public mutating func finish() -> String? {
        line.isEmpty && !isCut ? nil : endLine()
    }

    /// Whether a text could be one of these lines.
    public static func isLine(_ text: String) -> Bool {
        text.utf8.count <= maximumLength && !text.unicodeScalars.contains(where: isControl) && text.hasBoundedMarks
    }

    private mutating func append(_ byte: UInt8) {
        if line.count < Self.maximumLength {
            line.append(byte)
        } else {
            isCut = true
        }
    }

    private mutating func endLine() -> String {
        defer {
            line.removeAll(keepingCapacity: true)
            isCut = false
            escape = TerminalEscape()
        }
        if line.last == 0x0D { line.removeLast() }
        let text = Self.text(line).boundingMarks
        guard isCut || text.utf8.count > Self.maximumLength else { return text }
        return Self.cut(text) + Self.cutMark
    }

    /// Control characters other than the tab become U+FFFD too: a log line is shown on terminals.
    private static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var clean = String.UnicodeScalarView()
        clean.append(contentsOf: text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 })
        return String(clean)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: false
        case 0..<0x20, 0x7F...0x9F: true
        default: false
        }
    }

    private static func cut(_ text: String) -> String {
        let room = maximumLength - cutMark.utf8.count
        var end = text.utf8.index(text.startIndex, offsetBy: room, limitedBy: text.endIndex) ?? text.endIndex
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}

/// Drops ECMA-48 escape sequences: CSI (`ESC [ … letter`), OSC and the other string sequences (`ESC ] … BEL` or
/// `ESC \`), and two-byte escapes.
struct TerminalEscape: Sendable {
    private enum State { case text, escape, control, string, stringEscape }
    private var state = State.text

    mutating func keeps(_ byte: UInt8) -> Bool {
        switch state {
        case .text:
            guard byte == 0x1B else { return true }
            state = .escape
        case .escape: state = Self.stateAfterEscape(byte)
        case .control: if (0x40...0x7E).contains(byte) { state = .text }
        case .string:
            if byte == 0x07 { state = .text }
            if byte == 0x1B { state = .stringEscape }
        case .stringEscape: state = byte == UInt8(ascii: "\\") ? .text : .string
        }
        return false
    }

    private static func stateAfterEscape(_ byte: UInt8) -> State {
        switch byte {
        case UInt8(ascii: "["): .control
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"): .string
        case 0x20...0x2F, 0x1B: .escape
        default: .text
        }
    }
}
