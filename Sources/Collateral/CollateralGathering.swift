// SPDX-License-Identifier: Apache-2.0
package import Appraisal
package import Evidence

/// Brings together what appraisal of some evidence needs, each thing from the first place that has it: what the
/// verifier gave, what came with the bundle, the cache, the vendors.
package struct CollateralGathering: Sendable {
    /// What the verifier gave. It is used whatever it is: where it speaks of a vendor at all, nobody else is asked.
    package let given: CollateralSet
    /// What came with the bundle.
    package let bundled: CollateralSet
    package let scope: Scope

    package enum Scope: Sendable {
        /// What appraisal cannot do without; and lists that are at hand.
        case needed
        /// Also what it can do without: what is to travel with a bundle.
        case everything
    }

    package init(
        given: CollateralSet = CollateralSet(), bundled: CollateralSet = CollateralSet(), scope: Scope = .needed
    ) {
        self.given = given
        self.bundled = bundled
        self.scope = scope
    }

    /// Throws where something is not to be had that appraisal cannot do without.
    package func gather(
        for envelopes: [EvidenceEnvelope], with fetcher: CollateralFetcher
    ) async throws(CollateralError) -> GatheredCollateral {
        var gathered = GatheredCollateral(set: given, sources: given.isEmpty ? [] : [.given])
        for envelope in envelopes {
            for need in CollateralNeed.all(of: envelope).filter(\.isRequired) {
                try await meet(need, &gathered, fetcher)
            }
            for need in CollateralNeed.all(of: envelope, having: gathered.set).filter({ !$0.isRequired }) {
                await offer(need, &gathered, fetcher)
            }
        }
        return gathered
    }

    private func meet(
        _ need: CollateralNeed, _ gathered: inout GatheredCollateral, _ fetcher: CollateralFetcher
    ) async throws(CollateralError) {
        guard !isAtHand(need, &gathered) else { return }
        if let kept = fetcher.cached(need) { return gathered.take(kept, from: .cache) }
        gathered.take(try await fetcher.obtain(need), from: .vendor)
    }

    /// A list in the cache is used for bundles without collateral only: those with it are judged as of their build, and
    /// the same whenever and wherever that is done.
    private func offer(
        _ need: CollateralNeed, _ gathered: inout GatheredCollateral, _ fetcher: CollateralFetcher
    ) async {
        // Appraisal has AMD's authorities: bundled ones must not look as if they had been used.
        if case .amdAuthorities = need, scope == .needed { return }
        guard !isAtHand(need, &gathered) else { return }
        if scope == .needed, gathered.sources.contains(.bundle) { return }
        if let kept = fetcher.cached(need) { return gathered.take(kept, from: .cache) }
        guard scope == .everything, !need.resources(fetcher.configuration.addresses).isEmpty else { return }
        do throws(CollateralError) {
            gathered.take(try await fetcher.obtain(need), from: .vendor)
        } catch {
            gathered.missing.append(error.message)
        }
    }

    private func isAtHand(_ need: CollateralNeed, _ gathered: inout GatheredCollateral) -> Bool {
        if need.isAnswered(by: given) || !need.parts(of: gathered.set).isEmpty { return true }
        let parts = need.parts(of: bundled)
        guard !parts.isEmpty else { return false }
        gathered.take(parts, from: .bundle)
        return true
    }
}

/// Collateral, and where it came from.
package struct GatheredCollateral: Hashable, Sendable {
    package enum Source: String, CaseIterable, Sendable {
        /// The verifier gave it.
        case given
        /// It came with the bundle.
        case bundle
        case cache
        case vendor
    }

    package private(set) var set: CollateralSet
    package private(set) var sources: Set<Source>
    /// What could not be had and appraisal can do without, a sentence each.
    package fileprivate(set) var missing: [String] = []

    init(set: CollateralSet, sources: Set<Source>) {
        self.set = set
        self.sources = sources
    }

    /// Whether there is some, all of it from the bundle's own folder: then dates are judged as of the build.
    package var isAllBundled: Bool { sources == [.bundle] }

    fileprivate mutating func take(_ parts: CollateralSet, from source: Source) {
        set.formUnion(parts)
        sources.insert(source)
    }
}
