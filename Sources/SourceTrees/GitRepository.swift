// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds
internal import Foundation
internal import Synchronization

/// One repository on its way from a server to a folder of the source.
struct GitRepository {
    let url: GitURL
    let runner: any CommandRunner
    let limit: WorkLimit
    let call: GitCommand

    /// What was asked for, as the server names it.
    enum Wanted {
        case ref(String)
        case commit(String)
        /// The first digits of a commit's id.
        case abbreviation(String)
    }

    /// Bytes of one answer of git's that are kept.
    private static let answerLimit = 1 << 20

    /// Makes an empty repository that checks files out as they are stored.
    func create() async throws(BuildFailure) {
        _ = try await require(["init", "--quiet", "--template="], network: false, "make a repository")
        let info = "\(call.workspace.path(.home))/\(call.repository)/info"
        guard mkdir(info, 0o755) == 0, chmod(info, 0o755) == 0 else { throw writingFailed(info) }
        let file = try OpenFile(creating: info + "/attributes", mode: 0o644)
        var text = GitCommand.attributes
        let result: Result<Void, BuildFailure> = text.withUTF8 { bytes in
            Result { () throws(BuildFailure) in try file.write(UnsafeRawBufferPointer(bytes)) }
        }
        try result.get()
    }

    /// Finds out what `ref` is on the server. Throws `SourceError` naming it where it is not there.
    func resolve(_ ref: GitRef?) async throws(BuildFailure) -> Wanted {
        if let ref, ref.isCommit { return .commit(ref.text.lowercased()) }
        let arguments = ["ls-remote", "--quiet", "--symref", url.text] + GitRefs.patterns(for: ref)
        let answer = try await require(arguments, network: true, "reach the repository")
        if let name = try GitRefs(answer).fullName(of: ref) { return .ref(name) }
        guard let ref else { throw BuildFailure(.source, "the repository \(url) has no default branch; name a ref") }
        if (7..<40).contains(ref.text.count), ref.text.allSatisfy({ $0.isASCII && $0.isHexDigit }) {
            return .abbreviation(ref.text)
        }
        throw BuildFailure(.source, "the repository \(url) has no branch or tag '\(printable(ref.text))'")
    }

    /// Fetches as little as the server allows, and checks it out. The commit's id and tree are computed from its bytes.
    func checkOut(_ wanted: Wanted) async throws(BuildFailure) -> GitCommit {
        let revision = try await fetch(wanted)
        let checkOut = ["checkout", "--quiet", "--force", "--detach", revision + "^{commit}"]
        guard case .success = try await run(checkOut, network: false) else {
            throw BuildFailure(.source, "\(describe(wanted)) is no commit that can be checked out of \(url)")
        }
        let head = try await require(["rev-parse", "--verify", "HEAD^{commit}"], network: false, "name the commit")
        let commit = try GitCommit(
            try await require(["cat-file", "commit", "HEAD"], network: false, "read the commit"))
        guard commit.id.hex == String(decoding: head, as: UTF8.self).trimmingCharacters(in: .newlines) else {
            throw BuildFailure(
                .inputVerification, "the commit that git checked out of \(url) has another id than it says")
        }
        if case .commit(let id) = wanted, commit.id.hex != id {
            throw BuildFailure(.inputVerification, "git checked out \(commit.id) of \(url), asked for was \(id)")
        }
        return commit
    }

    /// The submodules of the commit that is checked out: their paths and commits.
    func submoduleCommits() async throws(BuildFailure) -> [String: GitObjectID] {
        let records = Mutex(GitTreeRecords())
        let outcome = try await runner.run(
            call.command(["ls-tree", "-r", "-z", "--full-tree", "HEAD"], network: false, seconds: limit.secondsLeft)
        ) { (stream, bytes) throws(BuildFailure) in
            if stream == .standardOutput { records.withLock { $0.take(bytes) } }
        }
        guard outcome.succeeded else { throw BuildFailure(.source, "git could not list the files of \(url)") }
        return try records.withLock { (records) throws(BuildFailure) in try records.submodules() }
    }

    /// Where the submodules come from, as `.gitmodules` of the commit says.
    func submoduleSources() async throws(BuildFailure) -> GitModules {
        let pattern = "^submodule\\..*\\.(path|url|update)$"
        let arguments = ["config", "-z", "--blob", "HEAD:.gitmodules", "--get-regexp", pattern]
        guard case .success(let answer) = try await run(arguments, network: false) else { return GitModules([]) }
        return GitModules(answer)
    }

    private func fetch(_ wanted: Wanted) async throws(BuildFailure) -> String {
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"]
        let kept = "refs/cupel/wanted"
        switch wanted {
        case .ref(let name):
            let refspec = "+\(name):\(kept)"
            if case .success = try await run(fetch + ["--depth=1", url.text, refspec], network: true) { return kept }
            _ = try await require(fetch + [url.text, refspec], network: true, "fetch '\(printable(name))'")
            return kept
        case .commit(let id):
            let shallow = fetch + ["--depth=1", url.text, "+\(id):\(kept)"]
            if case .success = try await run(shallow, network: true) { return kept }
            try await fetchEverything(fetch)
            return id
        case .abbreviation(let digits):
            try await fetchEverything(fetch)
            let lookUp = ["rev-parse", "--verify", "--quiet", digits + "^{commit}"]
            guard case .success(let answer) = try await run(lookUp, network: false) else {
                throw BuildFailure(.source, "the repository \(url) has no branch, tag or commit '\(digits)'")
            }
            return String(decoding: answer, as: UTF8.self).trimmingCharacters(in: .newlines)
        }
    }

    private func fetchEverything(_ fetch: [String]) async throws(BuildFailure) {
        let refspecs = ["+refs/heads/*:refs/cupel/heads/*", "+refs/tags/*:refs/cupel/tags/*"]
        _ = try await require(fetch + [url.text] + refspecs, network: true, "fetch the repository")
    }

    private func describe(_ wanted: Wanted) -> String {
        switch wanted {
        case .ref(let text), .commit(let text), .abbreviation(let text): "'\(printable(text))'"
        }
    }

    private func require(
        _ arguments: [String], network: Bool, _ purpose: String
    ) async throws(BuildFailure) -> [UInt8] {
        switch try await run(arguments, network: network) {
        case .success(let answer): return answer
        case .failure(let reason):
            throw BuildFailure(.source, "git could not \(purpose) (\(url)): \(reason.text)")
        }
    }

    /// git's own words for why it failed.
    struct Refusal: Error { let text: String }

    private func run(_ arguments: [String], network: Bool) async throws(BuildFailure) -> Result<[UInt8], Refusal> {
        try limit.check()
        let answer = Mutex(GitAnswer(limit: Self.answerLimit))
        let command = call.command(arguments, network: network, seconds: limit.secondsLeft)
        let outcome = try await runner.run(command) { (stream, bytes) throws(BuildFailure) in
            try answer.withLock { (answer) throws(BuildFailure) in try answer.take(stream, bytes) }
        }
        return answer.withLock { answer in
            outcome.succeeded ? .success(answer.output) : .failure(Refusal(text: answer.reason(outcome)))
        }
    }
}
