// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Testing

/// Step 4 for SEV-SNP: each row is refused by one check and no other, and accepted where the policy asks for less.
@Suite struct SNPPolicyTests {
    @Test(arguments: [
        SNPEdit("debugging", .milan, .vcek, [.snpDebug]) { $0.put([0x0A], at: 0x00A) },
        SNPEdit("a migration agent", .milan, .vcek, [.snpMigration]) { $0.put([0x06], at: 0x00A) },
        SNPEdit("a report that the host asked for", .milan, .vcek, [.snpVMPL]) {
            $0.put([0xFF, 0xFF, 0xFF, 0xFF], at: 0x030)
        },
        SNPEdit("VMPL 4, whatever the policy", .milan, .vcek, [.snpVMPL]) {
            $0.put([4], at: 0x030)
            $0.policy.snp.maximumVMPL = .max
        },
        SNPEdit("VMPL 1 where 0 is wanted", .milan, .vcek, [.snpVMPL]) {
            $0.put([1], at: 0x030)
            $0.policy.snp.maximumVMPL = 0
        },
        SNPEdit("a masked chip id", .milan, .vcek, [.snpChipMasked]) {
            $0.put([UInt8](repeating: 0, count: 64), at: 0x1A0)
        },
        SNPEdit("current below committed", .milan, .vcek, [.snpTCBOrder]) { $0.put([218], at: 0x03F) },
        SNPEdit("committed below reported", .milan, .vcek, [.snpTCBOrder]) { $0.put([3], at: 0x1E0) },
        SNPEdit("a committed version above the current one", .milan, .vcek, [.snpTCBOrder]) { $0.put([30], at: 0x1EC) },
        SNPEdit("a part that Milan does not have", .milan, .vcek, [.snpTCBReserved]) { $0.put([1], at: 0x03A) },
        SNPEdit("a part at launch that Turin does not have", .turin, .vcek, [.snpTCBReserved]) {
            $0.put([1], at: 0x1F6)
        },
    ])
    func whatNoPolicyWantsIsRefused(edit: SNPEdit) throws {
        let result = try edit.result()
        #expect(result.codes == edit.codes, "\(result.lines)")
        #expect(result.lines.first { $0.step == 4 }?.status == .failed)
        #expect(result.lines.first { $0.step == 2 }?.status == .passed)
    }

    @Test(arguments: [
        SNPEdit("debugging") {
            $0.put([0x0A], at: 0x00A)
            $0.policy.snp.acceptDebugGuestsUnsafely = true
        },
        SNPEdit("a migration agent") {
            $0.put([0x06], at: 0x00A)
            $0.policy.snp.acceptMigrationAgents = true
        },
        SNPEdit("a masked chip id") {
            $0.put([UInt8](repeating: 0, count: 64), at: 0x1A0)
            $0.policy.snp.acceptMaskedChipIDs = true
        },
        SNPEdit("a VLEK without a chip id, whatever of chips", .milan, .vlek),
    ])
    func whatAPolicyCanAcceptIsAccepted(edit: SNPEdit) throws {
        #expect(try edit.result().codes == [])
    }

    /// (what is asked for, what the sound report has, what it has not, the code)
    @Test(arguments: [
        Demand("products", .snpProductNotAccepted, { $0.products = [.milan, .genoa] }, { $0.products = [.genoa] }),
        Demand("no product", .snpProductNotAccepted, { $0.products = [.milan] }, { $0.products = [] }),
        Demand("keys", .snpSigningKeyNotAccepted, { $0.signingKeys = [.vcek] }, { $0.signingKeys = [.vlek] }),
        Demand("a provider", .snpProvider, { $0.providers = nil }, { $0.providers = ["CN=test.example"] }),
        Demand(
            "chips", .snpChipNotAccepted, { $0.chipIDs = [SNPScene.chip, [1]] },
            { $0.chipIDs = [[UInt8](repeating: 1, count: 64)] }),
        Demand(
            "least TCB", .snpTCBMinimum,
            { $0.minimumTCB = [.milan: SNPTCBParts(bootloader: 4, tee: 1, snp: 24, microcode: 219)] },
            { $0.minimumTCB = [.milan: SNPTCBParts(bootloader: 0, tee: 0, snp: 0, microcode: 220)] }),
        Demand(
            "least TCB of another product", .snpTCBMinimum,
            {
                $0.minimumTCB = [
                    .genoa: SNPTCBParts(bootloader: 9, tee: 9, snp: 9, microcode: 9),
                    .milan: SNPTCBParts(bootloader: 0, tee: 0, snp: 0, microcode: 0),
                ]
            },
            { $0.minimumTCB = [.genoa: SNPTCBParts(bootloader: 0, tee: 0, snp: 0, microcode: 0)] }),
        Demand(
            "an FMC that Milan has not", .snpTCBMinimum,
            { $0.minimumTCB = [.milan: SNPTCBParts(bootloader: 0, tee: 0, snp: 0, microcode: 0)] },
            { $0.minimumTCB = [.milan: SNPTCBParts(fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0)] }),
        Demand(
            "least TCB at launch", .snpLaunchTCBMinimum,
            { $0.minimumLaunchTCB = [.milan: SNPTCBParts(bootloader: 4, tee: 1, snp: 24, microcode: 219)] },
            { $0.minimumLaunchTCB = [.milan: SNPTCBParts(bootloader: 0, tee: 0, snp: 25, microcode: 0)] }),
        Demand(
            "least firmware", .snpFirmwareMinimum,
            { $0.minimumFirmware = SNPFirmwareVersion(major: 1, minor: 55, build: 29) },
            { $0.minimumFirmware = SNPFirmwareVersion(major: 1, minor: 55, build: 30) }),
        Demand(
            "least ABI", .snpABI, { $0.minimumABI = SNPABIVersion(major: 1, minor: 55) },
            { $0.minimumABI = SNPABIVersion(major: 1, minor: 56) }),
        Demand("least SVN", .snpGuestSVN, { $0.minimumGuestSVN = 0 }, { $0.minimumGuestSVN = 1 }),
        Demand(
            "family", .snpFamilyID, { $0.familyID = [UInt8](repeating: 0, count: 16) },
            { $0.familyID = [UInt8](repeating: 1, count: 16) }),
        Demand(
            "image", .snpImageID, { $0.imageID = [UInt8](repeating: 0, count: 16) },
            { $0.imageID = [UInt8](repeating: 1, count: 16) }),
        Demand(
            "host data", .snpHostData, { $0.hostData = [UInt8](repeating: 0, count: 32) },
            { $0.hostData = [UInt8](repeating: 1, count: 32) }),
        Demand(
            "id key", .snpIDKey, { $0.idKeyDigest = [UInt8](repeating: 0, count: 48) },
            { $0.idKeyDigest = [UInt8](repeating: 1, count: 48) }),
        Demand(
            "an author key that is not there", .snpAuthorKey, { $0.authorKeyDigest = nil },
            { $0.authorKeyDigest = [UInt8](repeating: 0, count: 48) }),
        Demand(
            "launch mitigations", .snpMitigations, { $0.requiredLaunchMitigations = nil },
            { $0.requiredLaunchMitigations = 0 }),
        Demand("mitigations", .snpMitigations, { $0.requiredMitigations = nil }, { $0.requiredMitigations = 1 }),
    ])
    func whatAPolicyAsksForIsChecked(demand: Demand) throws {
        var scene = try SNPScene()
        demand.met(&scene.policy.snp)
        #expect(try scene.appraised().codes == [])
        demand.unmet(&scene.policy.snp)
        #expect(try scene.appraised().codes == [demand.code])
    }

    @Test func aProviderIsComparedWithTheVLEK() throws {
        var scene = try SNPScene(.milan, .vlek)
        scene.policy.snp.providers = ["CN=test.example"]
        #expect(try scene.appraised().codes == [])
        scene.policy.snp.providers = ["CN=another.example"]
        #expect(try scene.appraised().codes == [.snpProvider])
        scene.policy.snp.providers = nil
        scene.policy.snp.chipIDs = [SNPScene.chip]
        #expect(try scene.appraised().codes == [.snpChipNotAccepted])
    }

    @Test func anAuthorKeyIsComparedWhereItIsEnabled() throws {
        var scene = try SNPScene()
        let digest = [UInt8](repeating: 7, count: 48)
        scene.policy.snp.authorKeyDigest = digest
        scene.put(digest, at: 0x110)
        #expect(try scene.appraised().codes == [.snpAuthorKey])
        scene.put([1], at: 0x048)
        #expect(try scene.appraised().codes == [])
        scene.put([8], at: 0x110)
        #expect(try scene.appraised().codes == [.snpAuthorKey])
    }

    @Test func mitigationsAreBits() throws {
        var scene = try SNPScene()
        scene.put([5], at: 0)
        scene.put([0b110], at: 0x1F8)
        scene.put([0b011], at: 0x200)
        scene.policy.snp.requiredLaunchMitigations = 0b110
        scene.policy.snp.requiredMitigations = 0b001
        #expect(try scene.appraised().codes == [])
        scene.policy.snp.requiredLaunchMitigations = 0b111
        #expect(try scene.appraised().codes == [.snpMitigations])
        scene.policy.snp.requiredLaunchMitigations = nil
        scene.policy.snp.requiredMitigations = 1 << 63
        #expect(try scene.appraised().codes == [.snpMitigations])
    }

    /// (what, where, byte) that is not what is committed.
    @Test(
        arguments: [
            ("a part", 0x03F, 220), ("the build", 0x1E8, 30), ("the minor version", 0x1E9, 56),
        ] as [(String, Int, UInt8)])
    func firmwareThatIsNotCommittedCanBeRefused(name: String, place: Int, byte: UInt8) throws {
        var scene = try SNPScene()
        scene.policy.snp.requireCommittedFirmware = true
        #expect(try scene.appraised().codes == [])
        scene.put([byte], at: place)
        #expect(try scene.appraised().codes == [.snpProvisional])
        scene.policy.snp.requireCommittedFirmware = false
        #expect(try scene.appraised().codes == [])
    }

    /// POLICY's bytes 0x00A and 0x00B that meet a requirement, and no other.
    @Test(
        arguments: [
            (.noSMT, 0x02, 0), (.singleSocket, 0x13, 0), (.noCXL, 0x03, 0), (.aes256XTS, 0x43, 0),
            (.raplDisabled, 0x83, 0), (.ciphertextHiding, 0x03, 1), (.pageSwapDisabled, 0x03, 2),
        ] as [(SNPGuestRequirement, UInt8, UInt8)])
    func eachDemandOfTheGuestIsItsBit(requirement: SNPGuestRequirement, low: UInt8, high: UInt8) throws {
        var scene = try SNPScene()
        scene.policy.snp.guestRequirements = [requirement]
        scene.put([low, high], at: 0x00A)
        #expect(try scene.appraised().codes == [])
        let bits: [SNPGuestRequirement: (UInt8, UInt8)] = [
            .noSMT: (1, 0), .singleSocket: (0x10, 0), .noCXL: (0x20, 0), .aes256XTS: (0x40, 0),
            .raplDisabled: (0x80, 0), .ciphertextHiding: (0, 1), .pageSwapDisabled: (0, 2),
        ]
        let bit = try #require(bits[requirement])
        scene.put([low ^ bit.0, high ^ bit.1], at: 0x00A)
        #expect(try scene.appraised().codes == [.snpGuestRequirement])
        scene.policy.snp.guestRequirements = []
        #expect(try scene.appraised().codes == [])
    }

    @Test(
        arguments: [
            (.noSMT, 0), (.tsme, 2), (.ecc, 4), (.raplDisabled, 8), (.ciphertextHiding, 16), (.aliasCheck, 32),
        ] as [(SNPPlatformRequirement, UInt8)])
    func eachDemandOfThePlatformIsItsBit(requirement: SNPPlatformRequirement, met: UInt8) throws {
        var scene = try SNPScene()
        scene.policy.snp.platformRequirements = [requirement]
        scene.put([met], at: 0x040)
        #expect(try scene.appraised().codes == [])
        scene.put([met ^ (met == 0 ? 1 : met)], at: 0x040)
        #expect(try scene.appraised().codes == [.snpPlatformRequirement])
    }

    struct Demand: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: Finding.Code
        let met: @Sendable (inout SNPPolicy) -> Void
        let unmet: @Sendable (inout SNPPolicy) -> Void

        init(
            _ name: String, _ code: Finding.Code, _ met: @escaping @Sendable (inout SNPPolicy) -> Void,
            _ unmet: @escaping @Sendable (inout SNPPolicy) -> Void
        ) {
            testDescription = name
            self.code = code
            self.met = met
            self.unmet = unmet
        }
    }
}
