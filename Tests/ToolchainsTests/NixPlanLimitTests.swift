// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing
import Toolchains

/// No flake exhausts whoever reads its derivations.
@Suite struct NixPlanLimitTests {
    private let made: TestStore

    init() throws { made = try TestStore() }

    /// A download, what is built of it, and the top: 3 derivations, with 3 outputs, 2 inputs and 1 address.
    private func top(url: String = "https://example.com/file") throws -> NixStorePath {
        let source = try made.download("a.tar", "a", delivered: nil, url: url)
        let library = try made.derivation("lib", output: TestStore.path("1", "lib"), inputs: [source])
        return try made.derivation("app", output: TestStore.path("2", "app"), inputs: [library])
    }

    private func failure(_ top: NixStorePath, _ change: (inout NixPlan.Limits) -> Void) -> BuildFailure? {
        var limits = NixPlan.Limits()
        change(&limits)
        do {
            _ = try NixPlan(top: top, in: made.store, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test func derivationsAreCounted() throws {
        let top = try top()
        #expect(failure(top) { $0.derivations = 3 } == nil)
        #expect(failure(top) { $0.derivations = 2 }?.kind == .resourceLimit)
        #expect(failure(top) { $0.derivations = 2 }?.message.contains("more than 2 derivations") == true)
    }

    @Test func theirBytesAreCountedTogether() throws {
        let top = try top()
        let sizes = try NixPlan(top: top, in: made.store).derivations.keys.map { path in
            try #require(try ProjectFiles.read(made.store.place(of: path), limit: 1 << 20)).count
        }
        let size = sizes.reduce(0, +)
        #expect(failure(top) { $0.size = size } == nil)
        #expect(failure(top) { $0.size = size - 1 }?.kind == .resourceLimit)
    }

    @Test func outputsInputsAndAddressesAreCounted() throws {
        let top = try top()
        #expect(failure(top) { $0.entries = 6 } == nil)
        #expect(failure(top) { $0.entries = 5 }?.kind == .resourceLimit)
    }

    @Test func addressesHaveALimitOfBytes() throws {
        let top = try top(url: "https://" + String(repeating: "a", count: 1000))
        #expect(failure(top) { $0.textSize = 2000 } == nil)
        #expect(failure(top) { $0.textSize = 1000 }?.kind == .resourceLimit)
    }

    @Test func addressesOfWhatFetchesNothingAreNotKept() throws {
        let top = try made.derivation("app", output: TestStore.path("2", "app"), url: "https://example.com/file")
        #expect(try NixPlan(top: top, in: made.store).derivations[top]?.urls == [])
    }

    /// Downloads that wait for each other, each by way of a program.
    private func ladder(_ count: Int) throws -> NixPlan {
        var last = try made.download("0", "0", delivered: nil)
        for index in 1..<count {
            let program = try made.derivation("p", output: TestStore.path("1", "p\(index)"), inputs: [last])
            last = try made.download("\(index)", "\(index)", delivered: nil, inputs: [program])
        }
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: [last])
        return try NixPlan(top: top, in: made.store)
    }

    @Test func downloadsWaitForEachOtherAFewTimesOnly() throws {
        let longest = try ladder(32)
        #expect(try longest.stages(for: longest.missing(in: made.store)).count == 63)
        let longer = try ladder(33)
        #expect(failureKind { _ = try longer.stages(for: longer.missing(in: made.store)) } == .resourceLimit)
    }

    @Test func longStagesAreCutForTheCommandLine() throws {
        let programs = try (0..<4).map { try made.derivation("p\($0)", output: TestStore.path("1", "p\($0)")) }
        let downloads = try (0..<7).map { try made.download("d\($0)", "same", delivered: nil) }
        let last = try made.download("last", "last", delivered: nil, inputs: programs)
        let top = try made.derivation("app", output: TestStore.path("2", "app"), inputs: downloads + [last])
        var limits = NixPlan.Limits()
        #expect(limits.stageSize == 2000)
        limits.stageSize = 3
        let plan = try NixPlan(top: top, in: made.store, limits: limits)
        let stages = try plan.stages(for: plan.missing(in: made.store))
        #expect(stages.map(\.network) == [false, false, true, true, true])
        #expect(stages.map(\.derivations.count) == [3, 1, 3, 3, 2])
        #expect(stages.prefix(2).flatMap(\.derivations) == programs.sorted())
        #expect(stages.dropFirst(2).flatMap(\.derivations) == (downloads + [last]).sorted())
    }

    @Test func batchesKeepAllInOrder() throws {
        let paths = try (0..<4000).map { try TestStore.path("1", "p\($0)") }
        #expect(NixPlan.batches(paths).map(\.count) == [2000, 2000])
        #expect(NixPlan.batches(paths).flatMap(\.self) == paths)
        #expect(NixPlan.batches([]).isEmpty)
    }
}
