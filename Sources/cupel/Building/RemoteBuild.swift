// SPDX-License-Identifier: Apache-2.0
import Archives
import BuildClient
import Builds
import Foundation
import StrictJSON
import Verification

/// A build on a server: submit, follow, download. Dropped connections are taken up again.
struct RemoteBuild: Sendable {
    let server: ServerAddress
    let request: RequestedBuild
    let progress: BuildProgress

    /// Returns why the build failed, or the events that were seen when its result is at ``RequestedBuild/resultPath``.
    func run() async throws -> Result<SeenEvents, BuildFailure> {
        let submission = try submission()
        return try await BuildClient.with(server) { client in
            progress.enter("submit", server.text)
            let job = try await client.submit(submission, onInterruption: say)
            progress.report(["type": "submitted", "job_id": .string(job.id), "server": .string(server.text)])
            do {
                return try await finish(job, client)
            } catch let error as BuildClientError where error.code == .cancelled {
                throw await cancelled(job, client)
            }
        }
    }

    /// What nobody waits for, nobody need build. A second interrupt ends this process at once.
    private func cancelled(_ job: RemoteJob, _ client: BuildClient) async -> CommandFailure {
        progress.note("cancelling job \(job) on the server; interrupt again to leave it alone")
        // A task of its own: this one is cancelled.
        switch await Task(operation: { try await client.cancel(job, onInterruption: say) }).result {
        case .success(true):
            progress.report(["type": "cancelled", "job_id": .string(job.id)])
            return CommandFailure("interrupted; job \(job) is cancelled", status: 130)
        case .success(false):
            return CommandFailure("interrupted", hint: "job \(job) was over already", status: 130)
        case .failure(let error):
            return CommandFailure(
                "interrupted; job \(job) could not be cancelled: \(Console.plain("\(error)"))",
                hint: "the server may go on with it", status: 130)
        }
    }

    private func finish(_ job: RemoteJob, _ client: BuildClient) async throws -> Result<SeenEvents, BuildFailure> {
        var events = SeenEvents.Stream()
        let failure = try await client.follow(
            job,
            onEvent: {
                events.take($0)
                progress.show($0)
            }, onInterruption: say)
        if let failure { return .failure(failure) }
        progress.enter("download")
        let limits = BuildResult.limits
        let isEncoded = try await client.download(
            job, to: request.downloadPath, limit: limits.unpackedSize, onInterruption: say)
        guard isEncoded else {
            guard rename(request.downloadPath, request.resultPath) == 0 else {
                throw CommandFailure("could not keep the result: \(String(cString: strerror(errno)))")
            }
            return .success(events.seen)
        }
        try decodeZstd(file: request.downloadPath, to: request.resultPath, limits: limits)
        return .success(events.seen)
    }

    private func submission() throws -> Submission {
        switch request.source {
        case .repository(let source): return Submission(nonce: request.nonce, source: .git(source))
        case .project(let files):
            progress.enter("pack", "\(files.entries.count) files")
            try files.pack(to: request.archivePath)
            let name = try ArchiveName(files.name + ".tar.gz")
            return Submission(nonce: request.nonce, source: .archive(path: request.archivePath, name: name))
        }
    }

    private func say(_ interruption: Interruption) {
        progress.note("\(Console.plain(interruption.reason)); trying again")
    }
}
