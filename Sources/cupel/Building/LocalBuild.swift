// SPDX-License-Identifier: Apache-2.0
import Attesters
import BuildServer
import Builder
import Builds
import Foundation
import Pipeline

/// A build on this machine: the same pipeline as the server's, for one build.
struct LocalBuild: Sendable {
    let request: RequestedBuild
    let options: Build
    let progress: BuildProgress

    /// Returns why the build failed; `nil` when its result is at ``RequestedBuild/resultPath``.
    func run() async throws -> BuildFailure? {
        let configuration = try configuration()
        let workspaces = try ScratchFolder()
        progress.enter("sandbox")
        let sandbox = try await HostSandbox.prepare(configuration, folder: workspaces.path)
        let chosen = try HostAttester.choose(configuration) { () throws(AttesterError) in
            try SoftwareAttester(privateKey: SoftwareAttester.generateKey())
        }
        let pipeline = try BuildPipeline(configuration, sandbox: sandbox, host: chosen)
        let job = PipelineJob(
            id: Self.newID(), request: BuildRequest(nonce: request.nonce, source: try source()), archivePath: nil,
            attempt: 1, slot: Self.anySlot, folder: request.folder)
        let failure = await pipeline.run(job, events: ProgressSink(progress: progress))
        progress.show(.complete(failure))
        return failure
    }

    /// The server's settings as far as they concern a build, from the environment.
    private func configuration() throws -> Configuration {
        var overrides: [String: String] = [:]
        if options.noSandbox { overrides["sandbox"] = "false" }
        overrides["attester"] = options.attester
        if options.allowPrivateSources { overrides["allow_private_sources"] = "true" }
        return try Configuration.load(
            environment: ProcessInfo.processInfo.environment, overrides: overrides, isRoot: geteuid() == 0)
    }

    /// A folder of this machine is built from a copy of the files that an upload would hold.
    private func source() throws -> SourceRequest {
        switch request.source {
        case .repository(let source): return .git(source)
        case .project(let files):
            progress.enter("copy", "\(files.entries.count) files")
            let copy = "\(request.folder)/\(files.name)"
            try files.copy(to: copy)
            return .folder(FolderSource(path: copy))
        }
    }

    /// A build user that a server on this machine, whose slots count from 0, does not use.
    private static var anySlot: Int { Int.random(in: 1 << 10..<1 << 16) }

    private static func newID() -> JobID {
        var random = SystemRandomNumberGenerator()
        return JobID(high: random.next(), low: random.next())
    }
}
