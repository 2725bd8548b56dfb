// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Evidence
import Testing

/// What is said of accepted evidence follows from what was checked.
@Suite struct SNPStatementsTests {
    /// An edit of a sound scene, and what must then be said, or no longer.
    struct Row: Sendable, CustomTestStringConvertible {
        let edit: SNPEdit
        let said: String
        let isGap: Bool
        var testDescription: String { edit.name }
    }

    private static func statements(_ edit: SNPEdit) throws -> (proves: String, gaps: String) {
        let evidence = try #require(try edit.result().accepted)
        return (evidence.proves.joined(separator: "\n"), evidence.doesNotProve.joined(separator: "\n"))
    }

    @Test func aKnownImageOnSoundHardwareIsProved() throws {
        let (proves, gaps) = try Self.statements(SNPEdit("sound"))
        #expect(
            proves == """
                an AMD Milan processor with SEV-SNP (chip 0102030405060708) launched cupel-guest 1.0.0 as a guest
                that guest, at VMPL 0, asked the processor to sign what is bound here
                by SEV-SNP's design, the host could neither read nor write the guest's private memory
                """)
        #expect(
            gaps == """
                what the guest did after launch: MEASUREMENT covers what was loaded before it ran
                that the host's firmware has no known weakness: no least TCB was asked for
                that AMD has not revoked a key since: no revocation list was at hand
                where the machine stands, or that nobody with access to its hardware attacked it
                """)
    }

    /// What an edit makes unproved, by a word of the sentence.
    @Test(arguments: [
        Row(
            edit: SNPEdit("debugging") {
                $0.put([0x0A], at: 0x00A)
                $0.policy.snp.acceptDebugGuestsUnsafely = true
            }, said: "debug", isGap: true),
        Row(
            edit: SNPEdit("a migration agent") {
                $0.put([0x06], at: 0x00A)
                $0.policy.snp.acceptMigrationAgents = true
            }, said: "migration agent", isGap: true),
        Row(edit: SNPEdit("SMT") { $0.put([1], at: 0x040) }, said: "SMT is on", isGap: true),
        Row(edit: SNPEdit("VMPL 2") { $0.put([2], at: 0x030) }, said: "VMPL 2", isGap: true),
        Row(
            edit: SNPEdit("any image") {
                $0.policy.knownImages = []
                $0.policy.acceptAnyMeasurementUnsafely = true
            }, said: "any measurement was accepted", isGap: true),
        Row(
            edit: SNPEdit("a list") { $0.collateral.amdRevocationLists = [try $0.revocationList()] },
            said: "revocation list", isGap: false),
        Row(
            edit: SNPEdit("a least TCB") {
                $0.policy.snp.minimumTCB[.milan] = SNPTCBParts(bootloader: 0, tee: 0, snp: 0, microcode: 0)
            }, said: "least TCB", isGap: false),
    ])
    func whatIsNotProvedIsSaid(row: Row) throws {
        let sound = try Self.statements(SNPEdit("sound"))
        let (proves, gaps) = try Self.statements(row.edit)
        #expect(gaps.contains(row.said) == row.isGap && sound.gaps.contains(row.said) == !row.isGap)
        let isReadable = ["debugging", "a migration agent"].contains(row.edit.name)
        #expect(proves.contains("neither read nor write") == !isReadable)
        if row.edit.name == "any image" { #expect(proves.contains("launched an unknown image")) }
    }

    @Test func theLinesDoNotClaimWhatWasOnlyAccepted() throws {
        var scene = try SNPScene()
        scene.put([0x0E], at: 0x00A)
        scene.policy.snp.acceptDebugGuestsUnsafely = true
        scene.policy.snp.acceptMigrationAgents = true
        scene.collateral.amdRevocationLists = [try scene.revocationList()]
        let lines = try scene.appraised().lines
        #expect(lines.first { $0.step == 4 }?.compared.hasPrefix("debugging, migration agent, SMT off, VMPL 0") == true)
        #expect(lines.first { $0.step == 2 }?.compared.hasSuffix("not on AMD's revocation list") == true)
    }
}
