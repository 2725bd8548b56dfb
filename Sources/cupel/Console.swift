// SPDX-License-Identifier: Apache-2.0
import Foundation
import StrictJSON

/// Standard output and standard error of this process. Results go to the first, all else to the second.
enum Console {
    /// One line, or several, of a result.
    static func print(_ text: String) { write(text + "\n", to: 1) }

    /// One line of JSON.
    static func print(_ json: JSONValue) { print(String(decoding: json.canonicalBytes, as: UTF8.self)) }

    /// One line about what is going on.
    static func note(_ text: String) { write(text + "\n", to: 2) }

    static func warn(_ text: String) { note("cupel: warning: \(text)") }

    /// Text as it is; a reader that has gone away is no error.
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Whether to use colours (no-color.org).
    static func usesColour(_ descriptor: Int32) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        return isTerminal(descriptor) && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }

    /// Red on a terminal's standard error.
    static func red(_ text: String) -> String { usesColour(2) ? "\u{1B}[31m\(text)\u{1B}[0m" : text }

    /// Columns of the terminal behind standard error; 80 where there is none.
    static var width: Int {
        var size = winsize()
        guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Text of others without what a terminal would obey.
    static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var clean = String.UnicodeScalarView()
        clean.append(contentsOf: text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 })
        return String(clean)
    }

    /// Control characters but the tab, and those that reorder text or break lines.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: false
        case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
