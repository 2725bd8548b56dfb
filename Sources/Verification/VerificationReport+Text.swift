// SPDX-License-Identifier: Apache-2.0
internal import Appraisal

extension VerificationReport {
    /// The report for a terminal: one screen, right without colours. Whatever the bundle says is shown without
    /// control characters, and cut where it is long; ``json`` holds it whole.
    public func text(colour: Bool) -> String {
        let style = TextStyle(isColoured: colour)
        var text = headline(style) + "\n\n"
        text += lines.map { Self.line($0, style) }.joined()
        text += Self.section("why", (findings + obstacles).map(Self.reason), most: Self.mostReasons)
        text += Self.section("proved", proves, most: Self.mostReasons)
        text += Self.section("not proved", doesNotProve, most: Self.mostReasons)
        return text
    }

    /// Reasons shown; the rest is counted.
    private static let mostReasons = 4
    /// Characters of one line.
    private static let width = 140

    private func headline(_ style: TextStyle) -> String {
        let platform = platform.map { ", platform '\(TextStyle.plain($0, most: 20))'" } ?? ""
        return switch verdict {
        case .verified: style.green("VERIFIED") + platform
        case .refused: style.red("REFUSED") + platform
        case .notChecked: style.yellow("COULD NOT CHECK") + platform
        }
    }

    private static func line(_ line: ReportLine, _ style: TextStyle) -> String {
        let name = line.name + String(repeating: " ", count: max(0, 11 - line.name.count))
        let compared = TextStyle.plain(TextStyle.withShortDigests(line.compared), most: width)
        return "  \(mark(line.status, style))  \(line.step) \(name)  \(compared)\n"
    }

    private static func mark(_ status: ReportLine.Status, _ style: TextStyle) -> String {
        switch status {
        case .passed: style.green("ok  ")
        case .failed: style.red("FAIL")
        case .notChecked: "-   "
        case .cannotCheck: style.yellow("?   ")
        }
    }

    private static func reason(_ finding: Finding) -> String { "\(finding.code.rawValue): \(finding.remedy)" }

    private static func section(_ title: String, _ sentences: [String], most: Int) -> String {
        guard !sentences.isEmpty else { return "" }
        var text = "\n\(title):\n"
        for sentence in sentences.prefix(most) { text += "  \(TextStyle.plain(sentence, most: width + 60))\n" }
        if sentences.count > most { text += "  and \(sentences.count - most) more (--json shows all)\n" }
        return text
    }
}

/// ANSI colours where they are wanted, and text that cannot do harm on a terminal.
private struct TextStyle {
    let isColoured: Bool

    func green(_ text: String) -> String { paint(text, 32) }
    func red(_ text: String) -> String { paint(text, 31) }
    func yellow(_ text: String) -> String { paint(text, 33) }

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

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
