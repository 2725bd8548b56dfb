// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Collateral
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite struct CollateralNeedTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let envelope: EvidenceEnvelope
        let required: [String]
        let optional: [String]
        var testDescription: String { name }
    }

    private static let amd = "https://kdsintf.amd.com"
    private static let intel = "https://api.trustedservices.intel.com"
    private static let chip = Hex.encode(Made.chipID)
    private static let query = "blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=219"
    private static let rootList = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

    private static func lists(_ path: String) -> [String] { ["\(amd)/\(path)/crl", "\(amd)/\(path)/cert_chain"] }

    private static func tdx(_ authority: String) -> [String] {
        [
            "\(intel)/tdx/certification/v4/tcb?fmspc=50806f000000", "\(intel)/tdx/certification/v4/qe/identity",
            "\(intel)/sgx/certification/v4/pckcrl?ca=\(authority)&encoding=der", rootList,
        ]
    }

    static let rows = [
        Row(
            name: "a Milan", envelope: MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 0x01))),
            required: ["\(amd)/vcek/v1/Milan/\(chip)?\(query)"], optional: lists("vcek/v1/Milan")),
        Row(
            name: "a Siena, which AMD's service knows as Genoa",
            envelope: MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 0xA0)), platform: "gcp-snp"),
            required: ["\(amd)/vcek/v1/Genoa/\(chip)?\(query)"], optional: lists("vcek/v1/Genoa")),
        Row(
            name: "a Turin: 8 bytes of id, and the FMC's version",
            envelope: MadeEvidence.snp(MadeEvidence.report(cpuid: (0x1A, 0x02), chipID: Made.shortChipID)),
            required: ["\(amd)/vcek/v1/Turin/cdcdcdcdcdcdcdcd?fmcSPL=03&blSPL=00&teeSPL=00&snpSPL=00&ucodeSPL=219"],
            optional: lists("vcek/v1/Turin")),
        Row(
            name: "a report of version 2: one product after the other",
            envelope: MadeEvidence.snp(MadeEvidence.report()),
            required: ["\(amd)/vcek/v1/Milan/\(chip)?\(query)", "\(amd)/vcek/v1/Genoa/\(chip)?\(query)"], optional: []),
        Row(
            name: "a report of version 2 with a short id",
            envelope: MadeEvidence.snp(MadeEvidence.report(chipID: Made.shortChipID)),
            required: ["\(amd)/vcek/v1/Turin/cdcdcdcdcdcdcdcd?fmcSPL=03&blSPL=00&teeSPL=00&snpSPL=00&ucodeSPL=219"],
            optional: []),
        Row(
            name: "a report of version 2 that brings its certificate",
            envelope: MadeEvidence.snp(MadeEvidence.report(), vcek: Made.vcek(.genoa)), required: [],
            optional: lists("vcek/v1/Genoa")),
        Row(
            name: "a masked chip id", envelope: MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 1), chipID: [0])),
            required: [], optional: lists("vcek/v1/Milan")),
        Row(
            name: "a provider's key, which nobody serves",
            envelope: MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 1), chipID: [0], key: 1)), required: [],
            optional: lists("vlek/v1/Milan")),
        Row(
            name: "a processor that is not known",
            envelope: MadeEvidence.snp(MadeEvidence.report(cpuid: (0x1F, 0))), required: [], optional: []),
        Row(
            name: "a report that is not signed",
            envelope: MadeEvidence.snp(MadeEvidence.report(cpuid: (0x19, 1), key: 7)), required: [], optional: []),
        Row(name: "TDX", envelope: MadeEvidence.tdx(), required: tdx("platform"), optional: []),
        Row(
            name: "TDX under the processor CA",
            envelope: MadeEvidence.tdx(platform: "gcp-tdx", authority: "Processor"), required: tdx("processor"),
            optional: []),
        Row(
            name: "TDX under another CA", envelope: MadeEvidence.tdx(authority: "Other"), required: [], optional: []),
        Row(name: "software", envelope: MadeEvidence.software, required: [], optional: []),
        Row(
            name: "a report cut short", envelope: MadeEvidence.snp(Array(MadeEvidence.report().dropLast())),
            required: [], optional: []),
        Row(
            name: "a platform that is not known", envelope: EvidenceEnvelope(platform: "sgx", evidence: [:]),
            required: [], optional: []),
    ]

    @Test(arguments: rows)
    func evidenceSaysWhatIsAskedFor(_ row: Row) {
        let needs = CollateralNeed.all(of: row.envelope)
        #expect(needs.filter(\.isRequired).flatMap { $0.urls() } == row.required)
        #expect(needs.filter { !$0.isRequired }.flatMap { $0.urls() } == row.optional)
    }

    @Test func aCertificateAtHandTellsTheProduct() {
        let envelope = MadeEvidence.snp(MadeEvidence.report())
        let needs = CollateralNeed.all(of: envelope, having: CollateralSet(amdCertificates: [Made.vcek(.genoa)]))
        #expect(needs.contains(.amdRevocationList(.genoa, .vcek)))
    }

    @Test func mirrorsStandInForTheVendors() throws {
        let addresses = try VendorAddresses(amdMirror: "http://kds.test:8080/", intelMirror: "https://pccs.test/base")
        #expect(
            CollateralNeed.amdRevocationList(.milan, .vcek).urls(addresses) == [
                "http://kds.test:8080/vcek/v1/Milan/crl"
            ])
        #expect(
            CollateralNeed.intel(Made.platform).urls(addresses) == [
                "https://pccs.test/base/tdx/certification/v4/tcb?fmspc=50806f000000",
                "https://pccs.test/base/tdx/certification/v4/qe/identity",
                "https://pccs.test/base/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
                "https://pccs.test/base/sgx/certification/v4/rootcacrl",
            ])
    }

    @Test(arguments: [
        "", "kds.test", "ftp://kds.test", "https://", "https://me@kds.test", "https://kds.test?x", "https://k s",
    ])
    func anAddressThatIsNoneIsRefused(text: String) {
        #expect(throws: CollateralError.self) { try VendorAddresses(amdMirror: text, intelMirror: nil) }
    }

    @Test func onlyTheRightPiecesMeetANeed() {
        let set = CollateralSet(
            amdCertificates: [
                Made.vcek(chipID: [UInt8](repeating: 1, count: 64)), Made.vcek(), Made.authority("ARK-Milan"),
            ],
            amdRevocationLists: [Made.list(of: "ARK-Genoa"), Made.list(of: "ARK-Milan")])
        #expect(Bench.chip.parts(of: set) == CollateralSet(amdCertificates: [Made.vcek()]))
        #expect(
            CollateralNeed.amdRevocationList(.milan, .vcek).parts(of: set)
                == CollateralSet(amdRevocationLists: [Made.list(of: "ARK-Milan")]))
        #expect(CollateralNeed.intel(Made.platform).parts(of: set).isEmpty)
    }

    @Test(
        .enabled(if: SharedVectors.arePresent, "the published vectors are not here"),
        arguments: SharedVector.all("snp", check: "snp").filter { !$0.isInvalid })
    func aRealReportNamesItsRealCertificate(_ vector: SharedVector) throws {
        let certificate = try vector.bytes("vek")
        let envelope = MadeEvidence.snp(try vector.bytes("report"))
        let need = try #require(CollateralNeed.all(of: envelope).first { $0.isRequired })
        #expect(need.parts(of: CollateralSet(amdCertificates: [certificate])).amdCertificates == [certificate])
    }

    @Test(
        .enabled(if: SharedVectors.arePresent, "the published vectors are not here"),
        arguments: SharedVector.all("tdx", check: "tdx").filter { !$0.isInvalid && $0.has("collateral") })
    func aRealQuoteNamesItsRealCollateral(_ vector: SharedVector) throws {
        let collateral = try IntelCollateral(parsing: try vector.bytes("collateral"))
        let quote = try IntelQuote(decoding: try vector.bytes("quote"))
        let need = CollateralNeed.intel(try IntelPlatform(of: quote))
        #expect(need.parts(of: CollateralSet(intel: [collateral])).intel == [collateral])
    }
}
