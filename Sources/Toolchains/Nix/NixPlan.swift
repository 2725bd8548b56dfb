// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import ByteCoding

/// All derivations that a result needs, and in which order they are realised so that only fixed-output derivations,
/// whose hash is known beforehand, ever run with network.
package struct NixPlan: Sendable {
    /// Some derivations to realise together.
    package struct Stage: Hashable, Sendable {
        package let network: Bool
        package let derivations: [NixStorePath]
    }

    package typealias Derivation = NixDerivation

    private static let maximumDerivations = 100_000

    package let top: NixStorePath
    package private(set) var derivations: [NixStorePath: NixDerivation] = [:]

    /// Reads the derivation at `top` and all that it needs.
    ///
    /// Throws `InputVerificationError` where one is not what its path says, `UnsupportedToolchainError` for a kind of
    /// derivation that has no hash beforehand and may fetch.
    package init(top: NixStorePath, in store: NixStore) throws(BuildFailure) {
        self.top = top
        var waiting = [top]
        while let path = waiting.popLast() {
            guard derivations[path] == nil else { continue }
            guard derivations.count < Self.maximumDerivations else {
                throw BuildFailure(
                    .resourceLimit, "the build needs more than \(Self.maximumDerivations) derivations")
            }
            let derivation = try store.derivation(at: path)
            derivations[path] = derivation
            waiting += derivation.inputDerivations.map(\.path)
        }
    }

    /// The derivations that still have to be realised. The top is always among them.
    package func missing(in store: NixStore) -> Set<NixStorePath> {
        reached { derivation in !derivation.outputs.allSatisfy { store.has($0.path) } }
    }

    /// The derivations that were realised here, or still will be: not those behind what came from elsewhere.
    package func realised(beside others: Set<NixStorePath>) -> Set<NixStorePath> {
        reached { derivation in !derivation.outputs.allSatisfy { others.contains($0.path) } }
    }

    /// The top and all that is reached from it without passing through one for which `isWanted` is false.
    private func reached(_ isWanted: (NixDerivation) -> Bool) -> Set<NixStorePath> {
        var reached: Set<NixStorePath> = []
        var waiting = [top]
        while let path = waiting.popLast() {
            guard let derivation = derivations[path], !reached.contains(path) else { continue }
            guard path == top || isWanted(derivation) else { continue }
            reached.insert(path)
            waiting += derivation.inputDerivations.map(\.path)
        }
        return reached
    }

    func outputPaths(of derivation: NixStorePath) -> [NixStorePath] {
        derivations[derivation]?.outputs.map(\.path) ?? []
    }

    /// The hosts that some fixed-output derivations say they fetch from.
    ///
    /// Throws `SourceError` where Nix itself would fetch from a place that cannot be checked.
    package func addresses(of paths: [NixStorePath]) throws(BuildFailure) -> [RemoteAddress] {
        var addresses: Set<RemoteAddress> = []
        for derivation in paths.compactMap({ derivations[$0] }) {
            for url in derivation.urls {
                if let address = RemoteAddress(url) {
                    addresses.insert(address)
                } else if derivation.isBuiltin {
                    throw BuildFailure(
                        .source,
                        "the download '\(shown(derivation.name))' is from '\(shown(url))'; only https:// and http:// "
                            + "without user name and password can be fetched")
                }
            }
        }
        return addresses.sorted { ($0.host, $0.port) < ($1.host, $1.port) }
    }

    /// The outputs whose content is known beforehand.
    var contentAddressed: Set<NixStorePath> {
        Set(derivations.values.filter { $0.fixedOutput != nil }.flatMap { $0.outputs.map(\.path) })
    }

    /// Throws `InputVerificationError` where something that is to be built is in the store before it was.
    package func refuseForeignOutputs(in store: NixStore) throws(BuildFailure) {
        for derivation in derivations.values where derivation.fixedOutput == nil {
            for output in derivation.outputs where !store.given.contains(output.path) && store.has(output.path) {
                throw BuildFailure(
                    .inputVerification,
                    "\(output.path) is in the store before it was built; report this, with the flake")
            }
        }
    }

    /// The fixed-output derivations among `paths`, sorted.
    package func fixed(among paths: Set<NixStorePath>) -> [NixStorePath] {
        paths.filter { derivations[$0]?.fixedOutput != nil }.sorted()
    }

    /// Sources that the derivations among `paths` read, sorted.
    package func sources(of paths: Set<NixStorePath>) -> [NixStorePath] {
        Set(paths.flatMap { derivations[$0]?.inputSources ?? [] }).sorted()
    }

    /// The stages before the build phase. A program that fetches may have to be built first, without network, from
    /// what an earlier stage fetched.
    package func stages(for missing: Set<NixStorePath>) throws(BuildFailure) -> [Stage] {
        let ranks = ranks(of: missing)
        let fixed = fixed(among: missing)
        var stages: [Stage] = []
        var built: Set<NixStorePath> = []
        for rank in Set(fixed.compactMap { ranks[$0] }).sorted() {
            let fetched = fixed.filter { ranks[$0] == rank }
            let programs = Set(fetched.flatMap { derivations[$0]?.inputDerivations.map(\.path) ?? [] })
            let unbuilt = programs.filter {
                missing.contains($0) && derivations[$0]?.fixedOutput == nil && !built.contains($0)
            }
            if !unbuilt.isEmpty { stages.append(Stage(network: false, derivations: unbuilt.sorted())) }
            built.formUnion(unbuilt)
            stages.append(Stage(network: true, derivations: fetched))
        }
        return stages
    }

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
