// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Attesters
internal import Builds
internal import ByteCoding
internal import Evidence
internal import Foundation
internal import Provenance
internal import Sandbox
internal import SourceTrees
internal import StrictJSON
internal import Toolchains

extension BuildRun {
    /// Hashes and packs what the build made, states how it was made, has that signed, and puts the bundle on disk. On a
    /// thread of its own: packing takes seconds, and so may hardware.
    func seal(_ inputs: VerifiedInputs, _ build: CompletedBuild) async throws(BuildFailure) {
        try await onOwnThread { () throws(BuildFailure) in try makeBundle(inputs, build) }
    }

    private func makeBundle(_ inputs: VerifiedInputs, _ build: CompletedBuild) throws(BuildFailure) {
        try events.append([.provenance("Generating provenance")] + build.files.notes.map(BuildEvent.provenance))
        let folder = inputs.source.projectName
        let archive = try TarGzipWriter(
            path: job.unfinishedResultPath, encodedCopy: job.wantsEncodedResult ? job.unfinishedEncodedPath : nil)
        let subjects = try pack(build.files.artifacts, into: archive, under: "\(folder)/artifacts")
        for link in build.files.links {
            try archive.add(linkTo: link.target, as: "\(folder)/artifacts/\(link.name)")
        }
        _ = try archive.add(file: job.logPath, as: "\(folder)/build.log", executable: false)
        let (statement, bill) = try statement(inputs, build, subjects: subjects)
        let provenance = statement.canonicalBytes

        try checkCancellation()
        try events.append([.attest("Generating attestation")])
        let evidence = try attest(provenance)
        _ = try archive.addBytes(evidence, as: "\(folder)/evidence.json")
        _ = try archive.addBytes(provenance, as: "\(folder)/provenance.json")
        _ = try archive.addBytes(bill, as: "\(folder)/\(BuildFacts.billOfMaterialsName)")
        try archive.close()
        try checkCancellation()
        if archive.hasEncodedCopy { try publish(job.unfinishedEncodedPath, as: job.encodedResultPath) }
        // Last: with this name there is a result.
        try publish(job.unfinishedResultPath, as: job.resultPath)
        try synchronizeNames()
    }

    /// Artifacts are read once: hashed and packed in the same pass.
    private func pack(
        _ artifacts: [BuiltArtifact], into archive: TarGzipWriter, under folder: String
    ) throws(BuildFailure) -> [Subject] {
        let output = OutputFolder(path: workspace.path(.output))
        var subjects: [Subject] = []
        var size: Int64 = 0
        for artifact in artifacts.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            try checkCancellation()
            let file = try output.regularFile(at: artifact.relativePath)
            let fileSize = try file.size()
            size += fileSize
            guard size <= settings.limits.artifactSize else {
                throw BuildFailure(
                    .artifact,
                    "the artifacts have more than \(settings.limits.artifactSize) bytes, the limit artifact_size; "
                        + "'\(artifact.name)' has \(fileSize)")
            }
            let digest = try archive.add(
                file, as: "\(folder)/\(artifact.name)", executable: artifact.executable)
            subjects.append(Subject(name: artifact.name, sha256: digest))
        }
        return subjects
    }

    /// The provenance, and the bill of materials that it names.
    private func statement(
        _ inputs: VerifiedInputs, _ build: CompletedBuild, subjects: [Subject]
    ) throws(BuildFailure) -> (Statement, billOfMaterials: [UInt8]) {
        let profile = settings.sandbox.profile
        let facts = BuildFacts(
            buildType: type(of: inputs.toolchain).buildType,
            source: ResolvedSource(
                descriptor: inputs.source.descriptor, externalParameters: inputs.source.externalParameters),
            nonceHex: job.request.nonce.hex,
            isolation: Isolation.name(
                confinement: profile["isolation"]?.stringValue ?? Isolation.unconfined,
                platform: settings.attester.platform),
            internalParameters: internalParameters(inputs, profile),
            tools: inputs.tools,
            commandLine: [build.command.executable] + build.command.arguments,
            environment: build.command.environment,
            phases: build.phases,
            lockfile: inputs.locked.lockfile,
            dependencies: inputs.locked.dependencies + inputs.fetched.dependencies,
            builderID: settings.builderID,
            builderVersion: ["cupel": CupelVersion.text],
            invocationID: job.id.text,
            attempt: job.attempt,
            startedOn: started,
            finishedOn: Timestamp.now,
            logDigest: build.logDigest,
            launchMeasurement: settings.launchMeasurement.map { Hex.encode($0) },
            subjects: subjects, links: build.files.links, byproducts: build.files.byproducts)
        do {
            return (try facts.statement(), facts.billOfMaterials())
        } catch {
            throw BuildFailure(.provenance, "the provenance could not be stated: \(error)")
        }
    }

    private func internalParameters(_ inputs: VerifiedInputs, _ profile: JSONValue) -> [String: JSONValue] {
        var parameters = ["sandbox": profile]
        parameters["project"] = inputs.project.settings.json
        if !inputs.fetched.parameters.isEmpty {
            parameters[type(of: inputs.toolchain).name] = .object(inputs.fetched.parameters)
        }
        return parameters
    }

    private func attest(_ provenance: [UInt8]) throws(BuildFailure) -> [UInt8] {
        do {
            let request = try AttestationRequest(
                provenanceDigest: Digest256(of: provenance), nonce: job.request.nonce.bytes)
            return try settings.attester.attest(request).canonicalBytes
        } catch {
            throw BuildFailure(.attestation, "the evidence could not be made: \(error)")
        }
    }

    /// The finished file is on disk already; its name appears in one step.
    private func publish(_ unfinished: String, as path: String) throws(BuildFailure) {
        guard rename(unfinished, path) == 0 else { throw unpublished() }
    }

    /// Returns when the names in the job's folder would outlive a power cut.
    private func synchronizeNames() throws(BuildFailure) {
        let folder = uninterrupted { open(job.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard folder >= 0 else { throw unpublished() }
        defer { close(folder) }
        guard uninterrupted({ fsync(folder) }) == 0 else { throw unpublished() }
    }

    private func unpublished() -> BuildFailure {
        BuildFailure(.internal, "the result could not be put in place: \(String(cString: strerror(errno)))")
    }
}
