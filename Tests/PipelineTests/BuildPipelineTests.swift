// SPDX-License-Identifier: Apache-2.0
import Attesters
import Builds
import Foundation
import Pipeline
import Sandbox
import Synchronization
import Testing
import Toolchains

/// Builds a tiny project for real, unconfined, so that the tests run on any machine that has a Rust toolchain.
@Suite struct BuildPipelineTests {
    static let hasRust = (try? RustInstallation.find(for: "/nonexistent")) != nil

    private final class Events: BuildEventSink {
        private let events = Mutex<[BuildEvent]>([])
        /// Refuses all events from this one on.
        let capacity: Int

        init(capacity: Int = .max) { self.capacity = capacity }

        var all: [BuildEvent] { events.withLock { $0 } }

        func append(_ new: [BuildEvent]) throws(BuildFailure) {
            try events.withLock { (events) throws(BuildFailure) in
                guard events.count + new.count <= capacity else {
                    throw BuildFailure(.resourceLimit, "the log is full")
                }
                events += new
            }
        }
    }

    private static func write(_ files: [String: String], to folder: String) throws {
        for (name, text) in files {
            let file = URL(fileURLWithPath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    private static let project = [
        "Cargo.toml": "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        "Cargo.lock": "version = 3\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n",
        "src/main.rs": "fn main() {}\n",
    ]

    /// Runs one build; returns its failure and the names that it left in the job's and the workspaces' folder.
    private func build(
        _ files: [String: String], attempt: Int = 1, events: Events
    ) async throws -> (failure: BuildFailure?, job: [String], workspaces: [String]) {
        let root = FileManager.default.temporaryDirectory.path + "/cupel-pipeline-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for name in ["job", "workspaces"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        try Self.write(files, to: root + "/tiny")
        let settings = PipelineSettings(
            sandbox: try await Sandbox.prepare(confinement: .none, folder: root + "/workspaces"),
            attester: try SoftwareAttester(privateKey: SoftwareAttester.generateKey()), launchMeasurement: nil,
            limits: BuildLimits(),
            allowPrivateSources: false, builderID: "https://example.com/builder", toolDigests: ToolDigestCache())
        let request = BuildRequest(
            nonce: try Nonce(hex: "00ff"), source: .folder(FolderSource(path: root + "/tiny")))
        let job = PipelineJob(
            id: JobID(high: 1, low: 2), request: request, archivePath: nil, attempt: attempt, slot: 0,
            folder: root + "/job")
        let failure = await BuildPipeline(settings: settings).run(job, events: events)
        let list = { (name: String) in try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(name)").sorted() }
        return (failure, try list("job"), try list("workspaces"))
    }

    @Test(.enabled(if: hasRust, "no Rust toolchain is installed"))
    func aGoodBuildLeavesItsResultAndNothingElse() async throws {
        let events = Events()
        let result = try await build(Self.project, events: events)
        #expect(result.failure == nil)
        #expect(result.job == ["result.tar.gz"])
        #expect(result.workspaces.isEmpty)
        #expect(Array(events.all.prefix(2)) == [.detect("cargo"), .initialize("Verifying build inputs")])
        #expect(
            Array(events.all.suffix(2)) == [.provenance("Generating provenance"), .attest("Generating attestation")])
        #expect(events.all.contains { if case .build = $0 { true } else { false } })
        #expect(!events.all.contains { $0.isComplete }, "the last event is the caller's to send")
    }

    @Test(.enabled(if: hasRust, "no Rust toolchain is installed"))
    func aSecondAttemptSaysThatItStartsAfresh() async throws {
        let events = Events()
        _ = try await build(Self.project, attempt: 2, events: events)
        #expect(events.all.contains { if case .initialize(let text) = $0 { text.contains("afresh") } else { false } })
    }

    @Test(
        .enabled(if: hasRust, "no Rust toolchain is installed"),
        arguments: [
            ("src/main.rs", "fn main() { nonsense }\n", BuildFailure.Kind.build),
            ("Cargo.lock", "version = 3\n[[pack", .lockfile),
            (".cargo/config.toml", "[build]\nrustc = \"./x\"\n", .unsupportedToolchain),
        ])
    func aFailedBuildLeavesNothing(file: String, text: String, kind: BuildFailure.Kind) async throws {
        var files = Self.project
        files[file] = text
        let result = try await build(files, events: Events())
        #expect(result.failure?.kind == kind)
        #expect(result.job.isEmpty)
        #expect(result.workspaces.isEmpty)
    }

    @Test func aProjectOfNoKnownKindIsRefusedBeforeAnyEvent() async throws {
        let events = Events()
        let result = try await build(["readme.txt": "nothing to build"], events: events)
        #expect(result.failure?.kind == .unsupportedToolchain)
        #expect(events.all.isEmpty)
    }

    /// Whatever event cannot be kept, the build ends with that reason and leaves nothing.
    @Test(.enabled(if: hasRust, "no Rust toolchain is installed"), arguments: 0...5)
    func aLogThatCannotBeKeptEndsTheBuild(capacity: Int) async throws {
        let result = try await build(Self.project, events: Events(capacity: capacity))
        #expect(result.failure?.kind == .resourceLimit)
        #expect(result.job.isEmpty)
        #expect(result.workspaces.isEmpty)
    }
}
