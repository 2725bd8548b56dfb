// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import ByteCoding

/// All derivations that a result needs, and in which order they are realised so that only fixed-output derivations,
/// whose hash is known beforehand, ever run with network.
package struct NixPlan: Sendable {
    package let top: NixStorePath
    package private(set) var derivations: [NixStorePath: Derivation] = [:]
    let limits: Limits

    /// Reads the derivation at `top` and all that it needs.
    ///
    /// Throws `InputVerificationError` where one is not what its path says, `UnsupportedToolchainError` for a kind of
    /// derivation that has no hash beforehand and may fetch, `ResourceLimitError` where they are too many or too large.
    package init(top: NixStorePath, in store: NixStore, limits: Limits = Limits()) throws(BuildFailure) {
        self.top = top
        self.limits = limits
        var usage = Usage(limits)
        var paths: Set<NixStorePath> = []
        var waiting = [top]
        while let path = waiting.popLast() {
            guard derivations[path] == nil else { continue }
            try usage.addDerivation()
            let whole = try store.derivation(at: path)
            let derivation = Derivation(whole, paths: &paths)
            try usage.add(derivation, size: whole.size)
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
    private func reached(_ isWanted: (Derivation) -> Bool) -> Set<NixStorePath> {
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
}
