// SPDX-License-Identifier: Apache-2.0
internal import BuildClient
internal import Builds
internal import Logging
internal import Synchronization

/// What is said between the host and the agent in a machine: the submission, the events, the result.
struct Conversation: Sendable {
    let job: RelayJob
    let machine: any BuildMachine
    let events: RelayedEvents
    let limits: RelayLimits
    let logger: Logger

    /// Never throws: a conversation that breaks off is news too.
    func run() async -> RelayVerdict.News {
        // What made us break it off ourselves.
        let refusal = Refusal()
        do {
            let failure = try await BuildClient.with(
                try ServerAddress(machine.address), schedule: limits.schedule, silenceLimit: limits.silence
            ) { client in
                let remote = try await client.submit(try submission(), onInterruption: say)
                events.begin()
                let failure = try await follow(remote, client, refusal)
                if let failure { return BuildFailure?.some(Self.outcome(failure)) }
                try await client.download(
                    remote, to: job.unfinishedResultPath, limit: limits.resultSize, takesZstd: false,
                    onInterruption: say)
                return nil
            }
            return .settled(failure)
        } catch let failure as BuildFailure {
            return .settled(failure)
        } catch {
            return news(error as? BuildClientError, refusal)
        }
    }

    private func submission() throws(BuildFailure) -> Submission {
        switch job.request.source {
        case .git(let source): return Submission(nonce: job.request.nonce, source: .git(source))
        case .archive(let archive):
            guard let path = job.archivePath else {
                throw BuildFailure(.internal, "the upload of the job is not there: submit it again")
            }
            return Submission(nonce: job.request.nonce, source: .archive(path: path, name: archive.name))
        case .folder:
            throw BuildFailure(.internal, "a folder of this machine cannot be built in another")
        }
    }

    private func follow(
        _ remote: RemoteJob, _ client: BuildClient, _ refusal: Refusal
    ) async throws(BuildClientError) -> BuildFailure? {
        var hasNetwork = true
        return try await client.follow(
            remote,
            onEvent: { event throws(BuildClientError) in
                do throws(BuildFailure) {
                    if event.endsFetching, hasNetwork {
                        try await cutNetwork()
                        hasNetwork = false
                    }
                    switch event {
                    case .queued, .complete: return
                    default: try events.relay(event)
                    }
                } catch {
                    refusal.set(error)
                    throw BuildClientError(.stopped, error.message)
                }
            }, onInterruption: say)
    }

    /// The build's own code runs from here on. The machine cuts it off too, from within.
    private func cutNetwork() async throws(BuildFailure) {
        do {
            try await machine.cutNetwork()
            logger.info("The machine's network was cut")
        } catch {
            throw BuildFailure(.machine, "the machine's network could not be cut before the build: \(error.message)")
        }
    }

    /// An agent that nobody asked to stop has no reason to: its requester's wish is known here.
    private static func outcome(_ failure: BuildFailure) -> BuildFailure {
        switch failure.kind {
        case .cancelled, .interrupted:
            BuildFailure(.machine, "the machine's agent gave the build up: \(failure.message)").bounded
        default: failure.bounded
        }
    }

    private func news(_ error: BuildClientError?, _ refusal: Refusal) -> RelayVerdict.News {
        guard let error else { return .broken(BuildFailure(.machine, "the machine's agent could not be spoken to")) }
        switch error.code {
        case .cancelled: return .settled(RelayedBuild.cancelled)
        case .stopped: return .settled(refusal.failure ?? BuildFailure(.internal, error.message))
        case .tooLarge:
            return .settled(
                BuildFailure(
                    .resourceLimit,
                    "the machine's result has more than \(limits.resultSize) bytes, the sum of limits.artifact_size, "
                        + "limits.log_size and room for the rest"))
        case .file: return .settled(BuildFailure(.internal, "the result could not be kept: \(error.message)"))
        case .refused where !events.hasBegun:
            if let failure = Self.refusal(of: error) { return .settled(failure) }
            fallthrough
        default: return .broken(BuildFailure(.machine, "the machine's agent does not do its part: \(error.message)"))
        }
    }

    /// What of the request itself the agent refuses: another machine would as well. Any other refusal, such as that of a
    /// machine that has had its build, is none of the requester's doing.
    private static func refusal(of error: BuildClientError) -> BuildFailure? {
        let kind: BuildFailure.Kind
        switch error.status {
        case 400, 415: kind = .source
        case 413: kind = .resourceLimit
        default: return nil
        }
        return BuildFailure(kind, "the machine does not take the request: \(error.message)").bounded
    }

    private func say(_ interruption: Interruption) {
        logger.warning("The conversation with a machine broke", metadata: ["error": "\(interruption.reason)"])
    }
}

/// Why a stream is read no further.
private final class Refusal: Sendable {
    private let stored = Mutex<BuildFailure?>(nil)

    func set(_ failure: BuildFailure) { stored.withLock { $0 = failure } }

    var failure: BuildFailure? { stored.withLock { $0 } }
}
