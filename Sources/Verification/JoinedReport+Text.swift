// SPDX-License-Identifier: Apache-2.0
internal import Appraisal

extension JoinedReport {
    /// The report for a terminal: a line for each bundle, then what was compared between them. The report of one bundle
    /// is had by verifying it alone, or from ``json``.
    public func text(colour: Bool) -> String {
        let style = TextStyle(isColoured: colour)
        let verified = parts.count { $0.report.verdict == .verified }
        var text = "\(style.headline(verdict)) together: \(verified) of \(parts.count) bundles verify\n\n"
        for part in parts.prefix(Self.mostParts) { text += Self.line(part, style) }
        if parts.count > Self.mostParts {
            text += "  and \(parts.count - Self.mostParts) more (--json shows all)\n"
        }
        text += "\n" + lines.map { VerificationReport.line($0, style) }.joined()
        text += VerificationReport.section(
            "why", (findings + obstacles + partFindings).map(VerificationReport.reason),
            most: VerificationReport.mostReasons)
        guard verdict == .verified else { return text }
        text += VerificationReport.section("not proved", doesNotProve, most: VerificationReport.mostReasons)
        return text
    }

    private static let mostParts = 8

    /// Bundles that did not verify count as reasons only where the whole does not.
    private var partFindings: [Finding] {
        verdict == .verified ? [] : parts.flatMap { $0.report.findings + $0.report.obstacles }
    }

    /// Each sentence once.
    private var doesNotProve: [String] {
        var sentences: [String] = []
        for sentence in parts.flatMap(\.report.doesNotProve) where !sentences.contains(sentence) {
            sentences.append(sentence)
        }
        return sentences
    }

    private static func line(_ part: Part, _ style: TextStyle) -> String {
        let codes = (part.report.findings + part.report.obstacles).prefix(3).map(\.code.rawValue)
        let reasons = codes.isEmpty ? "" : ": " + codes.joined(separator: ", ")
        return
            "  \(TextStyle.plain(part.name, most: 60))  \(part.report.headline(style))\(TextStyle.plain(reasons, most: 90))\n"
    }
}
