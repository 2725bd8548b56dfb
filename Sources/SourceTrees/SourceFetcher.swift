// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import Archives
internal import ByteCoding
internal import Foundation
internal import Provenance
internal import StrictJSON

/// Brings what somebody asks to have built into a workspace, and computes what it is.
public struct SourceFetcher: Sendable {
    let runner: any CommandRunner
    let workspace: Workspace
    let limits: BuildLimits
    let addressPolicy: SourceAddressPolicy
    let gitExecutable: String

    /// - Parameter gitExecutable: an absolute path, as commands of `runner` see it.
    public init(
        runner: any CommandRunner, workspace: Workspace, limits: BuildLimits, allowPrivateSources: Bool,
        gitExecutable: String = "/usr/bin/git"
    ) {
        self.runner = runner
        self.workspace = workspace
        self.limits = limits
        addressPolicy = SourceAddressPolicy(allowPrivateSources: allowPrivateSources)
        self.gitExecutable = gitExecutable
    }

    /// Fills the workspace's `source` part, which must be there and empty: files and folders directly in it, without
    /// the single top folder that many archives have, and without a `.git`.
    ///
    /// Throws `SourceError`, `InputVerificationError` (the files are not what a digest or commit says),
    /// `ResourceLimitError`, `TimeoutError`, `CancelledError`, or what the runner throws.
    ///
    /// - Parameters:
    ///   - archivePath: the upload on this machine, for a request that has one.
    ///   - log: takes sentences for the requester.
    public func fetch(
        _ request: SourceRequest, archivePath: String?, log: @escaping @Sendable (String) -> Void
    ) async throws(BuildFailure) -> FetchedSource {
        let limit = WorkLimit(seconds: limits.fetchSeconds)
        switch request {
        case .git(let source):
            return try await clone(source, limit: limit, log: log)
        case .archive(let source):
            guard let archivePath else { throw BuildFailure(.internal, "the upload is missing") }
            return try await onOwnThread(limit: limit) { () throws(BuildFailure) in
                try unpack(source, at: archivePath, limit: limit, log: log)
            }
        case .folder(let source):
            return try await onOwnThread(limit: limit) { () throws(BuildFailure) in
                try copy(source, limit: limit, log: log)
            }
        }
    }

    var root: String { workspace.path(.source) }

    private func unpack(
        _ source: ArchiveSource, at path: String, limit: WorkLimit, log: @Sendable (String) -> Void
    ) throws(BuildFailure) -> FetchedSource {
        guard try Self.digest(ofFile: path, limit) == source.sha256 else {
            throw BuildFailure(.inputVerification, "the upload is not the file that was received")
        }
        try unpackArchive(file: path, into: root, limits: limits) { () throws(BuildFailure) in try limit.check() }
        let topFolder = try removeTopFolder(in: root)
        try leaveOutGitFolder(log)
        try settleTree(root)
        let tree = try SourceTree(of: root, limits: limits) { () throws(BuildFailure) in try limit.check() }
        var digest = Self.digests(of: tree)
        digest["sha256"] = source.sha256.hex
        let descriptor = ResourceDescriptor(name: source.name.text, digest: digest)
        return FetchedSource(
            projectName: topFolder.map(ArchiveName.safeFolderName) ?? source.name.folderName, tree: tree, root: root,
            descriptor: descriptor,
            externalParameters: ["name": .string(source.name.text), "sha256": .string(source.sha256.hex)])
    }

    private func copy(
        _ source: FolderSource, limit: WorkLimit, log: @escaping @Sendable (String) -> Void
    ) throws(BuildFailure) -> FetchedSource {
        var copy = FolderCopy(from: source.path, to: root, limits: limits, log: log)
        try copy.run { () throws(BuildFailure) in try limit.check() }
        try settleTree(root)
        let tree = try SourceTree(of: root, limits: limits) { () throws(BuildFailure) in try limit.check() }
        let name = PathParts.last(source.path) ?? ""
        let projectName = ArchiveName.safeFolderName(name)
        return FetchedSource(
            projectName: projectName, tree: tree, root: root,
            descriptor: ResourceDescriptor(name: projectName, digest: Self.digests(of: tree)),
            externalParameters: ["name": .string(projectName)])
    }

    private func leaveOutGitFolder(_ log: @Sendable (String) -> Void) throws(BuildFailure) {
        let path = root + "/.git"
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw BuildFailure(.internal, "the upload's .git could not be removed: \(error.localizedDescription)")
        }
        log("The upload's .git is left out: no commit that it names is claimed, and nothing in it runs")
    }

    static func digests(of tree: SourceTree) -> [String: String] {
        var digest = [TreeDigest.algorithm: tree.digest.hex]
        if let gitTree = tree.gitTree { digest["gitTree"] = gitTree.hex }
        return digest
    }

    private static func digest(ofFile path: String, _ limit: WorkLimit) throws(BuildFailure) -> Digest256 {
        let file = try OpenFile(reading: path, otherwise: .internal)
        let buffer = FileBuffer()
        var stream = Digest256.Stream()
        while case let count = try file.read(into: buffer.bytes), count > 0 {
            stream.update(buffer.prefix(count))
            try limit.check()
        }
        return stream.digest
    }
}

extension FetchedSource {
    /// Of a source that is no clone.
    init(
        projectName: String, tree: SourceTree, root: String, descriptor: ResourceDescriptor,
        externalParameters: JSONValue
    ) {
        self.init(
            projectName: projectName, root: root, treeDigest: tree.digest, gitCommit: nil, gitTree: tree.gitTree?.hex,
            commitTime: nil, descriptor: descriptor, externalParameters: externalParameters)
    }
}
