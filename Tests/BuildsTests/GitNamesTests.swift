// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing

@Suite struct GitURLTests {
    @Test(arguments: [
        ("https://example.com/a/b.git", "example.com", 443, "b"),
        ("http://example.com/b/", "example.com", 80, "b"),
        ("HTTPS://Example.COM:8443/b", "example.com", 8443, "b"),
        ("https://[2001:db8::1]:80/b", "2001:db8::1", 80, "b"),
        ("https://[::1]/b", "::1", 443, "b"),
        ("https://example.com", "example.com", 443, "example.com"),
        ("https://example.com/.git", "example.com", 443, "git"),
        ("https://example.com/a%20b", "example.com", 443, "a-20b"),
        ("https://127.0.0.1/b", "127.0.0.1", 443, "b"),
    ])
    func webAddressesAreAccepted(text: String, host: String, port: Int, name: String) throws {
        let url = try GitURL(text)
        #expect(url.host == host && url.port == port && url.repositoryName == name)
        #expect(url.text == text && ["https", "http"].contains(url.scheme))
    }

    @Test(arguments: [
        "", "example.com/a", "/etc", "file:///etc", "ssh://h/a", "git://h/a", "git@h:a", "ext::sh -c id", "ftp://h/a",
        "--upload-pack=x", "-https://h/a", "https:/h/a", "https://", "https:///a", "https://u@h/a", "https://u:p@h/a",
        "https://h@/a", "https://h:0/a", "https://h:65536/a", "https://h:x/a", "https://h:/a", "https://h:+80/a",
        "https://h:-1/a", "https://h:99999999999999999999/a", "https://h/a b", "https://h/a\n", "https://h\\a",
        "https://h/é", "https://é/a", "https://h/a?b", "https://h/a#b", "https://h?/a", "https://-h/a",
        "https://[::1/a",
        "https://h%2f/a", " https://h/a", "https://h/" + String(repeating: "a", count: 2048),
    ])
    func everythingElseIsRefused(text: String) {
        #expect(throws: InvalidRequest.self) { try GitURL(text) }
    }
}

@Suite struct GitRefTests {
    @Test(arguments: [
        "main", "v1.0", "feature/x", "refs/heads/main", "refs/tags/v1", "a-b_c", "é", "HEAD",
        "0123456789abcdef0123456789abcdef01234567",
    ])
    func namesThatGitAllowsAreAccepted(text: String) throws {
        #expect(try GitRef(text).text == text)
    }

    @Test(arguments: [
        "", "-x", "--upload-pack=x", "a..b", "a b", "a~1", "a^", "a^{}", "a:b", ":a", "a?", "a*", "a[", "a\\b", "@",
        "a@{1}", "@{-1}", "a.lock", "a.lock/b", ".a", "a/.b", "/a", "a/", "a//b", "a.", "a\n", "a\u{7F}", "a\u{0}",
        String(repeating: "a", count: 256), "-\u{301}x", "a..\u{301}b", "a\u{600}..b", "a/\u{301}x\u{600}.lock",
        "a\u{600}//b", "a\u{600}/.b", "/\u{301}a", "a@\u{301}{1}b/.\u{301}", "a\u{600}.",
    ])
    func everythingElseIsRefused(text: String) {
        #expect(throws: InvalidRequest.self) { try GitRef(text) }
    }

    @Test(arguments: [
        (String(repeating: "a", count: 40), true), (String(repeating: "0", count: 64), true),
        (String(repeating: "a", count: 39), false), (String(repeating: "a", count: 41), false),
        (String(repeating: "g", count: 40), false), ("main", false),
    ])
    func onlyAWholeObjectIDIsACommit(text: String, isCommit: Bool) throws {
        #expect(try GitRef(text).isCommit == isCommit)
    }
}

@Suite struct ArchiveNameTests {
    @Test(arguments: [
        ("project.tar.gz", "project"), ("project.TGZ", "project"), ("a.zip", "a"), ("a.tar", "a"), ("a", "a"),
        ("../../etc/passwd.zip", "passwd"), ("C:\\x\\y.zip", "y"), ("..", "source"), (".", "source"), ("", "source"),
        ("---.zip", "source"), (".hidden.zip", "hidden"), ("a b;$(id).zip", "a-b---id-"), ("é.zip", "source"),
        ("a/.zip", "source"), (String(repeating: "a", count: 200), String(repeating: "a", count: 100)),
    ])
    func theFolderNameIsSafe(text: String, folder: String) throws {
        #expect(try ArchiveName(text).folderName == folder)
    }

    @Test(arguments: ["a\nb", "a\u{0}", "a\u{7F}", "\u{1B}[31m", String(repeating: "a", count: 256)])
    func hostileNamesAreRefused(text: String) {
        #expect(throws: InvalidRequest.self) { try ArchiveName(text) }
    }
}

@Suite struct NonceTests {
    @Test(arguments: ["00", "ff17", "AbCd", "00112233445566778899aabbccddeeff"])
    func oneToSixteenBytesAreANonce(hex: String) throws {
        #expect(try Nonce(hex: hex).hex == hex.lowercased())
    }

    @Test(arguments: ["", "0", "0x00", "zz", " 00", "00112233445566778899aabbccddeeff00", "é"])
    func everythingElseIsRefused(hex: String) {
        #expect(throws: InvalidRequest.self) { try Nonce(hex: hex) }
    }
}

@Suite struct JobIDTests {
    @Test func anIDIsThirtyTwoDigits() {
        #expect(JobID(high: 0, low: 1).text == "00000000000000000000000000000001")
        #expect(JobID(high: .max, low: 0).text == "ffffffffffffffff0000000000000000")
        #expect(JobID(JobID(high: 12, low: 34).text) == JobID(high: 12, low: 34))
    }

    @Test(arguments: [
        "", "0", "0000000000000000000000000000000", "000000000000000000000000000000000",
        "0000000000000000000000000000000A", "../0000000000000000000000000000a", "000000000000000000000000000000é",
    ])
    func everythingElseIsNone(text: String) {
        #expect(JobID(text) == nil)
    }
}
