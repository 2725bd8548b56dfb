// SPDX-License-Identifier: Apache-2.0
package import Builds

extension NixPlan {
    /// Some derivations to realise together.
    package struct Stage: Hashable, Sendable {
        package let network: Bool
        package let derivations: [NixStorePath]
    }

    /// Paths that stand on one command line: some 512 KiB, of 2 MiB that Linux takes.
    static let batchSize = 2000

    /// The same paths in the same order, in as many parts as command lines need.
    package static func batches(_ paths: [NixStorePath], of size: Int = batchSize) -> [[NixStorePath]] {
        stride(from: 0, to: paths.count, by: size).map { start in
            Array(paths[start..<min(start + size, paths.count)])
        }
    }

    /// The stages before the build phase. A program that fetches may have to be built first, without network, from
    /// what an earlier stage fetched. Those of one stage need nothing of each other, so a long one is cut into several.
    ///
    /// Throws `ResourceLimitError` where downloads wait for each other too often.
    package func stages(for missing: Set<NixStorePath>) throws(BuildFailure) -> [Stage] {
        let ranks = ranks(of: missing)
        let ranked = Dictionary(grouping: fixed(among: missing).filter { ranks[$0] != nil }) { ranks[$0] ?? 0 }
        guard ranked.count <= limits.downloadStages else {
            throw Self.tooMuch(limits.downloadStages, "downloads that wait for one another")
        }
        var stages: [Stage] = []
        var built: Set<NixStorePath> = []
        for (_, fetched) in ranked.sorted(by: { $0.key < $1.key }) {
            let programs = Set(fetched.flatMap { derivations[$0]?.inputDerivations.map(\.path) ?? [] })
            let unbuilt = programs.filter {
                missing.contains($0) && derivations[$0]?.fixedOutput == nil && !built.contains($0)
            }
            built.formUnion(unbuilt)
            stages += cut(unbuilt.sorted()).map { Stage(network: false, derivations: $0) }
            stages += cut(fetched).map { Stage(network: true, derivations: $0) }
        }
        return stages
    }

    private func cut(_ paths: [NixStorePath]) -> [[NixStorePath]] { Self.batches(paths, of: limits.stageSize) }

    /// For each derivation how many fixed-output derivations follow each other on the longest way to it, itself
    /// included. Without recursion: the graph can be deep.
    private func ranks(of missing: Set<NixStorePath>) -> [NixStorePath: Int] {
        var ranks: [NixStorePath: Int] = [:]
        var waiting = [top]
        while let path = waiting.last {
            guard ranks[path] == nil, let derivation = derivations[path] else {
                waiting.removeLast()
                continue
            }
            let inputs = derivation.inputDerivations.map(\.path).filter { missing.contains($0) }
            let open = inputs.filter { ranks[$0] == nil }
            guard open.isEmpty else {
                waiting += open
                continue
            }
            let before = inputs.compactMap { ranks[$0] }.max() ?? 0
            ranks[path] = before + (derivation.fixedOutput == nil ? 0 : 1)
            waiting.removeLast()
        }
        return ranks
    }
}
