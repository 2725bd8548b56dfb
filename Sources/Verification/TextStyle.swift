// SPDX-License-Identifier: Apache-2.0

/// ANSI colours where they are wanted, and text that cannot do harm on a terminal.
struct TextStyle {
    let isColoured: Bool

    func green(_ text: String) -> String { paint(text, 32) }
    func red(_ text: String) -> String { paint(text, 31) }
    func yellow(_ text: String) -> String { paint(text, 33) }

    func headline(_ verdict: VerificationReport.Verdict) -> String {
        switch verdict {
        case .verified: green("VERIFIED")
        case .refused: red("REFUSED")
        case .notChecked: yellow("COULD NOT CHECK")
        }
    }

    private func paint(_ text: String, _ code: Int) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// `text` with control, format and line-breaking characters replaced, and cut after `most` characters.
    static func plain(_ text: String, most: Int) -> String {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(most) { clean.append(isHarmless(scalar) ? scalar : "\u{FFFD}") }
        return String(clean) + (text.unicodeScalars.count > most ? "…" : "")
    }

    /// Every run of 40 hexadecimal digits or more cut to its first 16.
    static func withShortDigests(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            let digits = word.prefix { $0.isASCII && $0.isHexDigit }
            return digits.count < 40 ? String(word) : digits.prefix(16) + "…" + word.dropFirst(digits.count)
        }.joined(separator: " ")
    }

    /// No control or format character, and none that some readers take for a line break.
    static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
