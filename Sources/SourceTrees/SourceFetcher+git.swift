// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds
internal import ByteCoding
internal import Foundation
internal import Provenance
internal import StrictJSON

extension SourceFetcher {
    /// Submodules within submodules.
    private static let submoduleDepth = 8
    private static let submoduleCount = 200

    /// A submodule that was checked out.
    struct Submodule: Sendable {
        let url: GitURL
        let commit: GitCommit
    }

    /// A repository still to be fetched, into a folder of the source.
    private struct Pending {
        let url: GitURL
        let path: String
        let commit: GitObjectID
        let depth: Int
    }

    func clone(
        _ source: GitSource, limit: WorkLimit, log: @escaping @Sendable (String) -> Void
    ) async throws(BuildFailure) -> FetchedSource {
        if let ref = source.ref, ref.isCommit, ref.text.utf8.count != 40 {
            throw BuildFailure(.source, "repositories with SHA-256 object ids are not supported")
        }
        log("Cloning \(source.url)" + (source.ref.map { " at \(printable($0.text))" } ?? ""))
        let repository = try await repository(source.url, number: 0, folder: "", limit: limit)
        let wanted = try await repository.resolve(source.ref)
        let commit = try await repository.checkOut(wanted)
        log("Checked out commit \(commit.id)")
        let parts = try await fetchSubmodules(of: repository, limit: limit, log: log)
        let tree = try await verifiedTree(commit, parts, limit: limit)
        return describe(source, wanted: wanted, commit: commit, parts: parts.fetched, tree: tree)
    }

    private func repository(
        _ url: GitURL, number: Int, folder: String, limit: WorkLimit
    ) async throws(BuildFailure) -> GitRepository {
        let addresses = try await addressPolicy.addresses(host: url.host, port: url.port)
        let pin = SourceAddressPolicy.curlResolve(host: url.host, port: url.port, addresses: addresses)
        let call = GitCommand(
            executable: gitExecutable, workspace: workspace, repository: Self.repositoryName(number), folder: folder,
            pin: pin)
        let repository = GitRepository(url: url, runner: runner, limit: limit, call: call)
        try await repository.create()
        return repository
    }

    private static func repositoryName(_ number: Int) -> String { "clone-\(number).git" }

    private struct Submodules {
        /// Commits by path, also of those that were left empty.
        var commits: [String: GitObjectID] = [:]
        var fetched: [String: Submodule] = [:]
    }

    private func fetchSubmodules(
        of top: GitRepository, limit: WorkLimit, log: @escaping @Sendable (String) -> Void
    ) async throws(BuildFailure) -> Submodules {
        var found = Submodules()
        var pending = try await submodules(of: top, at: "", depth: 0, into: &found, log: log)
        while let next = pending.popLast() {
            guard next.depth < Self.submoduleDepth, found.fetched.count < Self.submoduleCount else {
                throw BuildFailure(
                    .resourceLimit,
                    "the source has more than \(Self.submoduleCount) submodules,"
                        + " or nests them deeper than \(Self.submoduleDepth)")
            }
            try checkFolder(next.path)
            log("Cloning \(next.url) at \(next.commit) for the submodule \(printable(next.path))")
            let part = try await repository(
                next.url, number: found.fetched.count + 1, folder: next.path, limit: limit)
            let commit = try await part.checkOut(.commit(next.commit.hex))
            found.fetched[next.path] = Submodule(url: next.url, commit: commit)
            pending += try await submodules(of: part, at: next.path, depth: next.depth + 1, into: &found, log: log)
        }
        return found
    }

    private func submodules(
        of repository: GitRepository, at folder: String, depth: Int, into found: inout Submodules,
        log: @Sendable (String) -> Void
    ) async throws(BuildFailure) -> [Pending] {
        let commits = try await repository.submoduleCommits()
        if commits.isEmpty { return [] }
        let modules = try await repository.submoduleSources()
        var pending: [Pending] = []
        for (path, commit) in commits.sorted(by: { $0.key < $1.key }) {
            let place = folder.isEmpty ? path : folder + "/" + path
            found.commits[place] = commit
            guard let module = modules.module(at: path), let text = module.url, !module.isLeftOut else {
                log("The submodule \(printable(place)) stays empty: .gitmodules names no source for it")
                continue
            }
            let url: GitURL
            do throws(InvalidRequest) {
                url = try GitURL(GitModules.resolve(text, parent: repository.url))
            } catch {
                throw BuildFailure(
                    .source,
                    "the submodule '\(printable(place))' has a URL that is not fetched ('\(printable(text))'):"
                        + " \(error.message.replacing("repo_url", with: "it"))")
            }
            pending.append(Pending(url: url, path: place, commit: commit, depth: depth))
        }
        return pending
    }

    /// The folder that git made for a submodule must be one, reached through folders only.
    private func checkFolder(_ path: String) throws(BuildFailure) {
        var place = root
        for component in PathParts.names(path) {
            place += "/" + component
            var status = stat()
            guard component != "..", lstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw BuildFailure(.source, "the place of the submodule '\(printable(path))' is no folder")
            }
        }
    }

    /// Removes what git needed, then computes the trees of the files and compares them with the commits'.
    private func verifiedTree(
        _ commit: GitCommit, _ parts: Submodules, limit: WorkLimit
    ) async throws(BuildFailure) -> SourceTree {
        let tree = try await onOwnThread(limit: limit) { () throws(BuildFailure) in
            for number in 0...parts.fetched.count {
                try? FileManager.default.removeItem(
                    atPath: workspace.path(.home) + "/" + Self.repositoryName(number))
            }
            try settleTree(root)
            return try SourceTree(of: root, limits: limits, submodules: parts.commits) { () throws(BuildFailure) in
                try limit.check()
            }
        }
        try Self.compare(tree.gitTree, with: commit, "the clone")
        for (path, part) in parts.fetched {
            try Self.compare(tree.submoduleTrees[path], with: part.commit, "the submodule '\(printable(path))'")
        }
        return tree
    }

    private static func compare(
        _ tree: GitObjectID?, with commit: GitCommit, _ what: String
    ) throws(BuildFailure) {
        guard tree == commit.tree else {
            throw BuildFailure(
                .inputVerification,
                "the files of \(what) have the tree \(tree?.hex ?? "(none)"),"
                    + " the commit \(commit.id) has \(commit.tree)")
        }
    }

    private func describe(
        _ source: GitSource, wanted: GitRepository.Wanted, commit: GitCommit, parts: [String: Submodule],
        tree: SourceTree
    ) -> FetchedSource {
        var digest = Self.digests(of: tree)
        digest["gitCommit"] = commit.id.hex
        let name =
            switch wanted {
            case .ref(let name): name
            case .commit, .abbreviation: commit.id.hex
            }
        var descriptor = ResourceDescriptor(uri: "git+\(source.url)@\(name)", digest: digest)
        if !parts.isEmpty { descriptor.annotations["submodules"] = Self.annotation(parts) }
        var parameters: [String: JSONValue] = ["uri": .string("git+\(source.url)")]
        if let ref = source.ref { parameters["ref"] = .string(ref.text) }
        return FetchedSource(
            projectName: source.url.repositoryName, root: root, treeDigest: tree.digest, gitCommit: commit.id.hex,
            gitTree: tree.gitTree?.hex, commitTime: commit.time, descriptor: descriptor,
            externalParameters: .object(parameters))
    }

    private static func annotation(_ parts: [String: Submodule]) -> JSONValue {
        .array(
            parts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { path, part in
                [
                    "path": .string(path), "uri": .string("git+\(part.url)"),
                    "gitCommit": .string(part.commit.id.hex), "gitTree": .string(part.commit.tree.hex),
                ]
            })
    }
}
