// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Testing

/// One change to what a verifier would accept, and all the codes that refuse it.
struct TDXRow: Sendable, CustomTestStringConvertible {
    let name: String
    let change: @Sendable (inout TDXMade) -> Void
    let codes: [String]

    init(_ name: String, _ codes: String..., change: @escaping @Sendable (inout TDXMade) -> Void) {
        self.name = name
        self.change = change
        self.codes = codes.sorted()
    }

    var testDescription: String { name }

    func check() throws {
        var made = TDXMade()
        change(&made)
        let result = try made.appraise()
        #expect(result.codeNames == codes)
        guard case .accepted = result.verdict else { return }
        #expect(codes.isEmpty && result.lines.allSatisfy { $0.status != .failed })
    }
}
