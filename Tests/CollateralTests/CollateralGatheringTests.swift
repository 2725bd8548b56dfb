// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Collateral
import Evidence
import Testing

@Suite struct CollateralGatheringTests {
    private static let milan = MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 1)))
    private static let own = CollateralSet(amdCertificates: [Made.vcek()])
    private static let other = CollateralSet(amdCertificates: [Made.vcek(chipID: [UInt8](repeating: 1, count: 64))])
    private static let list = CollateralSet(amdRevocationLists: [Made.list(of: "ARK-Milan")])

    private func gather(
        _ gathering: CollateralGathering, _ bench: Bench, _ envelope: EvidenceEnvelope = milan, offline: Bool = false
    ) async throws -> GatheredCollateral {
        var configuration = bench.configuration
        configuration.isOffline = offline
        return try await CollateralFetcher.with(configuration) { try await gathering.gather(for: [envelope], with: $0) }
    }

    @Test func whatIsGivenIsUsedFirst() async throws {
        let bench = try await Bench()
        let gathered = try await gather(CollateralGathering(given: Self.own, bundled: Self.own), bench)
        #expect(gathered.set == Self.own)
        #expect(gathered.sources == [.given])
        #expect(bench.vendor.targets.isEmpty)
    }

    @Test func whatIsGivenIsUsedThoughItBeWrong() async throws {
        let bench = try await Bench()
        let gathered = try await gather(CollateralGathering(given: Self.other, bundled: Self.own), bench)
        #expect(gathered.set == Self.other)
        #expect(bench.vendor.targets.isEmpty)
    }

    @Test func whatIsGivenOfAnotherVendorSpeaksForNobodyElse() async throws {
        let bench = try await Bench()
        let gathered = try await gather(CollateralGathering(given: Self.list), bench)
        #expect(gathered.set.amdCertificates == [Made.vcek()])
        #expect(gathered.sources == [.given, .vendor])
    }

    @Test func whatCameWithTheBundleComesBeforeTheCache() async throws {
        let bench = try await Bench()
        _ = try await bench.fetch()
        let gathered = try await gather(CollateralGathering(bundled: Self.own), bench, offline: true)
        #expect(gathered.set == Self.own)
        #expect(gathered.isAllBundled)
    }

    @Test func whatCameWithTheBundleAndIsWrongIsPassedOver() async throws {
        let bench = try await Bench()
        let gathered = try await gather(CollateralGathering(bundled: Self.other), bench)
        #expect(gathered.set == Self.own)
        #expect(gathered.sources == [.vendor])
        #expect(!gathered.isAllBundled)
        #expect(try await gather(CollateralGathering(bundled: Self.other), bench, offline: true).sources == [.cache])
    }

    @Test func nothingBundledIsNotAllBundled() async throws {
        let bench = try await Bench()
        let gathered = try await gather(CollateralGathering(), bench, MadeEvidence.software)
        #expect(gathered.set.isEmpty)
        #expect(!gathered.isAllBundled)
    }

    @Test func aBundleWithSomethingForAnotherIsNotAllBundled() async throws {
        let bench = try await Bench()
        let gathered = try await gather(CollateralGathering(bundled: Self.own), bench, MadeEvidence.software)
        #expect(gathered.sources.isEmpty)
    }

    @Test func bundledAuthoritiesAreNotUsed() async throws {
        let bench = try await Bench()
        let envelope = MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 1)), vcek: Made.vcek())
        let bundled = CollateralSet(amdCertificates: [Made.authority("ARK-Milan"), Made.authority("SEV-Milan")])
        #expect(try await gather(CollateralGathering(bundled: bundled), bench, envelope).sources.isEmpty)
    }

    @Test func verificationAsksOnlyForWhatItCannotDoWithout() async throws {
        let bench = try await Bench()
        let envelope = MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 1)), vcek: Made.vcek())
        let gathered = try await gather(CollateralGathering(), bench, envelope)
        #expect(gathered.set.isEmpty)
        #expect(bench.vendor.targets.isEmpty)
    }

    @Test func aListInTheCacheIsUsed() async throws {
        let bench = try await Bench()
        _ = try await bench.fetch(.amdRevocationList(.milan, .vcek))
        let gathered = try await gather(CollateralGathering(), bench)
        #expect(gathered.set.amdRevocationLists == [Made.list(of: "ARK-Milan")])
        let bundled = try await gather(CollateralGathering(bundled: Self.own), bench)
        #expect(bundled.set == Self.own)
    }

    @Test func everythingIsFetchedForABundleToBe() async throws {
        let bench = try await Bench()
        let gathered = try await gather(CollateralGathering(scope: .everything), bench)
        #expect(
            gathered.set.amdCertificates == [Made.vcek(), Made.authority("SEV-Milan"), Made.authority("ARK-Milan")])
        #expect(gathered.set.amdRevocationLists == [Made.list(of: "ARK-Milan")])
        #expect(gathered.missing.isEmpty)
    }

    @Test func aListThatIsNotToBeHadIsAWarning() async throws {
        let answers = MadeAnswers()
        let bench = try await Bench { _, request in
            request.target.hasSuffix("/crl") ? Reply.status(404) : answers.reply(to: request.target)
        }
        let gathered = try await gather(CollateralGathering(scope: .everything), bench)
        #expect(gathered.missing.count == 1)
        #expect(gathered.missing.first?.contains("/vcek/v1/Milan/crl") == true)
    }

    @Test func withoutNetworkWhatIsNeededIsAnErrorAndNoRequest() async throws {
        let bench = try await Bench()
        await #expect(throws: CollateralError.self) {
            try await gather(CollateralGathering(), bench, MadeEvidence.tdx(), offline: true)
        }
        #expect(bench.vendor.targets.isEmpty)
    }

    @Test func aFolderIsWrittenAndReadBack() async throws {
        let bench = try await Bench()
        let set = try await gather(CollateralGathering(scope: .everything), bench).set
        let folder = bench.folder.path + "/bundle/collateral"
        try CollateralFolder.write(CollateralSet(amdRevocationLists: [Made.list(of: "ARK-Genoa")]), to: folder)
        try bench.folder.write(Made.authority("Some TPM CA"), to: "bundle/collateral/mine.der")
        #expect(try CollateralFolder.write(set, to: folder) == set.files.keys.sorted())
        #expect(bench.folder.names(in: "bundle/collateral") == (set.files.keys + ["mine.der"]).sorted())
    }
}
