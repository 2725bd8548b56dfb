// SPDX-License-Identifier: Apache-2.0
import Machines
import Testing

@Suite struct AptPackagesTests {
    /// Lines of apt 2.6.
    private static let simulation = """
        Reading package lists...
        Inst gcc-12-base (12.2.0-14+deb12u1 Debian:12.15/oldstable [amd64])
        Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64]) []
        Inst libpam0g:amd64 [1.0] (1.5.2-6+deb12u3 Debian:12/oldstable, Debian-Security:12/security [amd64])
        Conf libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])
        """

    @Test func readsWhatWouldBeInstalled() throws {
        let lines = Self.simulation.replacing(" [1.0]", with: "")
        let candidates = try AptPackages.candidates(lines)
        #expect(candidates.map(\.name) == ["gcc-12-base", "libc6", "libpam0g"])
        #expect(candidates.map(\.version) == ["12.2.0-14+deb12u1", "2.36-9+deb12u14", "1.5.2-6+deb12u3"])
        #expect(candidates.allSatisfy { $0.architecture == "amd64" })
    }

    @Test func refusesAnUpgrade() {
        #expect(throws: ImageError.self) { try AptPackages.candidates(Self.simulation) }
    }

    /// Lines of apt 2.6.
    @Test(arguments: [
        ("E: Version '1:2.0' for 'git' was not found", "git", true),
        ("E: Version '1:2.0' for 'git-man' was not found", "git", false),
        ("E: Unable to locate package git", "git", true),
        ("E: Unable to locate package libgit", "git", false),
        (
            "E: Failed to fetch http://mirror/pool/main/g/git/git_2.39_amd64.deb  404  Not Found [IP: ::1 80]", "git",
            true
        ),
        ("E: Failed to fetch http://mirror/pool/main/g/git/git-man_2.39_all.deb  404  Not Found", "git", false),
        ("E: Failed to fetch http://mirror/pool/main/g/git/git_2.39_amd64.deb  Connection timed out", "git", false),
        ("W: Version '1:2.0' for 'git' was not found", "git", false),
    ])
    func knowsWhichPackageVanished(_ line: String, _ name: String, _ isMissing: Bool) {
        #expect(AptPackages.says("W: first\n" + line + "\n", isMissing: name) == isMissing)
    }
}
