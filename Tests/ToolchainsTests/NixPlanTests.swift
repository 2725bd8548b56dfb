// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Testing
import Toolchains

/// In which order derivations are realised, and which of them with network.
@Suite struct NixPlanTests {
    private let made: TestStore

    init() throws { made = try TestStore() }

    private func stages(of top: NixStorePath) throws -> [NixPlan.Stage] {
        let plan = try NixPlan(top: top, in: made.store)
        return try plan.stages(for: plan.missing(in: made.store))
    }

    @Test func whatHasNoDownloadsNeedsNoStage() throws {
        let input = try made.derivation("lib", output: TestStore.path("1", "lib"))
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [input])
        #expect(try stages(of: top).isEmpty)
    }

    @Test func downloadsAreFetchedTogetherAndAlone() throws {
        let first = try made.download("a.tar", "a", delivered: nil)
        let second = try made.download("b.tar", "b", delivered: nil)
        let middle = try made.derivation("lib", output: TestStore.path("1", "lib"), inputs: [first])
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [middle, second])
        let all = try stages(of: top)
        #expect(all.map(\.network) == [true])
        #expect(all.first?.derivations == [first, second].sorted())
    }

    @Test func aProgramThatFetchesIsBuiltWithoutNetworkFromWhatWasFetchedBefore() throws {
        let source = try made.download("fetcher.c", "source", delivered: nil)
        let fetcher = try made.derivation("fetcher", output: TestStore.path("1", "fetcher"), inputs: [source])
        let data = try made.download("data", "data", delivered: nil, inputs: [fetcher])
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [data])
        let all = try stages(of: top)
        #expect(all.map(\.network) == [true, false, true])
        #expect(all.map(\.derivations) == [[source], [fetcher], [data]])
        #expect(all.allSatisfy { !$0.derivations.contains(top) })
    }

    @Test func whatIsThereIsNotRealisedAgainNorWhatOnlyItNeeded() throws {
        let source = try made.download("lib.c", "source", delivered: nil)
        let library = try TestStore.path("1", "lib")
        let input = try made.derivation("lib", output: library, inputs: [source])
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [input])
        let plan = try NixPlan(top: top, in: made.store)
        #expect(plan.missing(in: made.store) == [top, input, source])
        #expect(plan.realised(beside: [library]) == [top])
        try made.write(library, "from a cache")
        #expect(plan.missing(in: made.store) == [top])
    }

    @Test func aChangedDerivationIsRefused() throws {
        let input = try made.derivation("lib", output: TestStore.path("1", "lib"))
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [input])
        let other = try made.derivation("lib", output: TestStore.path("3", "lib"))
        let text = try #require(try? String(contentsOfFile: made.store.place(of: other), encoding: .utf8))
        try made.write(input, text)
        #expect(failureKind { _ = try NixPlan(top: top, in: made.store) } == .inputVerification)
    }

    @Test func aDerivationThatIsNotThereIsRefused() throws {
        let missing = try TestStore.path("1", "lib.drv")
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [missing])
        #expect(failureKind { _ = try NixPlan(top: top, in: made.store) } != nil)
    }

    @Test func aLongChainIsFollowedWithoutRecursion() throws {
        var last = try made.download("seed", "seed", delivered: nil)
        for _ in 0..<3000 {
            last = try made.derivation("link", output: TestStore.path("1", "link"), inputs: [last])
        }
        #expect(try stages(of: last).count == 1)
    }

    @Test(arguments: ["http://user@127.0.0.1/a", "ftp://example.com/a", "file:///etc/passwd", "no address"])
    func nixFetchesOnlyFromWhereItCanBeChecked(_ url: String) throws {
        let download = try made.download("a", "a", delivered: nil, url: url, builder: "builtin:fetchurl")
        let program = try made.download("b", "b", delivered: nil, url: url)
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [download, program])
        let plan = try NixPlan(top: top, in: made.store)
        #expect(failureKind { _ = try plan.addresses(of: [download]) } == .source)
        #expect(try plan.addresses(of: [program]).isEmpty || url.hasPrefix("http"))
    }

    @Test func whatIsThereBeforeItWasBuiltIsRefused() throws {
        let library = try TestStore.path("1", "lib")
        let input = try made.derivation("lib", output: library)
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [input])
        let plan = try NixPlan(top: top, in: made.store)
        try plan.refuseForeignOutputs(in: made.store)
        try made.write(library, "planted")
        #expect(failureKind { try plan.refuseForeignOutputs(in: made.store) } == .inputVerification)
    }

    @Test func hostsOfDownloadsAreThereToBeChecked() throws {
        let first = try made.download("a", "a", delivered: nil, url: "http://127.0.0.1:9/a")
        let second = try made.download("b", "b", delivered: nil, url: "mirror://gnu/b")
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [first, second])
        let plan = try NixPlan(top: top, in: made.store)
        let addresses = try plan.addresses(of: [first, second])
        #expect(addresses.map(\.host) == ["127.0.0.1"])
        #expect(addresses.map(\.port) == [9])
    }
}
