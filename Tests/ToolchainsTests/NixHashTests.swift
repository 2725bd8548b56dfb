// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Testing
import Toolchains

@Suite struct NixHashTests {
    private static let hex = "bd23963e713838c9d69315962f556958edb6fa0a4bc0c42d0c7b6c4f81eed56c"
    private static let nix32 = "0v6mxs0lyv3v1hnw9h2b1bxbdvaqd5ajz5hmjgbcjf1qf4z9c8xx"
    private static let base64 = "vSOWPnE4OMnWkxWWL1VpWO22+gpLwMQtDHtsT4Hu1Ww="

    @Test(arguments: ["sha256:\(hex)", "sha256:\(nix32)", "sha256:\(base64)", "sha256-\(base64)", hex, nix32, base64])
    func allSpellingsAreTheSameHash(_ text: String) throws {
        let hash = try NixHash(text, algorithm: .sha256)
        #expect(hash.hex == Self.hex)
        #expect(hash.sri == "sha256-\(Self.base64)")
    }

    @Test(arguments: NixHash.Algorithm.allCases)
    func everyAlgorithmHasItsOwnLength(_ algorithm: NixHash.Algorithm) throws {
        let bytes = (0..<algorithm.size).map { UInt8(truncatingIfNeeded: $0 * 37 + 200) }
        for text in [Hex.encode(bytes), Base64.encode(bytes)] {
            #expect(try NixHash(text, algorithm: algorithm).bytes == bytes)
        }
        #expect(throws: MalformedBytes.self) { try NixHash(algorithm, bytes: bytes + [0]) }
        #expect(throws: MalformedBytes.self) { try NixHash(Hex.encode(bytes.dropLast()), algorithm: algorithm) }
    }

    @Test(.enabled(if: TestNix.isInstalled, "nix is not installed"), arguments: NixHash.Algorithm.allCases)
    func nixWritesAndReadsTheSame(_ algorithm: NixHash.Algorithm) throws {
        for seed in [1, 77, 250] {
            let bytes = (0..<algorithm.size).map { UInt8(truncatingIfNeeded: ($0 + 3) * seed) }
            let text = try TestNix.output(
                "nix-hash", ["--type", algorithm.rawValue, "--to-base32", Hex.encode(bytes)])
            #expect(try NixHash(text, algorithm: algorithm).bytes == bytes)
        }
    }

    static let refused: [(String, String)] = [
        ("nothing", ""), ("no hash", "sha256-"), ("no algorithm", "-" + base64),
        ("an unknown algorithm", "blake3-" + base64), ("another algorithm", "sha512:" + hex),
        ("upper-case digits", "sha256:" + hex.uppercased()), ("an upper-case algorithm", "SHA256-" + base64),
        ("no padding", "sha256-" + base64.dropLast()), ("too much padding", "sha256-" + base64 + "="),
        ("hexadecimal as SRI", "sha256-" + hex), ("base 32 as SRI", "sha256-" + nix32),
        ("bits beyond the last byte", "sha256-vSOWPnE4OMnWkxWWL1VpWO22+gpLwMQtDHtsT4Hu1Wx="),
        ("bits beyond the last byte in base 32", "sha256:" + "2" + nix32.dropFirst()),
        ("a letter that base 32 has not", "sha256:" + nix32.dropLast() + "e"),
        ("a digit that is none", "sha256:" + hex.dropLast() + "g"), ("white space", "sha256-" + base64 + " "),
        ("an option of SRI", "sha256-" + base64 + "?x"), ("two hashes", "sha256-\(base64) sha256-\(base64)"),
        ("letters beyond ASCII", "sha256:" + String(repeating: "é", count: 32)),
    ]

    @Test(arguments: refused)
    func textThatIsNoHashIsRefused(_ what: String, _ text: String) {
        #expect(throws: MalformedBytes.self, "\(what)") { try NixHash(text, algorithm: .sha256) }
    }

    @Test func aHashAloneNeedsAnAlgorithm() {
        #expect(throws: MalformedBytes.self) { try NixHash(Self.hex) }
    }
}
