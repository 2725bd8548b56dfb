// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing

@Suite struct SpellingTests {
    @Test(arguments: [("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("snp", "spn", 2)])
    func distanceCountsLetters(left: String, right: String, distance: Int) {
        #expect(Spelling.distance(left, right) == distance && Spelling.distance(right, left) == distance)
    }

    @Test func theNearestNameIsFound() {
        #expect(Spelling.nearest(to: "platfroms", among: ["version", "platforms", "snp"]) == "platforms")
        #expect(Spelling.nearest(to: "x", among: []) == nil)
    }

    @Test func longNamesAreCut() {
        #expect(Spelling.distance(String(repeating: "a", count: 100_000), String(repeating: "a", count: 99_999)) == 0)
    }
}
