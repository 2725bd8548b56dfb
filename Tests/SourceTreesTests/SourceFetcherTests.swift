// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Foundation
import Provenance
import SourceTrees
import StrictJSON
import Synchronization
import Testing

@Suite struct SourceFetcherTests {
    private let folder: TemporaryFolder
    private let workspace: Workspace

    init() throws {
        folder = try TemporaryFolder()
        workspace = try folder.workspace()
    }

    private func fetch(
        _ request: SourceRequest, archive: String? = nil, limits: BuildLimits = BuildLimits(),
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> FetchedSource {
        let fetcher = SourceFetcher(
            runner: PlainRunner(), workspace: workspace, limits: limits, allowPrivateSources: false)
        return try await fetcher.fetch(request, archivePath: archive, log: log)
    }

    private func archive(_ files: [String: String], name: String = "upload.tar.gz") throws -> (SourceRequest, String) {
        let path = folder.path + "/" + UUID().uuidString
        let writer = try TarGzipWriter(path: path)
        for (name, text) in files.sorted(by: { $0.key < $1.key }) { try writer.addBytes(Array(text.utf8), as: name) }
        try writer.close()
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let source = ArchiveSource(
            name: try ArchiveName(name), sha256: Digest256(of: bytes), size: Int64(bytes.count))
        return (.archive(source), path)
    }

    private var files: [String] {
        get throws { try FileManager.default.subpathsOfDirectory(atPath: workspace.path(.source)).sorted() }
    }

    @Test(arguments: [
        (["p/a": "A", "p/b/c": "C"], "p", ["a", "b", "b/c"]),
        (["p/p/p": "A", "p/b": "C"], "p", ["b", "p", "p/p"]),
        (["a": "A", "b/c": "C"], "upload", ["a", "b", "b/c"]),
        (["a": "A"], "upload", ["a"]),
        (["my project!/a": "A"], "my-project-", ["a"]),
        ([".git/config": "A"], "upload", []),
    ])
    func topFolderNamesTheProject(files: [String: String], name: String, expected: [String]) async throws {
        let (request, path) = try archive(files)
        let fetched = try await fetch(request, archive: path)
        #expect(fetched.projectName == name)
        #expect(fetched.root == workspace.path(.source))
        #expect(try self.files == expected)
    }

    @Test func uploadIsRecordedAsAnUpload() async throws {
        let (request, path) = try archive(["p/a": "A"], name: "My Upload.tgz")
        let fetched = try await fetch(request, archive: path)
        guard case .archive(let source) = request else { return }
        let tree = try SourceTree(of: fetched.root, limits: BuildLimits())
        #expect(fetched.gitCommit == nil)
        #expect(fetched.gitTree == tree.gitTree?.hex)
        #expect(fetched.treeDigest == tree.digest)
        #expect(fetched.descriptor.uri == nil)
        #expect(fetched.descriptor.name == "My Upload.tgz")
        #expect(
            fetched.descriptor.digest == [
                "sha256": source.sha256.hex, "cupelTree": tree.digest.hex, "gitTree": tree.gitTree?.hex ?? "",
            ])
        #expect(
            fetched.externalParameters == ["name": "My Upload.tgz", "sha256": .string(source.sha256.hex)])
    }

    /// A `.git` that names a commit over other files: nothing of it is believed, run or kept.
    @Test func commitThatAnUploadClaimsIsNotClaimed() async throws {
        try folder.write(["a": "A"], in: "claim/p")
        let work = folder.path + "/claim/p"
        try git("init", "-q", in: work)
        try git("add", "-A", in: work)
        try git("commit", "-qm", "well known", in: work)
        let commit = try git("rev-parse", "HEAD", in: work)
        try folder.write(
            ["a": "modified", ".git/hooks/post-checkout": "#!/bin/sh\ntouch /tmp/hooked\n"], in: "claim/p")
        try run("/bin/tar", ["czf", folder.path + "/claim.tar.gz", "p"], in: folder.path + "/claim")
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/claim.tar.gz")))
        let source = ArchiveSource(
            name: try ArchiveName("claim.tar.gz"), sha256: Digest256(of: bytes), size: Int64(bytes.count))
        let lines = Mutex<[String]>([])
        let fetched = try await fetch(
            .archive(source), archive: folder.path + "/claim.tar.gz",
            log: { line in lines.withLock { $0.append(line) } })
        #expect(fetched.gitCommit == nil)
        #expect(fetched.descriptor.digest["gitCommit"] == nil)
        #expect(!String(decoding: fetched.descriptor.json.canonicalBytes, as: UTF8.self).contains(commit))
        #expect(try files == ["a"])
        #expect(lines.withLock { $0.contains { $0.contains(".git is left out") } })
    }

    @Test func uploadThatChangedOnDiskIsRefused() async throws {
        let (request, path) = try archive(["p/a": "A"])
        let (_, other) = try archive(["p/a": "B"])
        let failure = await #expect(throws: BuildFailure.self) { _ = try await fetch(request, archive: other) }
        #expect(failure?.kind == .inputVerification)
        _ = try await fetch(request, archive: path)
    }

    @Test func filesGetOneModeAndOneTime() async throws {
        let (request, path) = try archive(["p/a/b": "A"])
        _ = try await fetch(request, archive: path)
        for name in ["a", "a/b"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: workspace.path(.source) + "/" + name)
            #expect(attributes[.modificationDate] as? Date == Date(timeIntervalSince1970: 315_532_800))
        }
    }

    @Test func folderIsCopiedWithoutGitAndCaches() async throws {
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# cache"
        try folder.write(
            [
                "a": "A", "b/c": "C", ".git/config": "x", "target/CACHEDIR.TAG": tag, "target/x": "X",
                "kept/CACHEDIR.TAG": "no signature",
            ], in: "My Project")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/My Project/link", withDestinationPath: "b/c")
        let lines = Mutex<[String]>([])
        let fetched = try await fetch(
            .folder(FolderSource(path: folder.path + "/My Project")),
            log: { line in lines.withLock { $0.append(line) } })
        #expect(try files == ["a", "b", "b/c", "kept", "kept/CACHEDIR.TAG", "link"])
        #expect(fetched.projectName == "My-Project")
        #expect(fetched.gitCommit == nil)
        #expect(lines.withLock { $0.contains { $0.contains("target") } })
    }

    @Test(.enabled("the shared project is absent") { FileManager.default.fileExists(atPath: Shared.realProject) })
    func realProjectIsFetched() async throws {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: Shared.realProject)))
        let source = ArchiveSource(
            name: try ArchiveName("upload.tar.gz"), sha256: Digest256(of: bytes), size: Int64(bytes.count))
        let fetched = try await fetch(.archive(source), archive: Shared.realProject)
        #expect(fetched.projectName == "cargo-real")
        #expect(FileManager.default.fileExists(atPath: fetched.root + "/Cargo.lock"))
        try git("init", "-q", in: fetched.root)
        try folder.write(
            [".git/info/attributes": "* -text -ident -filter\n"], in: "workspace/source")
        try git("-c", "core.excludesFile=/dev/null", "add", "-Af", in: fetched.root)
        #expect(fetched.gitTree == (try git("write-tree", in: fetched.root)))
    }

    @Test func folderThatIsMissingIsASourceError() async throws {
        let failure = await #expect(throws: BuildFailure.self) {
            _ = try await fetch(.folder(FolderSource(path: folder.path + "/nowhere")))
        }
        #expect(failure?.kind == .source)
    }

    @Test func timeLimitEndsTheWork() async throws {
        let (request, path) = try archive(["p/a": "A"])
        var limits = BuildLimits()
        limits.fetchSeconds = 0
        let failure = await #expect(throws: BuildFailure.self) {
            _ = try await fetch(request, archive: path, limits: limits)
        }
        #expect(failure?.kind == .timeout)
    }

    @Test func cancellationEndsTheWork() async throws {
        let (request, path) = try archive(["p/a": "A"])
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await fetch(request, archive: path)
        }
        task.cancel()
        let failure = await #expect(throws: BuildFailure.self) { _ = try await task.value }
        #expect(failure?.kind == .cancelled)
    }
}

enum Shared {
    static let realProject: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let shared = ProcessInfo.processInfo.environment["CUPEL_SHARED"] ?? root + "/../shared"
        return shared + "/projects/cargo-real.tar.gz"
    }()
}
