// SPDX-License-Identifier: Apache-2.0
internal import Appraisal

extension VerificationReport {
    /// The report for a terminal: one screen, right without colours. Whatever the bundle says is shown without
    /// control characters, and cut where it is long; ``json`` holds it whole.
    public func text(colour: Bool) -> String {
        let style = TextStyle(isColoured: colour)
        var text = headline(style) + "\n\n"
        text += Self.condensed(lines).map { Self.line($0, style) }.joined()
        text += Self.section("why", (findings + obstacles).map(Self.reason), most: Self.mostReasons)
        text += Self.section("proved", proves, most: Self.mostReasons)
        text += Self.section("not proved", doesNotProve, most: Self.mostReasons)
        return text
    }

    /// Reasons shown; the rest is counted.
    static let mostReasons = 4
    /// Characters of one line.
    private static let width = 140

    /// Lines that one screen has room for; the policy's are joined into one where there are more.
    private static let mostLines = 13

    /// What a policy asked for and got is one line where there is much of it.
    private static func condensed(_ lines: [ReportLine]) -> [ReportLine] {
        guard lines.count > mostLines else { return lines }
        let met = lines.filter { $0.step == 7 && $0.status == .passed && policyNames.contains($0.name) }
        guard let last = met.last, met.count > 1 else { return lines }
        let names = met.map(\.name).joined(separator: ", ")
        var joined = ReportRecorder()
        joined.pass(7, "policy", "as wanted: \(names) (--json says what was compared)")
        return lines.flatMap { $0 == last ? joined.lines : met.contains($0) ? [] : [$0] }
    }

    private static let policyNames: Set<String> = [
        "source", "builder", "build type", "isolation", "toolchain", "network", "age",
    ]

    func headline(_ style: TextStyle) -> String { style.headline(verdict) + Self.named(platform) }

    /// With what it does not promise, where readers might think that it does.
    static func named(_ platform: String?) -> String {
        guard let platform else { return "" }
        let words = platform == Platform.vtpm.rawValue ? " (\(Platform.vtpm.machine))" : ""
        return ", platform '\(TextStyle.plain(platform, most: 20))'\(words)"
    }

    static func line(_ line: ReportLine, _ style: TextStyle) -> String {
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

    static func reason(_ finding: Finding) -> String { "\(finding.code.rawValue): \(finding.remedy)" }

    static func section(_ title: String, _ sentences: [String], most: Int) -> String {
        guard !sentences.isEmpty else { return "" }
        var text = "\n\(title):\n"
        for sentence in sentences.prefix(most) { text += "  \(TextStyle.plain(sentence, most: width + 60))\n" }
        if sentences.count > most { text += "  and \(sentences.count - most) more (--json shows all)\n" }
        return text
    }
}
