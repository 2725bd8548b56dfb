// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Testing
import Toolchains

@Suite struct NixStorePathTests {
    private static let hash = "h2yyyy3n173lfb1lvwvi9np77qq4pz75"

    @Test(arguments: ["a", "x.tar.gz.drv", ".hidden", "...", "-a", "a?b=c+d_e-1.2", String(repeating: "a", count: 211)])
    func namesThatNixAllowsAreRead(_ name: String) throws {
        let path = try NixStorePath("/nix/store/\(Self.hash)-\(name)")
        #expect(path.name == name)
        #expect(path.hash == Self.hash)
        #expect(path.description == "/nix/store/\(Self.hash)-\(name)")
        #expect(path.isDerivation == (name == "x.tar.gz.drv"))
    }

    @Test(arguments: [
        "", "/nix/store/", "/nix/store/\(hash)", "/nix/store/\(hash)-", "/nix/store/\(hash)-a/b",
        "/nix/store/\(hash)-a ",
        "/nix/store/\(hash)-é", "/nix/store/\(hash)-.", "/nix/store/\(hash)-..", "/nix/store/\(hash)-.-a",
        "/nix/store/\(hash)-..-a", "/nix/store/\(hash)a-a", "/nix/store/e\(hash.dropFirst())-a",
        "/nix/store/../\(hash)-a",
        "/nix/store//\(hash)-a", "nix/store/\(hash)-a", "/other/store/\(hash)-a", "/nix/store/\(hash)-a\u{0}",
        "/nix/store/\(hash)-" + String(repeating: "a", count: 212), "/nix/store/\(hash.uppercased())-a",
    ])
    func otherPathsAreRefused(_ text: String) {
        #expect(throws: MalformedBytes.self) { try NixStorePath(text) }
    }

    @Test func anotherStoreIsOneOnlyWhereItIsNamed() throws {
        let path = try NixStorePath("/other/store/\(Self.hash)-a", directory: "/other/store")
        #expect(path.description == "/other/store/\(Self.hash)-a")
    }

    @Test(.enabled(if: TestNix.isInstalled, "nix is not installed"), arguments: NixHash.Algorithm.allCases)
    func fixedOutputsGoWhereNixPutsThem(_ algorithm: NixHash.Algorithm) throws {
        let hash = try NixHash(algorithm, bytes: [UInt8](repeating: 0xA5, count: algorithm.size))
        for mode in [NixFixedOutput.Mode.flat, .archive] {
            let path = try NixStorePath(ofFixedOutput: NixFixedOutput(mode: mode, hash: hash), name: "name-1.0")
            let recursive = mode == .archive ? ["--recursive"] : []
            let expected = try TestNix.output(
                "nix-store", ["--print-fixed-path"] + recursive + [algorithm.rawValue, hash.hex, "name-1.0"])
            #expect(path.description == expected)
        }
    }

    @Test func aTextGoesWhereItsReferencesSay() throws {
        let reference = try NixStorePath("/nix/store/\(Self.hash)-a")
        let alone = try NixStorePath(ofText: Array("text".utf8), name: "t", references: [])
        let referring = try NixStorePath(ofText: Array("text".utf8), name: "t", references: [reference])
        #expect(alone.hash != referring.hash)
        #expect(throws: MalformedBytes.self) { try NixStorePath(ofText: [], name: "a/b", references: []) }
    }
}
