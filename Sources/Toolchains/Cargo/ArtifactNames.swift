// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

/// Gives reported artifacts their names in the result.
struct ArtifactNames {
    let reported: [ReportedArtifact]
    /// The output part as Cargo saw it.
    let output: String

    /// - Parameter original: finds the file that the compiler made for an artifact whose reported place another one
    ///   took too; `nil` where it cannot be found.
    func artifacts(
        original: (ReportedArtifact, String) throws(BuildFailure) -> String?
    ) throws(BuildFailure) -> [BuiltArtifact] {
        var placed = try placed()
        guard !placed.isEmpty else {
            throw BuildFailure(
                .artifact,
                "the build made no artifact: expected a program, or a library of the type cdylib, staticlib or dylib")
        }
        for index in Self.contestedIndices(placed) {
            placed[index].path = try separate(placed[index].artifact, placed[index].path, original)
        }
        return try named(placed)
    }

    /// The artifacts whose reported place another one took too.
    func contested() throws(BuildFailure) -> [Placed] {
        let placed = try placed()
        return Self.contestedIndices(placed).map { placed[$0] }
    }

    /// An artifact and its path below the output part.
    typealias Placed = (artifact: ReportedArtifact, path: String)

    private func placed() throws(BuildFailure) -> [Placed] {
        var placed: [Placed] = []
        for artifact in Self.unique(reported) { placed.append((artifact, try relativePath(of: artifact.file))) }
        return placed
    }

    private static func contestedIndices(_ placed: [Placed]) -> [Int] {
        let claims = Dictionary(grouping: placed, by: \.path)
        return placed.indices.filter { (claims[placed[$0].path]?.count ?? 0) > 1 }
    }

    private func separate(
        _ artifact: ReportedArtifact, _ path: String,
        _ original: (ReportedArtifact, String) throws(BuildFailure) -> String?
    ) throws(BuildFailure) -> String {
        if let found = try original(artifact, path) { return found }
        throw BuildFailure(
            .artifact,
            "more than one package of the project makes '\(shown(path))', '\(artifact.package)' is one of them; give "
                + "their targets different names")
    }

    private func named(
        _ placed: [Placed]
    ) throws(BuildFailure) -> [BuiltArtifact] {
        let plain = placed.map { PathParts.last($0.artifact.file) ?? $0.artifact.file }
        let prefixed = zip(placed, plain).map { "\($0.artifact.package)/\($1)" }
        let counts = Dictionary(grouping: plain, by: \.self).mapValues(\.count)
        let prefixedCounts = Dictionary(grouping: prefixed, by: \.self).mapValues(\.count)
        var artifacts: [BuiltArtifact] = []
        for (index, entry) in placed.enumerated() {
            var name = counts[plain[index]] == 1 ? plain[index] : prefixed[index]
            if counts[plain[index]] != 1, prefixedCounts[prefixed[index]] != 1 {
                name = "\(entry.artifact.package)/\(entry.path)"
            }
            artifacts.append(
                BuiltArtifact(name: name, relativePath: entry.path, executable: entry.artifact.executable))
        }
        guard Set(artifacts.map(\.name)).count == artifacts.count else {
            throw BuildFailure(.artifact, "two artifacts of the build cannot be told apart by name")
        }
        return artifacts.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The path below the output part.
    private func relativePath(of file: String) throws(BuildFailure) -> String {
        let isClean = file.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard let path = PathParts.below(output, file), PathParts.isPlain(path), isClean else {
            throw BuildFailure(
                .artifact, "the artifact '\(shown(file))' does not lie in the output folder of the build")
        }
        return path
    }

    /// Cargo reports a target once for each build of it; the file is one.
    private static func unique(_ reported: [ReportedArtifact]) -> [ReportedArtifact] {
        var seen: Set<ReportedArtifact> = []
        return reported.filter { seen.insert($0).inserted }
    }
}
