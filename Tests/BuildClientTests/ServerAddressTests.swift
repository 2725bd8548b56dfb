// SPDX-License-Identifier: Apache-2.0
import BuildClient
import Testing

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://localhost:8080//", "http://localhost:8080"),
        ("HTTPS://builds.example/cupel/", "https://builds.example/cupel"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ])
    func addressesLoseTheirLastSlash(given: String, text: String) throws {
        #expect(try ServerAddress(given).text == text)
    }

    @Test(arguments: [
        "", "localhost:8080", "ftp://host", "http://", "http:///path", "http://user@host", "http://host/?q=1",
        "http://host/#part", "http://ho st", "http://host\n", "http://h\u{F6}st", "file:///etc/passwd",
    ])
    func whatIsNoAddressIsRefused(given: String) {
        #expect(throws: BuildClientError.self) { try ServerAddress(given) }
    }

    @Test(arguments: ["0123456789abcdef0123456789abcdef", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "job_1.x"])
    func jobIDsOfAnyServerAreTaken(id: String) throws {
        #expect(try RemoteJob(id: id).id == id)
    }

    @Test(arguments: ["", "..", ".x", "a/b", "a?b", "a b", "a%2f", "é", String(repeating: "a", count: 129)])
    func jobIDsThatCouldLeaveTheirPlaceInAPathAreRefused(id: String) {
        #expect(throws: BuildClientError.self) { try RemoteJob(id: id) }
    }
}
