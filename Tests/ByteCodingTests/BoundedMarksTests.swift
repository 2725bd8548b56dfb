// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing

@Suite struct BoundedMarksTests {
    private func marks(_ count: Int) -> String { String(repeating: "\u{301}", count: count) }

    @Test func ordinaryTextIsBounded() {
        for text in ["", "a", "é", "e\u{301}", "한국어", "ภาษาไทยน้ำ", "עִבְרִית", "👩‍👩‍👧‍👦"] {
            #expect(text.hasBoundedMarks, "\(text)")
        }
    }

    @Test func rowsAreCountedFromCharacterToCharacter() {
        let most = String.maximumMarks
        #expect(("a" + marks(most)).hasBoundedMarks && marks(most).hasBoundedMarks)
        #expect(String(repeating: "a" + marks(most), count: 100).hasBoundedMarks)
        #expect(!("a" + marks(most + 1)).hasBoundedMarks && !(marks(most + 1) + "a").hasBoundedMarks)
        #expect(!("a" + marks(most) + "\u{316}" + "a").hasBoundedMarks)
    }

    /// Their marks are beyond U+FFFF, and of another class than those above.
    @Test func allPlanesAreLookedAt() {
        #expect(!String(repeating: "\u{1D165}", count: String.maximumMarks + 1).hasBoundedMarks)
        #expect(!String(repeating: "\u{5B0}", count: String.maximumMarks + 1).hasBoundedMarks)
    }
}
