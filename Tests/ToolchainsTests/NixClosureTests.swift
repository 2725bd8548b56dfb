// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing
import Toolchains

/// What a store path of this machine needs, by the names of other store paths in its files.
@Suite struct NixClosureTests {
    private static func name(_ digit: Character, _ name: String) -> String {
        "\(String(repeating: digit, count: 32))-\(name)"
    }

    private let names = [
        "0": name("0", "nix"), "1": name("1", "glibc"), "2": name("2", "unrelated"), "3": name("3", "sh"),
    ]

    @Test func namesInFilesAndLinksAreFollowed() throws {
        let store = try TestProject()
        let nix = try #require(names["0"]), glibc = try #require(names["1"]), shell = try #require(names["3"])
        try store.write("\(nix)/bin/nix", "\u{0}\u{1}interpreter \(store.root)/\(glibc)/lib/ld.so\u{0}")
        try store.link("\(nix)/libexec", to: "\(store.root)/\(shell)/bin")
        try store.write("\(glibc)/lib/ld.so", "\(store.root)/\(glibc) itself, and \(store.root)/")
        try store.write("\(shell)/bin/sh", String(repeating: "/", count: 4096))
        try store.write("\(try #require(names["2"]))/file", "\(store.root)/\(nix)")
        let found = try NixClosure.references(from: nix, store: store.root)
        #expect(found == [nix: [glibc, shell], glibc: [glibc], shell: []])
    }

    @Test func aPathThatIsNotThereIsRefused() throws {
        let store = try TestProject()
        #expect(
            failureKind { _ = try NixClosure.references(from: Self.name("0", "nix"), store: store.root) }
                == .unsupportedToolchain)
    }
}
