// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Provenance
internal import Toolchains

extension BuildRun {
    /// The build phase: no network, sources read-only, each line of the log an event; then what it left.
    func build(_ inputs: VerifiedInputs) async throws(BuildFailure) -> CompletedBuild {
        var toolchain = inputs.toolchain
        try await toolchain.build(inputs.steps)
        let collected = try await toolchain.collect(inputs.steps)
        let record = inputs.steps.recorded
        guard let (command, logDigest) = record.build else {
            throw BuildFailure(.internal, "the toolchain '\(type(of: toolchain).name)' ran no build phase")
        }
        return CompletedBuild(
            command: command, phases: record.phases, files: try selected(collected, inputs.project.settings),
            logDigest: logDigest)
    }

    /// Of what the build left, what `cupel.toml` asks for.
    private func selected(
        _ files: CollectedFiles, _ settings: ProjectSettings
    ) throws(BuildFailure) -> CollectedFiles {
        guard !settings.artifacts.isEmpty else { return files }
        let names = try settings.artifacts.select(files.artifacts.map(\.name) + files.links.map(\.name))
        let artifacts = files.artifacts.filter { names.contains($0.name) }
        let links = files.links.filter { names.contains($0.name) }
        try check(links, beside: artifacts)
        return CollectedFiles(
            artifacts: artifacts, links: links, byproducts: files.byproducts, notes: files.notes)
    }

    private func check(_ links: [ArtifactLink], beside artifacts: [BuiltArtifact]) throws(BuildFailure) {
        let leading: [ArtifactLink]
        do {
            leading = try ArtifactLink.leading(links, to: artifacts.map(\.name))
        } catch {
            throw BuildFailure(.artifact, "the artifacts cannot be stated: \(error)")
        }
        guard leading.count < links.count else { return }
        // The others are in the same order.
        let same = zip(links, leading).prefix { $0 == $1 }.count
        let lost = links[same]
        throw BuildFailure(
            .artifact,
            "'artifacts' in cupel.toml keeps the link '\(lost.name)', but not '\(lost.target)' to which it leads; keep "
                + "that too")
    }
}
