// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Machines
import Testing

@Suite struct PackageListTests {
    private static let digest = String(repeating: "0a", count: 32)
    private static let text = """
        [root]
        bash 5.2.15-2+b13 amd64 \(digest)
        libc6 2:2.36-9+deb12u14 amd64 \(digest)

        [tools]
        kmod 30 amd64 \(digest)

        [kernel]
        linux-image-6.12.1-cloud-amd64 6.12.1-1~deb12u1 amd64 \(digest)

        [stub]
        systemd-boot-efi 252 all \(digest)

        """

    @Test func isTheTextThatItWasReadFrom() throws {
        let list = try PackageList(parsing: Self.text)
        #expect(list.text == Self.text)
        #expect(list.all.count == 5)
        #expect(list[.root].map(\.name) == ["bash", "libc6"])
        #expect(list[.root].last?.fileName == "libc6_2%3a2.36-9+deb12u14_amd64.deb")
    }

    @Test func mayHaveRemarks() throws {
        #expect(try PackageList(parsing: "# for people\n\n" + Self.text).text == Self.text)
    }

    @Test(arguments: [
        ("no part", "bash 5 amd64 \(digest)", "no part was named"),
        ("an unknown part", "[roots]", "no part of an image"),
        ("three words", "[root]\nbash 5 amd64", "name, version, architecture and SHA-256"),
        ("two spaces", "[root]\nbash  5 amd64 \(digest)", "name, version, architecture and SHA-256"),
        ("an option for a name", "[root]\n-o 5 amd64 \(digest)", "name, version, architecture and SHA-256"),
        ("a path for a name", "[root]\n../bash 5 amd64 \(digest)", "name, version, architecture and SHA-256"),
        ("a path for a version", "[root]\nbash 5/6 amd64 \(digest)", "name, version, architecture and SHA-256"),
        ("another architecture", "[root]\nbash 5 arm64 \(digest)", "name, version, architecture and SHA-256"),
        ("a short digest", "[root]\nbash 5 amd64 0a0a", "name, version, architecture and SHA-256"),
        ("a digest in capitals", "[root]\nbash 5 amd64 \(digest.uppercased())", "name, version, architecture"),
    ])
    func refusesALine(_ name: String, _ lines: String, _ expected: String) throws {
        #expect { try PackageList(parsing: lines + "\n") } throws: { "\($0)".contains(expected) }
    }

    @Test func refusesAPackageThatStandsTwice() throws {
        let twice = Self.text.replacing("[tools]\n", with: "[tools]\nbash 6 amd64 \(Self.digest)\n")
        #expect { try PackageList(parsing: twice) } throws: { "\($0)".contains("bash stands in the list twice") }
    }

    @Test(arguments: ["kernel", "stub", "tools", "root"]) func refusesAListWithoutAPart(_ part: String) throws {
        var parts = Self.text.split(separator: "\n\n").map(String.init)
        parts.removeAll { $0.hasPrefix("[\(part)]") }
        #expect { try PackageList(parsing: parts.joined(separator: "\n\n")) } throws: {
            "\($0)".contains("has 0 in its part [\(part)]")
        }
    }

    @Test func takesAnotherKernel() throws {
        let kernel = PackageList.Package(
            name: "linux-image-7", version: "7", architecture: "amd64", sha256: Digest256(of: []))
        #expect(try PackageList(parsing: Self.text).with(kernel: kernel)[.kernel] == [kernel])
    }

    @Test func ofThisReleaseIsOne() throws {
        let list = try GuestPackages.pinned()
        for name in GuestPackages.root { #expect(list[.root].contains { $0.name == name }, "\(name)") }
        for name in GuestPackages.tools { #expect(list[.tools].contains { $0.name == name }, "\(name)") }
    }
}
