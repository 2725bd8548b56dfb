// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Testing

@Suite struct MeasurementCheckTests {
    private static let one = [UInt8](repeating: 1, count: 48)
    private static let two = [UInt8](repeating: 2, count: 48)

    /// An entry of a list beside evidence whose MRTD is `one` and RTMR0 is `two`, of which MRTD is needed.
    struct Entry: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let platform: Platform
        let registers: [String: [UInt8]]
        let isLaunched: Bool

        init(_ name: String, _ registers: [String: [UInt8]], _ isLaunched: Bool, platform: Platform = .tdx) {
            testDescription = name
            self.platform = platform
            self.registers = registers
            self.isLaunched = isLaunched
        }
    }

    private static func codes(_ images: [KnownImage], platform: Platform = .tdx) -> (KnownImage?, [Finding.Code]) {
        var policy = AppraisalPolicy()
        policy.knownImages = images
        var steps = ReportRecorder()
        let image = MeasurementCheck(
            platform: platform, registers: [("MRTD", one), ("RTMR0", two)], needed: ["MRTD"], policy: policy
        ).record(in: &steps)
        return (image, steps.findings.map(\.code))
    }

    @Test(arguments: [
        Entry("the needed register", ["MRTD": one], true), Entry("both", ["MRTD": one, "RTMR0": two], true),
        Entry("of the cloud's name for the platform", ["MRTD": one], true, platform: .googleTDX),
        Entry("another value", ["MRTD": two], false), Entry("a prefix", ["MRTD": Array(one.prefix(32))], false),
        Entry("no value", ["MRTD": []], false),
        Entry("one of two differs", ["MRTD": one, "RTMR0": one], false),
        Entry("a register that the evidence does not have", ["MRTD": one, "RTMR9": two], false),
        Entry("no register", [:], false), Entry("without the one that is needed", ["RTMR0": two], false),
        Entry("another platform", ["MRTD": one], false, platform: .snp),
        Entry("of Azure, whose images are others", ["MRTD": one], false, platform: .azureTDX),
        Entry("another case", ["mrtd": one], false),
    ])
    func allRegistersOfAnEntryMustAgree(entry: Entry) {
        let image = KnownImage(platform: entry.platform, name: "n", version: "1", registers: entry.registers)
        let (found, codes) = Self.codes([image])
        #expect((found == image) == entry.isLaunched)
        #expect(codes == (entry.isLaunched ? [] : [.unknownImage]))
    }

    @Test func theFirstEntryThatFitsIsNamed() {
        let images = [("a", Self.two), ("b", Self.one), ("c", Self.one)].map {
            KnownImage(platform: .tdx, name: $0, version: "1", registers: ["MRTD": $1])
        }
        #expect(Self.codes(images).0?.name == "b")
        #expect(Self.codes([]).1 == [.unknownImage])
    }

    @Test func familiesAreOfOneKindOfEvidence() {
        #expect(Platform.snp.family == Platform.googleSNP.family && Platform.tdx.family == Platform.googleTDX.family)
        #expect(Set(Platform.allCases.map(\.family)) == [.snp, .tdx, .azureSNP, .azureTDX, .vtpm, .software])
        let snp = KnownImage(platform: .googleSNP, name: "n", version: "1", registers: ["MRTD": Self.one])
        #expect(Self.codes([snp], platform: .snp).0 == snp && Self.codes([snp], platform: .googleSNP).0 == snp)
    }

    @Test func anyImageIsAcceptedByNameOnlyAndSaidSo() throws {
        var scene = try SNPScene()
        scene.policy.knownImages[0].registers = ["MEASUREMENT": Self.one]
        let refused = try scene.appraised()
        #expect(refused.codes == [.unknownImage])
        #expect(refused.lines.first { $0.step == 3 }?.compared.contains("genuine hardware, unknown image") == true)
        scene.policy.acceptAnyMeasurementUnsafely = true
        let accepted = try scene.appraised()
        #expect(accepted.lines.first { $0.step == 3 }?.status == .notChecked)
        #expect(accepted.accepted?.doesNotProve.first == "what the image is or does: any measurement was accepted")
    }
}
