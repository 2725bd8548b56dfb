// SPDX-License-Identifier: Apache-2.0
import Foundation
import StrictJSON

/// Standard output and standard error of this process. Results go to the first, all else to the second.
enum Console {
    /// One line, or several, of a result.
    static func print(_ text: String) { write(text + "\n", to: 1) }

    /// One line of JSON, in which what a terminal would obey is escaped.
    static func print(_ json: JSONValue) { print(escaped(String(decoding: json.canonicalBytes, as: UTF8.self))) }

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

    /// JSON with every such character as `\u` and four digits: they stand only within strings there.
    private static func escaped(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: isControl) else { return json }
        return json.unicodeScalars.map { scalar in
            guard isControl(scalar) else { return String(scalar) }
            return String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }.joined()
    }

    /// Characters, other than the tab, that control, reorder, hide or break what is shown, and those that Unicode has
    /// not given a meaning.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value == 0x09 { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }
}
