// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

@Suite struct VerificationReportTests {
    @Test func theTextFitsOneScreen() throws {
        let text = try MadeBundle().verify().text(colour: false)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 24)
        #expect(lines[0] == "VERIFIED, platform 'software'")
        #expect(text.contains("anything about the machine"))
        #expect(lines.prefix(14).allSatisfy { $0.count <= 120 })
        #expect(text.contains("\nproved:\n") && text.contains("\nnot proved:\n"))
    }

    @Test func colourIsAllThatColoursAdd() throws {
        var refused = MadeBundle()
        refused.touched = { $0.add("more") }
        for report in [try MadeBundle().verify(), try refused.verify()] {
            let plain = report.text(colour: false)
            var coloured = report.text(colour: true)
            #expect(!plain.contains("\u{1B}") && coloured.contains("\u{1B}["))
            for code in [0, 31, 32, 33] { coloured = coloured.replacing("\u{1B}[\(code)m", with: "") }
            #expect(coloured == plain)
        }
    }

    @Test func aRefusalNamesItsReasonAndTheRemedy() throws {
        var bundle = MadeBundle()
        bundle.touched = { $0.change("artifacts/probe") { $0.sha256 = Digest256(of: [0]) } }
        let text = try bundle.verify().text(colour: false)
        #expect(text.hasPrefix("REFUSED"))
        #expect(text.contains("FAIL  6 artifacts") && text.contains("artifacts/probe: expected SHA-256"))
        #expect(text.contains("\nwhy:\n  file.digest: do not use the file"))
        #expect(!text.contains("proved:"))
    }

    @Test func manyReasonsAreCounted() throws {
        var bundle = MadeBundle()
        bundle.touched = { contents in (0..<1000).forEach { contents.add("more\($0)") } }
        let report = try bundle.verify()
        #expect(report.findings.count == 1000)
        let text = report.text(colour: false)
        #expect(text.contains("and 996 more (--json shows all)"))
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 24)
    }

    @Test(arguments: ["\u{1B}[2J", "\r", "\n", "\u{9B}1m", "\u{202E}", "\u{2028}", "\u{7}"])
    func whatABundleSaysCannotHarmATerminal(text: String) throws {
        var bundle = MadeBundle()
        bundle.touched = { $0.add("more\(text)") }
        #expect(try !bundle.verify().text(colour: false).contains("more\(text)"))
        bundle = MadeBundle()
        bundle.facts.source.descriptor.uri = "git+https://e.org/\(text)"
        let report = try bundle.verify()
        #expect(report.exitCode == 0 && !report.text(colour: false).contains("e.org/\(text)"))
    }

    @Test func longTextsAreCut() throws {
        var bundle = MadeBundle()
        bundle.touched = { $0.add(String(repeating: "x", count: 5000)) }
        let lines = try bundle.verify().text(colour: false).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 220 })
    }

    @Test func theJSONHoldsTheWholeReport() throws {
        let report = try MadeBundle().verify(nonce: "abcd", acceptSoftware: false)
        let json = try JSONValue(parsing: report.json.canonicalBytes)
        #expect(
            json.objectValue?.keys.sorted() == [
                "dates", "doesNotProve", "evidence", "exitCode", "findings", "lines", "links", "machine", "obstacles",
                "platform", "provenance", "proves", "slsaBuildLevel", "subjects", "verdict",
            ])
        #expect(json["machine"] == "neither measured nor confidential")
        #expect(json["verdict"] == "refused" && json["exitCode"] == 1 && json["platform"] == "software")
        #expect(json["lines"]?.arrayValue?.count == report.lines.count)
        #expect(json["findings"]?.arrayValue?.first?["code"] == "software.not-accepted")
        #expect(json["subjects"]?.arrayValue?.first?["name"] == "lib/l.so")
        #expect(try MadeBundle().verify().json["verdict"] == "verified")
    }
}
