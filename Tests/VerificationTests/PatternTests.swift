// SPDX-License-Identifier: Apache-2.0
import Testing
import Verification

@Suite struct PatternTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("a", "a", true), ("a", "A", false), ("a", "aa", false), ("*", "", true),
        ("*", "abc", true), ("*", "a/b", false), ("**", "a/b/c", true), ("***", "a/b", true), ("a*c", "abbc", true),
        ("a*c", "ab/c", false), ("a**c", "ab/c", true), ("*a", "aaa", true), ("*a*", "bab", true),
        ("*a*", "bbb", false),
        ("refs/tags/v*", "refs/tags/v1.2", true), ("refs/tags/v*", "refs/tags/v1/x", false),
        ("refs/tags/v*", "refs/heads/v1", false), ("https://e.org/**", "https://e.org/a/b", true),
        ("https://e.org/**", "https://e.org.evil/a", false), ("a?c", "abc", false), ("a?c", "a?c", true),
        ("a.c", "abc", false), ("[ab]", "a", false), ("\\*", "\\x", true), ("\\*", "*", false),
        ("caf\u{E9}", "cafe\u{301}", false), ("*", "\u{1F600}", true), ("a*b*c*d", "aXbXcXd", true),
        ("*/*", "a/b", true),
        ("*/*", "a/b/c", false), ("a**b*c", "a/x/bc", true),
    ])
    func starsStandForWhatTheyShould(pattern: String, text: String, matches: Bool) {
        #expect(Pattern(pattern).matches(text) == matches)
    }

    /// Would take for ever by trying one place for each star after the other.
    @Test func manyStarsAreNoBurden() {
        let pattern = Pattern(String(repeating: "*a", count: 200) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }
}
