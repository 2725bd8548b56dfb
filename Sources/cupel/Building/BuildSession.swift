// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Builds
import Foundation
import StrictJSON
import Verification

/// One run of `cupel build`: source, build, result, verdict.
struct BuildSession {
    private let options: Build
    private let progress: BuildProgress

    init(_ options: Build) {
        self.options = options
        progress = BuildProgress(json: options.json)
    }

    func run() async throws {
        let nonce = try options.chosenNonce()
        let policy = try options.verificationPolicy(nonce)
        let server = try options.serverAddress()
        let source = try await source()
        let output = try outputFolder()
        try refuseExisting("\(output)/\(source.name)")
        if options.nonce == nil { announce(nonce) }

        let folder = try TemporaryFolder(in: output)
        let request = RequestedBuild(nonce: nonce, source: source, folder: folder.path)
        let outcome: Result<SeenEvents?, BuildFailure> = try await progress.during {
            if let server {
                return try await RemoteBuild(server: server, request: request, progress: progress).run().map { $0 }
            }
            let failure = try await LocalBuild(request: request, options: options, progress: progress).run()
            return failure.map { .failure($0) } ?? .success(nil)
        }
        switch outcome {
        case .failure(let failure): throw failed(failure)
        case .success(let seen):
            if !options.json { Console.note(summary) }
            try await BuildResult(
                request: request, output: output, json: options.json, policy: policy,
                collateralOptions: options.collateralOptions, seen: seen
            ).settle()
        }
    }

    private func source() async throws -> RequestedBuild.Source {
        if options.isRepository { return .repository(try options.repository()) }
        let files = try await ProjectFiles.list(options.source, excluding: options.output)
        guard !files.entries.isEmpty else { throw CommandFailure("the project at \(options.source) holds no file") }
        switch files.origin {
        case .folder:
            if !options.json { Console.note("not under git: all files but target/ and .git are built") }
        case .commit(let id, let differences):
            if !differences.isEmpty { try warnOfDifferences(differences, id) }
        }
        return .project(files)
    }

    private func warnOfDifferences(_ differences: [String], _ commit: String) throws {
        let shown = differences.prefix(5).joined(separator: ", ") + (differences.count > 5 ? ", …" : "")
        let count = differences.count == 1 ? "1 file differs" : "\(differences.count) files differ"
        guard options.allowDirty else {
            throw CommandFailure(
                "\(count) from commit \(commit.prefix(12)): \(shown)",
                hint: "commit or remove them, or say --allow-dirty: what is built is then not that commit")
        }
        Console.warn("what is built is not commit \(commit.prefix(12)): \(count): \(shown)")
    }

    private func outputFolder() throws -> String {
        let path = URL(fileURLWithPath: options.output).path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("could not make the folder \(path): \(error.localizedDescription)")
        }
        return path
    }

    /// Early, before anything is built.
    private func refuseExisting(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) != 0 else {
            throw CommandFailure("\(path) is there already", hint: "remove it, or name another folder with --output")
        }
    }

    private func announce(_ nonce: Nonce) {
        progress.report(["type": "nonce", "nonce": .string(nonce.hex)])
        if !options.json { Console.note("nonce: \(nonce.hex)") }
    }

    private var summary: String {
        let crates = ProgressState.counted(progress.crates).map { ", \($0) compiled" } ?? ""
        return "built in \(progress.elapsed.minutesAndSeconds)\(crates)"
    }

    private func failed(_ failure: BuildFailure) -> CommandFailure {
        if Task.isCancelled { return CommandFailure("interrupted", status: 130) }
        if failure.kind == .build, Console.isTerminal(2), !options.json {
            for line in progress.tail { Console.note(line) }
        }
        return CommandFailure("\(failure.kind.rawValue): \(Console.plain(failure.message))", status: 1)
    }
}

/// What is to be built, and where its files go meanwhile.
struct RequestedBuild: Sendable {
    enum Source: Sendable {
        case repository(GitSource)
        case project(ProjectFiles)

        /// What the result's folder will be called.
        var name: String {
            switch self {
            case .repository(let source): source.url.repositoryName
            case .project(let files): files.name
            }
        }
    }

    let nonce: Nonce
    let source: Source
    /// A folder of ours.
    let folder: String

    /// The packed project.
    var archivePath: String { folder + "/source.tar.gz" }
    /// The result as a server sends it, which may have a content coding.
    var downloadPath: String { folder + "/result.download" }
    /// The result, a `.tar.gz`.
    var resultPath: String { folder + "/result.tar.gz" }
}
