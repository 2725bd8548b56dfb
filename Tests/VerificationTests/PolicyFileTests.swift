// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import TestVectors
import Testing
import Verification

@Suite struct PolicyFileTests {
    @Test(arguments: BadPolicy.yaml + BadPolicy.ambiguous + BadPolicy.keys)
    func whatIsNotUnderstoodIsRefused(bad: BadPolicy) throws {
        let error = try #require(throws: PolicyError.self) { try PolicyFile(parsing: Array(bad.text.utf8)) }
        #expect(error.line == bad.line, "\(error)")
        #expect(error.key == bad.key, "\(error)")
        #expect(error.reason.contains(bad.reason), "\(error)")
        #expect("\(error)".first != ":" && !"\(error)".hasSuffix("."))
    }

    @Test func invalidUTF8IsRefused() {
        #expect(throws: PolicyError.self) { try PolicyFile(parsing: [0x76, 0xFF]) }
    }

    @Test func theLeastPolicyIsTheDefaultOne() throws {
        for text in ["version: 1", "---\nversion: 1\n...\n", "{\"version\": 1}", "version: 1\r\n"] {
            let file = try PolicyFile(parsing: Array(text.utf8))
            let policy = try file.policy(name: "p", files: [:], present: 7)
            var wanted = VerificationPolicy()
            wanted.present = 7
            wanted.file = PolicyFileName(name: "p", sha256: Digest256(of: Array(text.utf8)))
            #expect(policy == wanted && file.references.isEmpty)
        }
    }

    /// Quoted text is text, whatever it looks like.
    @Test(arguments: ["yes", "0755", "1.5", "null", "2026-01-31", "<<", "!x", "&a"])
    func quotedTextIsText(text: String) throws {
        let policy = try Self.policy("isolation: [\"\(text)\", 'x\(text)']")
        #expect(policy.provenance.isolations == [text, "x\(text)"])
    }

    @Test(arguments: ["1.85.0", "v1", "30d", "a:b", "https://example.com", "0x", "1.2.3-rc1", "Nine", "yess", "abc-1"])
    func plainTextIsText(text: String) throws {
        #expect(try Self.policy("isolation: \(text)").provenance.isolations == [text])
    }

    @Test func aLargeNestedListIsReadQuickly() throws {
        let text = "isolation: [" + (0..<50_000).map { "a\($0)" }.joined(separator: ", ") + "]"
        #expect(throws: Never.self) { try Self.policy(text) }
    }

    @Test func platformsAreFamilies() throws {
        #expect(try Self.policy("platforms: [gcp-snp, tdx]").platforms == [.snp, .tdx])
        let quorum = try Self.policy("require: {atLeast: 2, platforms: [gcp-snp, az-tdx]}").quorum
        #expect(quorum == PlatformQuorum(atLeast: 2, platforms: [.snp, .azureTDX]))
    }

    @Test func leastVersionsThatAreNotNamedMayBeAnything() throws {
        let policy = try Self.policy("snp: {minimumTCB: {Milan: {microcode: 219}, Turin: {fmc: 1, snp: 2}}}")
        #expect(
            policy.appraisal.snp.minimumTCB == [
                .milan: SNPTCBParts(bootloader: 0, tee: 0, snp: 0, microcode: 219),
                .turin: SNPTCBParts(fmc: 1, bootloader: 0, tee: 0, snp: 2, microcode: 0),
            ])
    }

    @Test func everyKeyOfSNPIsRead() throws {
        let digits = String(repeating: "ab", count: 48)
        let policy = try Self.policy(
            """
            snp:
              acceptDebugGuestsUnsafely: true
              acceptMigrationAgents: true
              acceptMaskedChipIDs: true
              requireRevocationList: true
              requireCommittedFirmware: true
              maximumVMPL: 1
              products: [Milan]
              signingKeys: VLEK
              providers: CN=cc-us-east-2.amazonaws.com
              chipIDs: "0102030405060708"
              minimumLaunchTCB: {Genoa: {snp: 3}}
              minimumFirmware: {major: 1, minor: 55, build: 20}
              minimumABI: {major: 1, minor: 51}
              minimumGuestSVN: 4294967295
              requiredMitigations: "8000000000000001"
              requiredLaunchMitigations: "0000000000000002"
              platformRequirements: [tsme, ecc]
              guestRequirements: noSMT
              familyID: \(digits.prefix(32))
              imageID: \(digits.prefix(32))
              hostData: \(digits.prefix(64))
              idKeyDigest: \(digits)
              authorKeyDigest: \(digits)
            """
        ).appraisal.snp
        var wanted = SNPPolicy()
        wanted.acceptDebugGuestsUnsafely = true
        wanted.acceptMigrationAgents = true
        wanted.acceptMaskedChipIDs = true
        wanted.requireRevocationList = true
        wanted.requireCommittedFirmware = true
        wanted.maximumVMPL = 1
        wanted.products = [.milan]
        wanted.signingKeys = [.vlek]
        wanted.providers = ["CN=cc-us-east-2.amazonaws.com"]
        wanted.chipIDs = [[1, 2, 3, 4, 5, 6, 7, 8]]
        wanted.minimumLaunchTCB = [.genoa: SNPTCBParts(bootloader: 0, tee: 0, snp: 3, microcode: 0)]
        wanted.minimumFirmware = SNPFirmwareVersion(major: 1, minor: 55, build: 20)
        wanted.minimumABI = SNPABIVersion(major: 1, minor: 51)
        wanted.minimumGuestSVN = .max
        wanted.requiredMitigations = 1 << 63 | 1
        wanted.requiredLaunchMitigations = 2
        wanted.platformRequirements = [.tsme, .ecc]
        wanted.guestRequirements = [.noSMT]
        wanted.familyID = [UInt8](repeating: 0xAB, count: 16)
        wanted.imageID = wanted.familyID
        wanted.hostData = [UInt8](repeating: 0xAB, count: 32)
        wanted.idKeyDigest = [UInt8](repeating: 0xAB, count: 48)
        wanted.authorKeyDigest = wanted.idKeyDigest
        #expect(policy == wanted)
    }

    @Test func everyKeyOfTDXIsRead() throws {
        let digits = String(repeating: "ab", count: 48)
        let policy = try Self.policy(
            """
            tdx:
              acceptedTCBStatuses: [UpToDate, OutOfDate]
              acceptedAdvisories: INTEL-SA-00001
              minimumTCBEvaluationDataNumber: 17
              minimumTEETCBSVN: \(digits.prefix(32))
              acceptedMRSEAMs: [\(digits)]
              acceptAnyQEVendor: true
              acceptDebugGuestsUnsafely: true
              acceptReservedAttributesUnsafely: true
              requireSEPTVEDisable: false
              acceptMigratable: true
              acceptedServiceTDs: \(digits)
              acceptAnyServiceTDUnsafely: true
              acceptPerformanceCounters: false
              acceptSupervisorKeys: false
              acceptKeyLocker: true
              mrConfigID: \(digits)
              mrOwner: \(digits)
              mrOwnerConfig: \(digits)
              rtmrs: {RTMR0: \(digits), RTMR3: \(digits)}
            """
        ).appraisal.tdx
        let register = [UInt8](repeating: 0xAB, count: 48)
        var wanted = TDXPolicy()
        wanted.acceptedTCBStatuses = [.upToDate, .outOfDate]
        wanted.acceptedAdvisories = ["INTEL-SA-00001"]
        wanted.minimumTCBEvaluationDataNumber = 17
        wanted.minimumTEETCBSVN = Array(register.prefix(16))
        wanted.acceptedMRSEAMs = [register]
        wanted.qeVendorID = nil
        wanted.acceptDebugGuestsUnsafely = true
        wanted.acceptReservedAttributesUnsafely = true
        wanted.requireSEPTVEDisable = false
        wanted.acceptMigratable = true
        wanted.acceptedServiceTDs = [register]
        wanted.acceptAnyServiceTDUnsafely = true
        wanted.acceptPerformanceCounters = false
        wanted.acceptSupervisorKeys = false
        wanted.acceptKeyLocker = true
        wanted.mrConfigID = register
        wanted.mrOwner = register
        wanted.mrOwnerConfig = register
        wanted.rtmrs = [0: register, 3: register]
        #expect(policy == wanted)
    }

    @Test func everyKeyOfTPMIsRead() throws {
        let name = "000b" + String(repeating: "ab", count: 32)
        let text =
            "attestationKeyNames: \(name), acceptUnboundAttestationKeyUnsafely: true, "
            + "acceptSHA1BankUnsafely: true, requiredRegisters: [PCR0, PCR11]"
        var wanted = TPMPolicy()
        wanted.attestationKeyNames = [[0, 11] + [UInt8](repeating: 0xAB, count: 32)]
        wanted.acceptUnboundAttestationKeyUnsafely = true
        wanted.acceptSHA1BankUnsafely = true
        wanted.requiredRegisters = [0, 11]
        #expect(try Self.policy("tpm: {\(text)}").appraisal.tpm == wanted)
    }

    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
    func certificatesAreReadInlineAndFromFiles() throws {
        let der = try SharedVectors.bytes("amd-roots/milan-ark.der")
        let base64 = Base64.encode(der)
        let pem = "-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n"
        let indented = pem.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n")
        let inline = try Self.policy("tpm:\n  certificateAuthorities:\n    - |\n\(indented)\n")
        #expect(inline.appraisal.tpm.trustedCertificates == [der])
        for file in [der, Array(pem.utf8)] {
            let policy = try Self.policy("tpm: {certificateAuthorities: [ca]}", files: ["ca": file])
            #expect(policy.appraisal.tpm.trustedCertificates == [der])
        }
        for file in [[], Array(der.dropLast()), Array("x".utf8)] {
            let error = try #require(throws: PolicyError.self) {
                try Self.policy("tpm: {certificateAuthorities: [ca]}", files: ["ca": file])
            }
            #expect(error.key == "tpm.certificateAuthorities" && error.line == 2)
        }
    }

    @Test func datesAreJudgedAsThePolicySays() throws {
        #expect(try Self.policy("datesAsOf: present").acceptsBuildTime == false)
        #expect(try Self.policy("datesAsOf: build").acceptsBuildTime)
    }

    static func policy(_ text: String, files: [String: [UInt8]] = [:]) throws -> VerificationPolicy {
        try PolicyFile(parsing: Array("version: 1\n\(text)\n".utf8)).policy(name: "p", files: files, present: nil)
    }
}
