// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Provenance
import StrictJSON
import Testing
import Toolchains

/// The graph of a `flake.lock`: which inputs there are, and what they are called.
@Suite struct FlakeLockTests {
    private typealias Text = FlakeLockText

    struct Vector: Sendable, CustomTestStringConvertible {
        let file: String
        let nodes, narHashes: Int
        let rootInputs: [String]
        var testDescription: String { file }
    }

    static let vectors: [Vector] = {
        let path = Shared.root + "/vectors/locks/INDEX.json"
        guard let bytes = FileManager.default.contents(atPath: path),
            let index = try? JSONValue(parsing: Array(bytes))
        else { return [] }
        return (index["vectors"]?.arrayValue ?? []).compactMap { vector in
            guard let file = vector["files"]?["lock"]?.stringValue, file.hasSuffix("flake.lock"),
                let expected = vector["expected"]
            else { return nil }
            return Vector(
                file: file, nodes: expected["nodes"]?.integerValue ?? -1,
                narHashes: expected["nar_hashes"]?.integerValue ?? -1,
                rootInputs: expected["root_inputs"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        }
    }()

    @Test(.enabled(if: Shared.has("vectors/locks"), "the shared vectors are not there"), arguments: vectors)
    func realLockfilesHoldWhatTheirIndexSays(_ vector: Vector) throws {
        let bytes = try #require(FileManager.default.contents(atPath: Shared.root + "/vectors/locks/" + vector.file))
        let lock = try FlakeLock(parsing: Array(bytes))
        #expect(lock.version == 7)
        #expect(lock.inputs.count == vector.nodes)
        #expect(lock.inputs.count { $0.narHash != nil } == vector.narHashes)
        #expect(lock.rootInputs == vector.rootInputs)
        #expect(lock.dependencies.count == vector.narHashes)
        for dependency in lock.dependencies {
            #expect(dependency.digest["sha256"]?.utf8.count == 64)
            #expect(dependency.uri?.hasPrefix("pkg:") == true)
        }
    }

    @Test(.enabled(if: Shared.has("vectors/locks"), "the shared vectors are not there"))
    func inputsOfInputsAreNamedAfterThem() throws {
        let path = Shared.root + "/vectors/locks/alejandra.flake.lock"
        let lock = try FlakeLock(parsing: Array(try #require(FileManager.default.contents(atPath: path))))
        #expect(lock.inputs.map(\.names) == [["fenix"], ["fenix/rust-analyzer-src"], ["flakeCompat"], ["nixpkgs"]])
        #expect(lock.inputs.map(\.isFlake) == [true, false, false, true])
        let fenix = try #require(lock.dependencies.first { $0.name == "fenix" })
        #expect(fenix.uri == "pkg:github/nix-community/fenix@\(Text.commit)")
        #expect(fenix.digest["gitCommit"] == Text.commit)
        #expect(fenix.digest["sha256"] == "7f4f5f0227c63c4b91af3d43158f75d237b1ab40da06e4016eaed6731408520b")
    }

    @Test func aLockWithoutInputsIsRead() throws {
        let lock = try FlakeLock(parsing: Array(#"{"nodes":{"root":{}},"root":"root","version":7}"#.utf8))
        #expect(lock.inputs.isEmpty && lock.rootInputs.isEmpty && lock.dependencies.isEmpty && lock.hosts.isEmpty)
    }

    @Test func followsLeadToWhatTheyName() throws {
        let lock = try FlakeLock(
            parsing: Text.bytes(
                root: ["a": "a", "b": "b", "c": ["a", "x"]],
                [
                    "a": Text.node(inputs: ["x": "x", "self": []]),
                    "b": Text.node(inputs: ["x": ["c"], "y": ["a"], "z": ["b", "y", "x"]]),
                    "x": Text.node(Text.changed(["repo": "x"]), inputs: ["b": ["b"]]),
                ]))
        #expect(lock.rootInputs == ["a", "b", "c"])
        #expect(lock.inputs.map(\.names) == [["a"], ["a/x"], ["b"]])
    }

    @Test func whatIsLockedTwiceAlikeIsOneDependency() throws {
        let lock = try FlakeLock(
            parsing: Text.bytes(
                root: ["a": "a", "b": "b"],
                [
                    "a": Text.node(inputs: ["c": "c", "d": "c"]), "b": Text.node(),
                    "c": Text.node(Text.changed(["repo": "c"])),
                ]))
        #expect(lock.inputs.map(\.names) == [["a"], ["a/c", "a/d"], ["b"]])
        #expect(lock.dependencies.map(\.name) == ["a/c", "a"])
        #expect(lock.dependencies.map { $0.annotations["inputs"] } == [["a/c", "a/d"], ["a", "b"]])
        #expect(lock.hosts.map(\.host) == ["github.com"])
    }

    @Test func theSamePlaceWithAnotherHashIsAnotherDependency() throws {
        let other = Text.changed(["narHash": "sha256-vSOWPnE4OMnWkxWWL1VpWO22+gpLwMQtDHtsT4Hu1Ww="])
        let lock = try FlakeLock(
            parsing: Text.bytes(root: ["a": "a", "b": "b"], ["a": Text.node(), "b": Text.node(other)]))
        #expect(lock.dependencies.map(\.name) == ["a", "b"])
    }

    /// A relative path is locked without a network, and `follows` of nothing is the flake itself.
    @Test(.enabled(if: TestNix.isInstalled, "nix is not installed"))
    func locksOfThisMachinesNixAreRead() throws {
        let project = try TestProject([
            "flake/sub/flake.nix": "{ outputs = inputs: { }; }",
            "flake/flake.nix": """
            {
              inputs = {
                sub.url = "path:./sub";
                self-again.follows = "";
                same.follows = "sub";
              };
              outputs = inputs: { };
            }
            """,
        ])
        let flags = ["--extra-experimental-features", "nix-command flakes", "--store", project.root + "/s"]
        _ = try TestNix.output("nix", flags + ["flake", "lock", "path:\(project.root)/flake"])
        let bytes = try #require(FileManager.default.contents(atPath: project.root + "/flake/flake.lock"))
        let lock = try FlakeLock(parsing: Array(bytes))
        #expect(lock.rootInputs == ["same", "self-again", "sub"])
        #expect(lock.inputs.map(\.origin) == [.folder(path: "./sub")])
        if let narHash = lock.inputs.first?.narHash {
            #expect(try narHash == NixArchive.digest(of: project.root + "/flake/sub"))
        }
    }

    @Test(arguments: [6, 7])
    func knownVersionsAreRead(_ version: Int) throws {
        #expect(try FlakeLock(parsing: Text.bytes(["a": Text.node()], version: .integer(version))).version == version)
    }

    static let malformed: [(String, [UInt8])] = [
        ("nothing", []), ("no object", Array("[]".utf8)), ("no node", Array(#"{"root":"root","version":7}"#.utf8)),
        ("no root", Array(#"{"nodes":{},"root":"root","version":7}"#.utf8)),
        ("a root without name", Array(#"{"nodes":{"root":{}},"version":7}"#.utf8)),
        ("no version", Array(#"{"nodes":{"root":{}},"root":"root"}"#.utf8)),
        ("an unknown member", Array(#"{"nodes":{"root":{}},"root":"root","version":7,"more":1}"#.utf8)),
        ("a root that is locked", Array(#"{"nodes":{"root":{"locked":{}}},"root":"root","version":7}"#.utf8)),
        ("version 5", Text.bytes(["a": Text.node()], version: 5)),
        ("version 8", Text.bytes(["a": Text.node()], version: 8)),
        ("a version that is text", Text.bytes(["a": Text.node()], version: "7")),
        ("a missing node", Text.bytes(root: ["a": "a", "b": "b"], ["a": Text.node()])),
        ("a node that is no input", Text.bytes(["a": Text.node(), "b": Text.node()])),
        (
            "nodes of each other alone",
            Text.bytes(["a": Text.node(), "b": Text.node(inputs: ["c": "c"]), "c": Text.node(inputs: ["b": "b"])])
        ),
        ("an input of itself", Text.bytes(["a": Text.node(inputs: ["a": "a"])])),
        ("a cycle", Text.bytes(["a": Text.node(inputs: ["b": "b"]), "b": Text.node(inputs: ["a": "a"])])),
        ("the root as an input", Text.bytes(["a": Text.node(inputs: ["b": "root"])])),
        ("follows of itself", Text.bytes(root: ["a": "a", "b": ["b"]], ["a": Text.node()])),
        ("follows in a circle", Text.bytes(root: ["a": "a", "b": ["c"], "c": ["b"]], ["a": Text.node()])),
        ("follows in a long circle", Text.bytes(["a": Text.node(inputs: ["b": ["a", "c"], "c": ["a", "b", "x"]])])),
        ("follows of nothing", Text.bytes(root: ["a": "a", "b": ["a", "c"]], ["a": Text.node()])),
        ("follows that is no path", Text.bytes(root: ["a": "a", "b": [1]], ["a": Text.node()])),
        ("an input that is a number", Text.bytes(root: ["a": "a", "b": 1], ["a": Text.node()])),
        ("an input without name", Text.bytes(root: ["": "a"], ["a": Text.node()])),
        ("an input with a slash", Text.bytes(root: ["a/b": "a"], ["a": Text.node()])),
        ("an input with a line end", Text.bytes(root: ["a\n": "a"], ["a": Text.node()])),
        ("inputs that are a list", Text.bytes(["a": Text.node(inputs: [])])),
        ("an unknown member of a node", Text.bytes(["a": Text.node(Text.gitHub, ["info": [:]])])),
        ("a flake that is text", Text.bytes(["a": Text.node(Text.gitHub, ["flake": "no"])])),
        ("a node without original", Text.bytes(["a": ["locked": Text.gitHub]])),
        (
            "a parent that is not there",
            Text.bytes(["a": Text.node(["type": "path", "path": "./a"], ["parent": ["b"]])])
        ),
    ]

    @Test(arguments: malformed.indices)
    func malformedLocksAreRefused(_ index: Int) {
        let (what, bytes) = Self.malformed[index]
        #expect(failureKind { _ = try FlakeLock(parsing: bytes) } == .lockfile, "\(what)")
    }

    @Test func aNodeThatIsNotLockedIsUnpinned() {
        let bytes = Text.bytes(["a": ["original": ["type": "github"]]])
        #expect(failureKind { _ = try FlakeLock(parsing: bytes) } == .unpinnedDependency)
    }
}
