// SPDX-License-Identifier: Apache-2.0
import Builds
import Provenance
import StrictJSON
import Testing
import Toolchains

/// What pins an input of a flake, by its type.
@Suite struct FlakeInputTests {
    private typealias Text = FlakeLockText

    private static let commit = JSONValue.string(FlakeLockText.commit)
    private static let narHash = JSONValue.string(FlakeLockText.narHash)

    private static func repository(_ type: String, _ more: [String: JSONValue]) -> JSONValue {
        let members: [String: JSONValue] = ["type": .string(type), "rev": commit, "narHash": narHash]
        return .object(members.merging(more) { _, new in new })
    }

    private static func archive(_ url: String, type: String = "tarball") -> JSONValue {
        ["type": .string(type), "url": .string(url), "narHash": narHash]
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let locked: JSONValue
        let uri, location, host: String
        var port = 443
        var testDescription: String { uri }
    }

    static let rows: [Row] = [
        Row(
            locked: Text.gitHub, uri: "pkg:github/owner/repo@\(Text.commit)",
            location: "git+https://github.com/Owner/Repo@\(Text.commit)", host: "github.com"),
        Row(
            locked: Text.changed(["host": "git.Example.org", "ref": "main", "dir": "sub"]),
            uri: "pkg:generic/Repo@\(Text.commit)?vcs_url=git%2Bhttps://git.example.org/Owner/Repo%40\(Text.commit)",
            location: "git+https://git.example.org/Owner/Repo@\(Text.commit)", host: "git.example.org"),
        Row(
            locked: repository("gitlab", ["owner": "group%2Fsub", "repo": "r"]),
            uri: "pkg:generic/r@\(Text.commit)?vcs_url=git%2Bhttps://gitlab.com/group/sub/r%40\(Text.commit)",
            location: "git+https://gitlab.com/group/sub/r@\(Text.commit)", host: "gitlab.com"),
        Row(
            locked: repository("sourcehut", ["owner": "~someone", "repo": "r"]),
            uri: "pkg:generic/r@\(Text.commit)?vcs_url=git%2Bhttps://git.sr.ht/~someone/r%40\(Text.commit)",
            location: "git+https://git.sr.ht/~someone/r@\(Text.commit)", host: "git.sr.ht"),
        Row(
            locked: repository(
                "git",
                [
                    "url": "https://git.example:8443/a%20b.git", "submodules": true,
                    "lfs": false,
                    "shallow": true, "revCount": 12, "ref": "refs/heads/main", "lastModified": 5,
                ]),
            uri: "pkg:generic/a%2520b@\(Text.commit)?vcs_url="
                + "git%2Bhttps://git.example:8443/a%2520b.git%40\(Text.commit)",
            location: "git+https://git.example:8443/a%20b.git@\(Text.commit)", host: "git.example", port: 8443),
        Row(
            locked: repository("git", ["url": "git+http://git.example/r"]),
            uri: "pkg:generic/r@\(Text.commit)?vcs_url=git%2Bhttp://git.example/r%40\(Text.commit)",
            location: "git+http://git.example/r@\(Text.commit)", host: "git.example", port: 80),
        Row(
            locked: archive("https://a.example/x/y.tar.xz?z=1&w=2"),
            uri: "pkg:generic/y.tar.xz?download_url=https://a.example/x/y.tar.xz%3Fz%3D1%26w%3D2",
            location: "https://a.example/x/y.tar.xz?z=1&w=2", host: "a.example"),
        Row(
            locked: archive("file+http://a.example/", type: "file"),
            uri: "pkg:generic/a.example?download_url=http://a.example/", location: "http://a.example/",
            host: "a.example",
            port: 80),
    ]

    @Test(arguments: rows)
    func eachTypeIsPinned(_ row: Row) throws {
        let lock = try FlakeLock(parsing: Text.bytes(locked: row.locked))
        let dependency = try #require(lock.dependencies.first)
        #expect(dependency.name == "a")
        #expect(dependency.uri == row.uri)
        #expect(dependency.downloadLocation == row.location)
        #expect(dependency.mediaType == "application/x-nix-archive")
        let isRepository = row.location.hasPrefix("git+")
        #expect(dependency.digest["gitCommit"] == (isRepository ? Text.commit : nil))
        #expect(
            dependency.digest["sha256"] == "7f4f5f0227c63c4b91af3d43158f75d237b1ab40da06e4016eaed6731408520b")
        #expect(lock.hosts.map(\.host) == [row.host])
        #expect(lock.hosts.map(\.port) == [row.port])
    }

    @Test func aFolderOfTheSourceIsNoDependency() throws {
        for locked: JSONValue in [
            ["type": "path", "path": "./sub"], ["type": "path", "path": "sub", "narHash": Self.narHash],
        ] {
            let lock = try FlakeLock(parsing: Text.bytes(["a": Text.node(locked, ["parent": []])]))
            #expect(lock.inputs.count == 1)
            #expect(lock.dependencies.isEmpty && lock.hosts.isEmpty)
        }
    }

    @Test func commitsOfSHA256RepositoriesAreRead() throws {
        let commit = String(repeating: "ab", count: 32)
        let lock = try FlakeLock(parsing: Text.bytes(locked: Text.changed(["rev": .string(commit)])))
        #expect(lock.dependencies.first?.digest["gitCommit"] == commit)
    }

    static let refused: [(String, JSONValue, BuildFailure.Kind)] = [
        ("no narHash", Text.changed(["narHash": nil]), .unpinnedDependency),
        ("no commit", Text.changed(["rev": nil]), .unpinnedDependency),
        ("a branch", Text.changed(["rev": nil, "ref": "main"]), .unpinnedDependency),
        (
            "a dirty repository",
            Text.changed(["rev": nil, "dirtyRev": "1-dirty"], repository("git", ["url": "https://a.example/r"])),
            .unpinnedDependency
        ),
        (
            "an archive without narHash", Text.changed(["narHash": nil], archive("https://a.example/x")),
            .unpinnedDependency
        ),
        ("a registry's name", ["type": "indirect", "id": "nixpkgs"], .unpinnedDependency),
        ("somebody's folder", ["type": "path", "path": "/home/a", "narHash": narHash], .unpinnedDependency),
        ("a folder behind a mark", ["type": "path", "path": "/\u{301}a", "narHash": narHash], .unpinnedDependency),
        ("somebody's repository", repository("git", ["url": "file:///home/a"]), .unpinnedDependency),
        ("somebody's path", repository("git", ["url": "/home/a"]), .unpinnedDependency),
        ("somebody's archive", archive("file:///home/a.tar"), .unpinnedDependency),
        ("no type", Text.changed(["type": nil]), .lockfile),
        ("an unknown type", Text.changed(["type": "svn"]), .lockfile),
        ("mercurial", repository("hg", ["url": "https://a.example/r"]), .lockfile),
        ("an unknown member", Text.changed(["__final": true]), .lockfile),
        ("a member of another type", Text.changed(["url": "https://a.example"]), .lockfile),
        ("a number for text", Text.changed(["owner": 7]), .lockfile),
        ("text for a number", Text.changed(["lastModified": "7"]), .lockfile),
        ("a negative number", Text.changed(["lastModified": -7]), .lockfile),
        ("text for a truth", repository("git", ["url": "https://a.example/r", "submodules": "yes"]), .lockfile),
        ("no owner", Text.changed(["owner": nil]), .lockfile),
        ("an empty owner", Text.changed(["owner": ""]), .lockfile),
        ("an owner that is a path", Text.changed(["owner": ".."]), .lockfile),
        ("an owner with a slash", Text.changed(["owner": "a/b"]), .lockfile),
        ("a repository with a query", Text.changed(["repo": "a?b"]), .lockfile),
        ("a host with a path", Text.changed(["host": "a.example/x"]), .lockfile),
        ("a host with a user", Text.changed(["host": "me@a.example"]), .lockfile),
        ("a short commit", Text.changed(["rev": "55106e0"]), .lockfile),
        ("a commit in upper case", Text.changed(["rev": .string(Text.commit.uppercased())]), .lockfile),
        (
            "a narHash in hexadecimal",
            Text.changed(["narHash": .string("sha256:" + String(repeating: "a", count: 64))]), .lockfile
        ),
        ("a narHash of SHA-1", Text.changed(["narHash": "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="]), .lockfile),
        ("a short narHash", Text.changed(["narHash": "sha256-AAAA"]), .lockfile),
        (
            "a narHash with stray bits",
            Text.changed(["narHash": "sha256-f09fAifGPEuRrz1DFY910jexq0DaBuQBbq7WcxQIUgt="]), .lockfile
        ),
        ("ssh", repository("git", ["url": "ssh://git@a.example/r"]), .lockfile),
        ("an option", repository("git", ["url": "--upload-pack=x"]), .lockfile),
        ("a user name", repository("git", ["url": "https://me:secret@a.example/r"]), .lockfile),
        ("a query", repository("git", ["url": "https://a.example/r?ref=x"]), .lockfile),
        ("white space in a query", archive("https://a.example/r?a b"), .lockfile),
        ("a line end", repository("git", ["url": "https://a.example/r\n"]), .lockfile),
        ("an archive's wrong commit", Text.changed(["rev": "1"], archive("https://a.example/x")), .lockfile),
        ("an archive by ftp", archive("ftp://a.example/x"), .lockfile),
        ("a folder without path", ["type": "path"], .lockfile),
    ]

    @Test(arguments: refused.indices)
    func whatDoesNotPinIsRefused(_ index: Int) {
        let (what, locked, kind) = Self.refused[index]
        #expect(failureKind { _ = try FlakeLock(parsing: Text.bytes(locked: locked)) } == kind, "\(what)")
    }

    @Test func theErrorNamesTheInput() {
        let bytes = Text.bytes(["a": Text.node(inputs: ["b": "b"]), "b": Text.node(Text.changed(["narHash": nil]))])
        #expect(failure { _ = try FlakeLock(parsing: bytes) }?.message.contains("'a/b'") == true)
    }
}
