// SPDX-License-Identifier: Apache-2.0
import Archives
import Attesters
import Builds
import ByteCoding
import Evidence
import Foundation
import Pipeline
import Sandbox
import StrictJSON
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
        _ files: [String: String], attempt: Int = 1, events: Events, attester: (any Attester)? = nil,
        measurement: [UInt8]? = nil, wantsEncodedResult: Bool = false, inspect: (String) throws -> Void = { _ in }
    ) async throws -> (failure: BuildFailure?, job: [String], workspaces: [String]) {
        let root = FileManager.default.temporaryDirectory.path + "/cupel-pipeline-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for name in ["job", "workspaces"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        try Self.write(files, to: root + "/tiny")
        let settings = PipelineSettings(
            sandbox: try await Sandbox.prepare(confinement: .none, folder: root + "/workspaces"),
            attester: try attester ?? SoftwareAttester(privateKey: SoftwareAttester.generateKey()),
            launchMeasurement: measurement,
            limits: BuildLimits(),
            allowPrivateSources: false, builderID: "https://example.com/builder", toolDigests: ToolDigestCache())
        let request = BuildRequest(
            nonce: try Nonce(hex: "00ff"), source: .folder(FolderSource(path: root + "/tiny")))
        let job = PipelineJob(
            id: JobID(high: 1, low: 2), request: request, archivePath: nil, attempt: attempt, slot: 0,
            folder: root + "/job", wantsEncodedResult: wantsEncodedResult)
        let failure = await BuildPipeline(settings: settings).run(job, events: events)
        if failure == nil { try inspect(job.resultPath) }
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
    func aResultIsPackedForClientsThatTakeZstdWhereThatIsWanted() async throws {
        let result = try await build(Self.project, events: Events(), wantsEncodedResult: true) { path in
            #expect(sizeOfWholeEncodedCopy(path + ".zst") != nil)
        }
        #expect(result.failure == nil)
        #expect(result.job == ["result.tar.gz", "result.tar.gz.zst"])
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

    /// Plays hardware: remembers what it was asked, and answers or fails.
    private final class Hardware: Attester {
        let platform = "snp"
        let isBroken: Bool
        private let asked = Mutex<[AttestationRequest]>([])

        init(isBroken: Bool = false) { self.isBroken = isBroken }

        var requests: [AttestationRequest] { asked.withLock { $0 } }

        func attest(_ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope {
            asked.withLock { $0.append(request) }
            if isBroken { throw AttesterError(.failed, "the hardware did not answer") }
            return EvidenceEnvelope(platform: platform, evidence: [:])
        }
    }

    private static func file(_ name: String, of tarball: String) throws -> [UInt8] {
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/tar")
        tar.arguments = ["-xzOf", tarball, name]
        let output = Pipe()
        tar.standardOutput = output
        try tar.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        tar.waitUntilExit()
        return Array(bytes)
    }

    @Test(.enabled(if: hasRust, "no Rust toolchain is installed"))
    func theHardwareIsAskedForTheDigestAndTheNonceAlone() async throws {
        let hardware = Hardware()
        let measurement = [UInt8](repeating: 0xAB, count: 48)
        let result = try await build(
            Self.project, events: Events(), attester: hardware, measurement: measurement
        ) { tarball in
            let bytes = try Self.file("tiny/provenance.json", of: tarball)
            #expect(hardware.requests.map(\.bytes) == [Digest256(of: bytes).bytes + [0x00, 0xFF]])
            let provenance = try JSONValue(parsing: bytes)["predicate"]
            let byproducts = provenance?["runDetails"]?["byproducts"]?.arrayValue ?? []
            let named = byproducts.first { $0["name"]?.stringValue == "launch_measurement" }
            #expect(named?["digest"]?["sha384"]?.stringValue == Hex.encode(measurement))
            // What builds unconfined is not isolated by the machine around the builder.
            let parameters = provenance?["buildDefinition"]?["internalParameters"]
            #expect(parameters?["isolation"]?.stringValue == "none")
            let evidence = try EvidenceEnvelope(parsing: Self.file("tiny/evidence.json", of: tarball))
            #expect(evidence.platform == "snp")
        }
        #expect(result.failure == nil)
    }

    @Test(.enabled(if: hasRust, "no Rust toolchain is installed"))
    func hardwareThatDoesNotAnswerLeavesNoResult() async throws {
        let result = try await build(Self.project, events: Events(), attester: Hardware(isBroken: true))
        #expect(result.failure?.kind == .attestation)
        #expect(result.failure?.message == "the evidence could not be made: the hardware did not answer")
        #expect(result.job.isEmpty && result.workspaces.isEmpty)
    }
}
