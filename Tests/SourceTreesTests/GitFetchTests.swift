// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Foundation
import Provenance
import SourceTrees
import StrictJSON
import Synchronization
import Testing

/// Clones from a real `git http-backend`. The repository `sub/project.git` has the branches main and feature, an
/// annotated tag v1, a plain tag plain, and one name that is both a branch and a tag; `tool.git` is its submodule.
@Suite(.enabled("git http-backend or python3 is absent") { GitServer.isAvailable })
struct GitFetchTests {
    private let folder: TemporaryFolder
    private let server: GitServer
    private let work: String

    init() throws {
        folder = try TemporaryFolder()
        server = try GitServer(folder: folder.path)
        work = folder.path + "/project"
        try folder.write(
            ["a.txt": "A\n", "run.sh": "#!/bin/sh\n", "dir/b": "B", "win.txt": "line\r\n", "dir.c": "C"], in: "project")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: work + "/run.sh")
        try FileManager.default.createSymbolicLink(atPath: work + "/link", withDestinationPath: "dir/b")
        try folder.write(
            [".gitattributes": "*.txt text eol=crlf working-tree-encoding=UTF-16\n*.c filter=evil ident\n"],
            in: "project")
        try folder.write(["dir.c": "$Id$"], in: "project")
        try git("init", "-q", in: work)
        // As stored: the attributes above must not change what the objects hold either.
        try folder.write(
            [".git/info/attributes": "* -text -ident -filter !eol !working-tree-encoding\n"], in: "project")
        try git("add", "-A", in: work)
        try git("commit", "-qm", "first", in: work)
        try git("tag", "-am", "v1", "v1", in: work)
        try git("tag", "plain", in: work)
        try git("checkout", "-qb", "feature", in: work)
        try folder.write(["new": "N"], in: "project")
        try git("add", "new", in: work)
        try git("commit", "-qm", "second", in: work)
        try git("branch", "both", in: work)
        try git("tag", "both", "plain", in: work)
        try git("checkout", "-q", "main", in: work)
        try publish(work, as: "sub/project.git")
    }

    private func publish(_ work: String, as name: String) throws {
        try git("clone", "-q", "--bare", work, folder.path + "/" + name, in: folder.path)
        try git("-C", folder.path + "/" + name, "update-server-info", in: folder.path)
    }

    private func fetch(
        _ url: String, _ ref: String? = nil, runner: PlainRunner = PlainRunner(), private isAllowed: Bool = true,
        limits: BuildLimits = BuildLimits(), log: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> FetchedSource {
        let workspace = try folder.workspace("w-" + UUID().uuidString)
        let fetcher = SourceFetcher(
            runner: runner, workspace: workspace, limits: limits, allowPrivateSources: isAllowed)
        let source = GitSource(url: try GitURL(url), ref: try ref.map { try GitRef($0) })
        let fetched = try await fetcher.fetch(.git(source), archivePath: nil, log: log)
        #expect(fetched.root == workspace.path(.source))
        #expect(!FileManager.default.fileExists(atPath: fetched.root + "/.git"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.path(.home)).isEmpty)
        return fetched
    }

    @Test func defaultBranchIsClonedAsStored() async throws {
        let runner = PlainRunner()
        let fetched = try await fetch(server.url("sub/project.git"), runner: runner)
        #expect(fetched.gitCommit == (try git("rev-parse", "main", in: work)))
        #expect(fetched.gitTree == (try git("rev-parse", "main^{tree}", in: work)))
        #expect(fetched.commitTime == 1_700_000_000)
        #expect(fetched.projectName == "project")
        #expect(fetched.descriptor.uri == "git+\(server.url("sub/project.git"))@refs/heads/main")
        #expect(
            fetched.descriptor.digest == [
                "gitCommit": fetched.gitCommit ?? "", "gitTree": fetched.gitTree ?? "",
                "cupelTree": fetched.treeDigest.hex,
            ])
        #expect(fetched.externalParameters == ["uri": .string("git+" + server.url("sub/project.git"))])
        #expect(try String(contentsOfFile: fetched.root + "/win.txt", encoding: .utf8) == "line\r\n")
        #expect(try String(contentsOfFile: fetched.root + "/a.txt", encoding: .utf8) == "A\n")
        #expect(try String(contentsOfFile: fetched.root + "/dir.c", encoding: .utf8) == "$Id$")
        #expect(runner.commands.contains { $0.arguments.contains("--depth=1") })
        #expect(runner.commands.filter(\.network).count == 2)
    }

    @Test(arguments: [
        ("feature", "feature", "refs/heads/feature"), ("v1", "v1^{commit}", "refs/tags/v1"),
        ("plain", "plain", "refs/tags/plain"), ("refs/heads/both", "refs/heads/both", "refs/heads/both"),
        ("refs/tags/both", "refs/tags/both", "refs/tags/both"),
    ])
    func refIsFetched(ref: String, revision: String, name: String) async throws {
        let fetched = try await fetch(server.url("sub/project.git"), ref)
        #expect(fetched.gitCommit == (try git("rev-parse", revision, in: work)))
        #expect(fetched.descriptor.uri?.hasSuffix("@" + name) == true)
        #expect(fetched.externalParameters["ref"] == .string(ref))
    }

    @Test(arguments: [40, 12])
    func commitIsFetchedByItsID(digits: Int) async throws {
        let id = try git("rev-parse", "feature", in: work)
        let fetched = try await fetch(server.url("sub/project.git"), String(id.prefix(digits)))
        #expect(fetched.gitCommit == id)
        #expect(fetched.descriptor.uri?.hasSuffix("@" + id) == true)
        #expect(FileManager.default.fileExists(atPath: fetched.root + "/new"))
    }

    @Test(arguments: ["feature", "commit"])
    func serverWithoutShallowClonesIsFetchedWhole(ref: String) async throws {
        let id = try git("rev-parse", "feature", in: work)
        let fetched = try await fetch(server.url("sub/project.git", under: "dumb"), ref == "commit" ? id : ref)
        #expect(fetched.gitCommit == id)
    }

    @Test(arguments: [
        ("no-such-branch", "no branch or tag 'no-such-branch'"), ("both", "a branch and a tag"),
        ("0123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef01234567"),
        ("deadbeef", "'deadbeef'"), (String(repeating: "a", count: 64), "SHA-256"),
    ])
    func refThatIsNotThereIsNamed(ref: String, reason: String) async throws {
        let failure = await #expect(throws: BuildFailure.self) {
            _ = try await fetch(server.url("sub/project.git"), ref)
        }
        #expect(failure?.kind == .source)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
    }

    @Test(arguments: [
        ("redirect", "give the address to which the server redirects"), ("private", "terminal prompts disabled"),
        ("missing", "not found"),
    ])
    func serverThatRefusesIsExplained(prefix: String, reason: String) async throws {
        let failure = await #expect(throws: BuildFailure.self) {
            _ = try await fetch(server.url("sub/project.git", under: prefix))
        }
        #expect(failure?.kind == .source)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
    }

    @Test(arguments: ["127.0.0.1", "localhost", "[::1]"])
    func loopbackIsRefusedBeforeGitRuns(host: String) async throws {
        let runner = PlainRunner()
        let failure = await #expect(throws: BuildFailure.self) {
            _ = try await fetch("http://\(host):\(server.port)/git/sub/project.git", runner: runner, private: false)
        }
        #expect(failure?.message.contains("--allow-private-sources") == true)
        #expect(failure?.message.contains("loopback") == true)
        #expect(runner.commands.isEmpty)
    }

    @Test func submodulesAreFetchedAtTheirCommits() async throws {
        try addSubmodules()
        let fetched = try await fetch(server.url("outer.git"))
        #expect(try String(contentsOfFile: fetched.root + "/libs/tool/t", encoding: .utf8) == "T")
        #expect(try String(contentsOfFile: fetched.root + "/libs/tool/deeper/a.txt", encoding: .utf8) == "A\n")
        let outer = folder.path + "/outer"
        let tool = folder.path + "/tool"
        #expect(fetched.gitTree == (try git("rev-parse", "HEAD^{tree}", in: outer)))
        #expect(
            fetched.descriptor.annotations["submodules"] == [
                [
                    "path": "libs/tool", "uri": .string("git+" + server.url("tool.git")),
                    "gitCommit": .string(try git("rev-parse", "HEAD", in: tool)),
                    "gitTree": .string(try git("rev-parse", "HEAD^{tree}", in: tool)),
                ],
                [
                    "path": "libs/tool/deeper", "uri": .string("git+" + server.url("sub/project.git")),
                    "gitCommit": .string(try git("rev-parse", "main", in: work)),
                    "gitTree": .string(try git("rev-parse", "main^{tree}", in: work)),
                ],
            ])
    }

    /// outer has the submodule libs/tool by a relative URL, which has the submodule deeper.
    private func addSubmodules() throws {
        let tool = folder.path + "/tool"
        try folder.write(["t": "T", ".gitmodules": Self.module("deeper", "../sub/project.git")], in: "tool")
        try makeWithSubmodule(tool, at: "deeper", commit: try git("rev-parse", "main", in: work), as: "tool.git")
        let outer = folder.path + "/outer"
        try folder.write(["o": "O", ".gitmodules": Self.module("libs/tool", "../tool.git")], in: "outer")
        try makeWithSubmodule(outer, at: "libs/tool", commit: try git("rev-parse", "HEAD", in: tool), as: "outer.git")
    }

    private static func module(_ path: String, _ url: String) -> String {
        "[submodule \"\(path)\"]\n\tpath = \(path)\n\turl = \(url)\n"
    }

    private func makeWithSubmodule(_ work: String, at path: String, commit: String, as name: String) throws {
        try git("init", "-q", in: work)
        try git("add", "-A", in: work)
        try git("update-index", "--add", "--cacheinfo", "160000,\(commit),\(path)", in: work)
        try git("commit", "-qm", "c", in: work)
        try publish(work, as: name)
    }

    @Test(arguments: [
        ("/etc", "must start with https"), ("file:///etc", "must start with https"),
        ("git@example.com:x/y", "must start with https"), ("ext::sh -c id", "white space"),
        ("--upload-pack=id", "must start with https"), ("https://u:p@example.com/x", "user name"),
    ])
    func submoduleURLIsCheckedLikeTheFirst(url: String, reason: String) async throws {
        try folder.write([".gitmodules": Self.module("m", "\"\(url)\"")], in: "evil")
        let commit = try git("rev-parse", "main", in: work)
        try makeWithSubmodule(folder.path + "/evil", at: "m", commit: commit, as: "evil.git")
        let failure = await #expect(throws: BuildFailure.self) { _ = try await fetch(server.url("evil.git")) }
        #expect(failure?.kind == .source)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
    }

    @Test func submoduleWithoutASourceStaysEmpty() async throws {
        try folder.write(["x": "X"], in: "bare-link")
        let commit = try git("rev-parse", "main", in: work)
        try makeWithSubmodule(folder.path + "/bare-link", at: "m", commit: commit, as: "bare-link.git")
        let lines = Mutex<[String]>([])
        let fetched = try await fetch(server.url("bare-link.git"), log: { line in lines.withLock { $0.append(line) } })
        #expect(try FileManager.default.contentsOfDirectory(atPath: fetched.root + "/m").isEmpty)
        #expect(lines.withLock { $0.contains { $0.contains("m stays empty") } })
    }

    @Test func submoduleCommitThatIsNotThereIsRefused() async throws {
        try folder.write([".gitmodules": Self.module("m", "../sub/project.git")], in: "stale")
        let commit = String(repeating: "1", count: 40)
        try makeWithSubmodule(folder.path + "/stale", at: "m", commit: commit, as: "stale.git")
        let failure = await #expect(throws: BuildFailure.self) { _ = try await fetch(server.url("stale.git")) }
        #expect(failure?.kind == .source)
    }

    @Test func endlessSubmodulesAreRefused() async throws {
        // Each names itself, at a commit without submodules of its own made later: the depth is what ends it.
        var commit = try git("rev-parse", "main", in: work)
        for level in 0..<10 {
            let name = "level\(level)"
            let inner = level == 0 ? "sub/project.git" : "level\(level - 1).git"
            try folder.write([".gitmodules": Self.module("m", "../" + inner)], in: name)
            try makeWithSubmodule(folder.path + "/" + name, at: "m", commit: commit, as: name + ".git")
            commit = try git("rev-parse", "HEAD", in: folder.path + "/" + name)
        }
        let failure = await #expect(throws: BuildFailure.self) { _ = try await fetch(server.url("level9.git")) }
        #expect(failure?.kind == .resourceLimit)
        #expect(try await fetch(server.url("level7.git")).gitCommit != nil)
    }

    @Test func linkOutOfACloneIsRefused() async throws {
        try folder.write(["x": "X"], in: "leading-out")
        let path = folder.path + "/leading-out"
        try FileManager.default.createSymbolicLink(atPath: path + "/out", withDestinationPath: "/etc/passwd")
        try git("init", "-q", in: path)
        try git("add", "-A", in: path)
        try git("commit", "-qm", "c", in: path)
        try publish(path, as: "leading-out.git")
        let failure = await #expect(throws: BuildFailure.self) { _ = try await fetch(server.url("leading-out.git")) }
        #expect(failure?.message.contains("leads out") == true)
    }

    @Test(arguments: ["o", "libs/tool/t", "libs/tool/deeper/new", ".gitmodules"])
    func filesThatAreNotTheCommitsAreRefused(name: String) async throws {
        try addSubmodules()
        let runner = PlainRunner { command in
            guard command.arguments.contains("checkout") else { return }
            let tree = command.arguments.first { $0.hasPrefix("--work-tree=") }?.dropFirst("--work-tree=".count) ?? ""
            let root = (tree + "/").components(separatedBy: "/source/")[0] + "/source/"
            let path = root + name
            guard FileManager.default.fileExists(atPath: (path as NSString).deletingLastPathComponent) else { return }
            _ = FileManager.default.createFile(atPath: path, contents: Data("tampered".utf8))
        }
        let failure = await #expect(throws: BuildFailure.self) {
            _ = try await fetch(server.url("outer.git"), runner: runner)
        }
        #expect(failure?.kind == .inputVerification, "\(failure?.message ?? "")")
    }

    @Test func cloneBeyondALimitIsRefused() async throws {
        var limits = BuildLimits()
        limits.fileCount = 3
        let failure = await #expect(throws: BuildFailure.self) {
            _ = try await fetch(server.url("sub/project.git"), limits: limits)
        }
        #expect(failure?.kind == .resourceLimit)
    }

    @Test func gitIsCalledWithoutTheHostsConfiguration() async throws {
        let runner = PlainRunner()
        _ = try await fetch(server.url("sub/project.git"), runner: runner)
        #expect(!runner.commands.isEmpty)
        for command in runner.commands {
            #expect(command.environment["GIT_CONFIG_NOSYSTEM"] == "1")
            #expect(command.environment["GIT_CONFIG_GLOBAL"] == "/dev/null")
            #expect(command.environment["GIT_ALLOW_PROTOCOL"] == "http:https")
            #expect(command.environment["GIT_TERMINAL_PROMPT"] == "0")
            #expect(command.arguments.contains("core.hooksPath=/dev/null"))
            #expect(command.arguments.contains("http.followRedirects=false"))
            #expect(command.arguments.contains("credential.helper="))
            #expect(command.writable == [.source, .home, .temporary])
        }
    }
}
