// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import StrictJSON
import Testing
import Toolchains

/// Lockfiles that somebody made to exhaust the reader: each is refused for what its name says, and nothing else.
/// `Benchmarks/lockfiles` measures time and memory.
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

    static let flakes: [(what: String, says: String, make: @Sendable () -> [UInt8])] = [
        ("a million nodes", "more than 4194304 bytes", { flake(joined(1_000_000) { #""\#($0)":\#(node)"# }) }),
        ("as many nodes as fit", "more than 8192 nodes", { flake(joined(300_000) { #""\#($0)":{}"# }) }),
        (
            "whole nodes beyond the limit", "more than 8192 nodes",
            { flake(joined(9000) { #""n\#($0)":\#(node)"# }, root: joined(9000) { #""n\#($0)":"n\#($0)""# }) }
        ),
        (
            "as many inputs as fit", "more than 32768 inputs",
            { flake(#""a":\#(node)"#, root: joined(250_000) { #""\#($0)":"a""# }) }
        ),
        ("a million numbers", "the file is no object", { Array("[\(joined(1_000_000) { _ in "1" })]".utf8) }),
        (
            "a long follows", "no array of at most 64 names",
            { flake(#""a":\#(node)"#, root: #""a":"a","b":[\#(joined(500_000) { _ in #""a""# })]"#) }
        ),
        (
            "follows of follows", "follows itself, or too many others",
            {
                flake(
                    #""a":\#(node)"#,
                    root: #""a":"a","f0":["f1"],"# + joined(1000) { #""f\#($0 + 1)":["f\#($0 + 2)"]"# }
                        + #","f1002":["a"]"#)
            }
        ),
        (
            "a deep chain", "more than 64 inputs are within each other",
            {
                flake(
                    joined(1000) { #""\#($0)":\#(node(inputs: #""i":"\#($0 + 1)""#))"# } + #","1000":\#(node)"#,
                    root: #""a":"0""#)
            }
        ),
        (
            "long names in a chain", "is too long",
            {
                flake(
                    joined(20) {
                        #""\#($0)":\#(node(inputs: #""\#(String(repeating: "i", count: 256))":"\#($0 + 1)""#))"#
                    } + #","20":\#(node)"#, root: #""a":"0""#)
            }
        ),
        (
            "a cycle of all", "is an input of itself",
            { flake(joined(2000) { #""\#($0)":\#(node(inputs: #""i":"\#(($0 + 1) % 2000)""#))"# }, root: #""a":"0""#) }
        ),
        ("a key twice", "the key 'a' stands twice", { flake(#""a":\#(node),"a":\#(node)"#) }),
        ("an input twice", "the key 'a' stands twice", { flake(#""a":\#(node)"#, root: #""a":"a","a":"a""#) }),
        ("deep arrays", "nested deeper than", { Array((String(repeating: "[", count: 2_000_000)).utf8) }),
        ("deep objects", "nested deeper than", { Array(String(repeating: #"{"a":"#, count: 500_000).utf8) }),
        (
            "deep within a node", "nested deeper than",
            { flake(#""a":\#(String(repeating: "[", count: 200) + String(repeating: "]", count: 200))"#) }
        ),
        ("a long string", "the node 'a' is no object", { flake(#""a":"\#(String(repeating: "x", count: 3 << 20))""#) }),
        (
            "bytes that are no UTF-8", "not UTF-8",
            { Array(#"{"nodes":""#.utf8) + [0xFF] + Array(#"","root":"root","version":7}"#.utf8) }
        ),
        ("a zero after it", "bytes after the value", { flake(#""a":\#(node)"#) + [0] }),
        ("another value after it", "bytes after the value", { flake(#""a":\#(node)"#) + Array("{}".utf8) }),
    ]

    @Test(arguments: flakes.indices)
    func hostileFlakeLocksAreRefused(_ index: Int) {
        let (what, says, make) = Self.flakes[index]
        let bytes = make()
        let failure = failure { _ = try FlakeLock(parsing: bytes) }
        #expect(failure?.kind == .lockfile, "\(what)")
        #expect(failure?.message.contains(says) == true, "\(what): \(failure?.message ?? "")")
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

    static let cargo: [(what: String, says: String, make: @Sendable () -> String)] = [
        ("a million packages", "more than 4194304 bytes", { packages(1_000_000) { "\($0)" } }),
        ("the same package as often as it fits", "'a1 1.0.0' stands in it twice", { packages(90_000) { _ in "1" } }),
        (
            "a million dependencies", "'a' depends on 'b', which is not in it",
            {
                "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = ["
                    + joined(1_000_000) { _ in "\"b\"" } + "]\n"
            }
        ),
        (
            "as many keys as fit", "the unknown key 'k0'",
            { "version = 4\n" + (0..<300_000).map { "k\($0) = 1\n" }.joined() }
        ),
        (
            "as many tables as fit", "the unknown key 't0'",
            { "version = 4\n" + (0..<300_000).map { "[t\($0)]\n" }.joined() }
        ),
        (
            "as many empty packages as fit", "a package without a name",
            { "version = 4\n" + String(repeating: "[[package]]\n", count: 340_000) }
        ),
        ("a million numbers", "an unknown format", { "version = [" + joined(1_000_000) { _ in "1" } + "]\n" }),
        ("deep arrays", "nested deeper than", { "version = " + String(repeating: "[", count: 2_000_000) }),
        ("deep tables", "nested deeper than", { "version = " + String(repeating: "{a=", count: 1_000_000) }),
        ("a deep key", "nested deeper than", { String(repeating: "a.", count: 2_000_000) + "a = 1\n" }),
        ("a key twice", "'version' has a value", { "version = 4\nversion = 4\n" }),
        ("a long string", "an unknown format", { "version = \"" + String(repeating: "x", count: 3 << 20) + "\"\n" }),
        ("a long comment", "no [[package]]", { "version = 4\n# " + String(repeating: "x", count: 3 << 20) }),
    ]

    private static func packages(_ count: Int, _ name: (Int) -> String) -> String {
        "version = 4\n" + (0..<count).map { "[[package]]\nname = \"a\(name($0))\"\nversion = \"1.0.0\"\n" }.joined()
    }

    @Test(arguments: cargo.indices)
    func hostileCargoLocksAreRefused(_ index: Int) {
        let (what, says, make) = Self.cargo[index]
        let bytes = Array(make().utf8)
        let failure = failure { _ = try CargoLockfile(parsing: bytes) }
        #expect(failure?.kind == .lockfile, "\(what)")
        #expect(failure?.message.contains(says) == true, "\(what): \(failure?.message ?? "")")
    }
}
