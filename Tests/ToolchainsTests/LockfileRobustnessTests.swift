// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import StrictJSON
import Testing
import Toolchains

/// Lockfiles that somebody made to exhaust the reader: each is refused as what it is.
@Suite struct LockfileRobustnessTests {
    private typealias Text = FlakeLockText

    private static func joined(_ count: Int, _ element: (Int) -> String) -> String {
        (0..<count).map(element).joined(separator: ",")
    }

    private static func flake(_ nodes: String, root: String = #""a":"a""#) -> [UInt8] {
        Array(
            #"{"nodes":{\#(nodes)\#(nodes.isEmpty ? "" : ",")"root":{"inputs":{\#(root)}}},"root":"root","version":7}"#
                .utf8)
    }

    /// One node as text.
    private static let node = String(decoding: Text.node().canonicalBytes, as: UTF8.self)

    private static func node(inputs: String) -> String { node.dropLast() + #","inputs":{\#(inputs)}}"# }

    static let flakes: [(String, @Sendable () -> [UInt8])] = [
        ("a million nodes", { flake(joined(1_000_000) { #""\#($0)":\#(node)"# }) }),
        ("as many nodes as fit", { flake(joined(300_000) { #""\#($0)":{}"# }) }),
        (
            "whole nodes beyond the limit",
            { flake(joined(9000) { #""n\#($0)":\#(node)"# }, root: joined(9000) { #""n\#($0)":"n\#($0)""# }) }
        ),
        ("as many inputs as fit", { flake(#""a":\#(node)"#, root: joined(250_000) { #""\#($0)":"a""# }) }),
        ("a million numbers", { Array("[\(joined(1_000_000) { _ in "1" })]".utf8) }),
        ("a long follows", { flake(#""a":\#(node)"#, root: #""a":"a","b":[\#(joined(500_000) { _ in #""a""# })]"#) }),
        (
            "follows of follows",
            {
                flake(
                    #""a":\#(node)"#,
                    root: #""a":"a","f0":["f1"],"# + joined(1000) { #""f\#($0 + 1)":["f\#($0 + 2)"]"# }
                        + #","f1002":["a"]"#)
            }
        ),
        (
            "a deep chain",
            {
                flake(
                    joined(1000) { #""\#($0)":\#(node(inputs: #""i":"\#($0 + 1)""#))"# } + #","1000":\#(node)"#,
                    root: #""a":"0""#)
            }
        ),
        (
            "long names in a chain",
            {
                flake(
                    joined(20) {
                        #""\#($0)":\#(node(inputs: #""\#(String(repeating: "i", count: 256))":"\#($0 + 1)""#))"#
                    } + #","20":\#(node)"#, root: #""a":"0""#)
            }
        ),
        (
            "a cycle of all",
            { flake(joined(2000) { #""\#($0)":\#(node(inputs: #""i":"\#(($0 + 1) % 2000)""#))"# }, root: #""a":"0""#) }
        ),
        ("a key twice", { flake(#""a":\#(node),"a":\#(node)"#) }),
        ("an input twice", { flake(#""a":\#(node)"#, root: #""a":"a","a":"a""#) }),
        ("deep arrays", { Array((String(repeating: "[", count: 2_000_000)).utf8) }),
        ("deep objects", { Array(String(repeating: #"{"a":"#, count: 500_000).utf8) }),
        (
            "deep within a node",
            { flake(#""a":\#(String(repeating: "[", count: 200) + String(repeating: "]", count: 200))"#) }
        ),
        ("a long string", { flake(#""a":"\#(String(repeating: "x", count: 3 << 20))""#) }),
        ("bytes that are no UTF-8", { flake(#""a":\#(node)"#) + [0xFF] }),
        ("a zero", { flake(#""a":\#(node)"#) + [0] }),
        ("another value after it", { flake(#""a":\#(node)"#) + Array("{}".utf8) }),
    ]

    @Test(arguments: flakes.indices)
    func hostileFlakeLocksAreRefused(_ index: Int) {
        let (what, make) = Self.flakes[index]
        let bytes = make()
        #expect(failureKind { _ = try FlakeLock(parsing: bytes) } == .lockfile, "\(what)")
    }

    /// Each of these is one step from a row above.
    @Test func whatIsJustWithinTheLimitsIsRead() throws {
        let wide = Self.flake(
            Self.joined(4000) { #""n\#($0)":\#(Self.node)"# }, root: Self.joined(4000) { #""n\#($0)":"n\#($0)""# })
        #expect(try FlakeLock(parsing: wide).inputs.count == 4000)
        let deep = Self.flake(
            Self.joined(60) { #""\#($0)":\#(Self.node(inputs: #""i":"\#($0 + 1)""#))"# } + #","60":\#(Self.node)"#,
            root: #""a":"0""#)
        #expect(try FlakeLock(parsing: deep).inputs.count == 61)
        let many = Self.flake(#""a":\#(Self.node)"#, root: Self.joined(30_000) { #""\#($0)":"a""# })
        #expect(try FlakeLock(parsing: many).inputs.first?.names.count == 30_000)
        let nodes = 60
        let diamond = Self.flake(
            Self.joined(nodes) { #""\#($0)":\#(Self.node(inputs: #""i":"\#($0 + 1)","j":"\#($0 + 1)""#))"# }
                + #","\#(nodes)":\#(Self.node)"#, root: #""a":"0""#)
        #expect(try FlakeLock(parsing: diamond).inputs.allSatisfy { $0.names.count <= 2 })
    }

    @Test(
        .enabled(if: Shared.has("vectors/locks"), "the shared vectors are not there"),
        arguments: ["alejandra", "hydra"])
    func everyTruncationOfARealFlakeLockIsRefused(_ name: String) throws {
        let path = Shared.root + "/vectors/locks/\(name).flake.lock"
        let bytes = Array(try #require(FileManager.default.contents(atPath: path)))
        for length in stride(from: 0, to: bytes.count - 1, by: 97) {
            #expect(failureKind { _ = try FlakeLock(parsing: Array(bytes[..<length])) } == .lockfile, "\(length) bytes")
        }
    }

    static let cargo: [(String, @Sendable () -> String)] = [
        ("a million packages", { packages(1_000_000) { "\($0)" } }),
        ("the same package as often as it fits", { packages(100_000) { _ in "1" } }),
        (
            "a million dependencies",
            {
                "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = ["
                    + joined(1_000_000) { _ in "\"b\"" } + "]\n"
            }
        ),
        ("a million keys", { "version = 4\n" + (0..<600_000).map { "k\($0) = 1\n" }.joined() }),
        ("a million tables", { "version = 4\n" + (0..<600_000).map { "[t\($0)]\n" }.joined() }),
        ("a million empty packages", { "version = 4\n" + String(repeating: "[[package]]\n", count: 600_000) }),
        ("a million numbers", { "version = [" + joined(1_000_000) { _ in "1" } + "]\n" }),
        ("deep arrays", { "version = " + String(repeating: "[", count: 2_000_000) }),
        ("deep tables", { "version = " + String(repeating: "{a=", count: 1_000_000) }),
        ("a deep key", { String(repeating: "a.", count: 2_000_000) + "a = 1\n" }),
        ("a key twice", { "version = 4\nversion = 4\n" }),
        ("a long string", { "version = \"" + String(repeating: "x", count: 7 << 20) + "\"\n" }),
        ("a long comment", { "# " + String(repeating: "x", count: 7 << 20) }),
    ]

    private static func packages(_ count: Int, _ name: (Int) -> String) -> String {
        "version = 4\n" + (0..<count).map { "[[package]]\nname = \"a\(name($0))\"\nversion = \"1.0.0\"\n" }.joined()
    }

    @Test(arguments: cargo.indices)
    func hostileCargoLocksAreRefused(_ index: Int) {
        let (what, make) = Self.cargo[index]
        let bytes = Array(make().utf8)
        #expect(failureKind { _ = try CargoLockfile(parsing: bytes) } == .lockfile, "\(what)")
    }
}
