// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

/// What Cargo downloaded into its home, compared with the lockfile.
struct FetchedCrates {
    /// CARGO_HOME on this machine.
    let home: String
    let resolved: [ResolvedPackage]

    /// Throws `InputVerificationError` naming a crate that is missing, differs from the lockfile, or is not in it.
    func verify() throws(BuildFailure) {
        let downloads = resolved.filter { $0.place == .download }.map(\.package)
        try verifyCrates(downloads)
        try verifyCheckouts(downloads)
    }

    private func verifyCrates(_ packages: [LockedPackage]) throws(BuildFailure) {
        var promised: [String: Set<Digest256>] = [:]
        for package in packages {
            guard case .registry = package.source, let digest = package.digest else { continue }
            promised["\(package.name)-\(package.version).crate", default: []].insert(digest)
        }
        var missing = promised
        for folder in try folders("registry/cache") {
            for entry in try list(folder) {
                let path = folder + "/" + entry.name
                guard let expected = promised[entry.name] else { throw unexpected("the download", entry.name) }
                let found = try digest(home + "/" + path, name: entry.name)
                guard expected.contains(found) else { throw Self.differs(entry.name, found, expected) }
                missing[entry.name]?.remove(found)
            }
        }
        if let name = missing.filter({ !$0.value.isEmpty }).keys.min() { throw Self.missing(name) }
        try verifyUnpacked(Set(promised.keys))
    }

    /// Cargo unpacks what it has verified; here no other folder may have got among those.
    private func verifyUnpacked(_ crates: Set<String>) throws(BuildFailure) {
        let local = resolved.filter { $0.place == .localRegistry }.map {
            "\($0.package.name)-\($0.package.version).crate"
        }
        for folder in try folders("registry/src") {
            for entry in try list(folder) where !crates.contains(entry.name + ".crate") {
                guard local.contains(entry.name + ".crate") else { throw unexpected("the unpacked crate", entry.name) }
            }
        }
    }

    private func verifyCheckouts(_ packages: [LockedPackage]) throws(BuildFailure) {
        var wanted: [String: String] = [:]
        for package in packages {
            if case .git(_, _, let commit?) = package.source { wanted[commit] = package.title }
        }
        var missing = wanted
        for repository in try folders("git/checkouts") {
            for entry in try list(repository) {
                let checkout = "\(repository)/\(entry.name)"
                let commit = GitHead(repository: "\(home)/\(checkout)/.git").commit
                guard let commit, wanted[commit] != nil else { throw unexpected("the git checkout", checkout) }
                missing[commit] = nil
            }
        }
        if let (commit, title) = missing.min(by: { $0.key < $1.key }) {
            throw BuildFailure(
                .inputVerification, "the git dependency '\(title)' was not checked out at its locked commit \(commit)")
        }
    }

    /// The folders within `folder`, relative to the home; none where it is not there.
    private func folders(_ folder: String) throws(BuildFailure) -> [String] {
        guard ProjectFiles.exists("\(home)/\(folder)") else { return [] }
        return try list(folder).filter { $0.kind == .folder }.map { "\(folder)/\($0.name)" }
    }

    private func list(_ folder: String) throws(BuildFailure) -> [ProjectFiles.Entry] {
        do {
            return try ProjectFiles.list("\(home)/\(folder)").filter { $0.name != "CACHEDIR.TAG" }
        } catch {
            throw BuildFailure(.inputVerification, "the downloads '\(folder)' cannot be read: \(error.reason)")
        }
    }

    private func digest(_ path: String, name: String) throws(BuildFailure) -> Digest256 {
        do {
            return try ProjectFiles.digest(of: path)
        } catch {
            throw BuildFailure(.inputVerification, "the download '\(shown(name))' cannot be read: \(error.reason)")
        }
    }

    private func unexpected(_ what: String, _ name: String) -> BuildFailure {
        BuildFailure(.inputVerification, "\(what) '\(shown(name))' is not one that Cargo.lock names")
    }

    private static func differs(_ name: String, _ found: Digest256, _ expected: Set<Digest256>) -> BuildFailure {
        let promised = expected.map(\.hex).sorted().joined(separator: " or ")
        return BuildFailure(
            .inputVerification,
            "the download '\(shown(name))' has the SHA-256 \(found), Cargo.lock promises \(promised)")
    }

    private static func missing(_ name: String) -> BuildFailure {
        BuildFailure(.inputVerification, "the crate '\(shown(name))' of Cargo.lock was not downloaded")
    }
}

/// The commit that a git repository's `HEAD` names, read from its files.
struct GitHead {
    /// 40 or 64 hexadecimal digits; `nil` where there is none.
    let commit: String?

    /// - Parameter repository: the `.git` folder.
    init(repository: String) {
        let head = Self.text(repository + "/HEAD") ?? ""
        guard head.hasPrefix("ref: refs/"), !head.utf8.contains("..".utf8) else {
            commit = Self.isCommit(head) ? head : nil
            return
        }
        let name = String(head.dropFirst(5))
        let loose = Self.text(repository + "/" + name) ?? ""
        commit = Self.isCommit(loose) ? loose : Self.packed(name, in: repository)
    }

    private static func packed(_ name: String, in repository: String) -> String? {
        for line in (text(repository + "/packed-refs") ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[1] == name, isCommit(String(words[0])) { return String(words[0]) }
        }
        return nil
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? ProjectFiles.read(path, limit: 16 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined(separator: "\n")
    }

    private static func isCommit(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64) && (try? Hex.decode(text)) != nil
    }
}
