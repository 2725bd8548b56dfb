// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

/// Real evidence, and negatives made of it.
@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct SNPVectorTests {
    /// What the vectors are refused for: the codes of all findings, in their order. The others are accepted.
    private static let refusals: [String: [Finding.Code]] = [
        "milan-v2-debug-google": [.snpDebug],
        "neg-flip-version": [.malformedEvidence], "neg-flip-guest-svn": [.snpSignature],
        "neg-flip-family-id": [.snpSignature], "neg-flip-vmpl": [.snpSignature],
        "neg-flip-current-tcb": [.snpSignature], "neg-flip-platform-info": [.snpSignature],
        "neg-flip-report-data-first": [.snpSignature], "neg-flip-report-data-last": [.snpSignature],
        "neg-flip-measurement-last": [.snpSignature], "neg-flip-host-data": [.snpSignature],
        "neg-flip-report-id": [.snpSignature], "neg-flip-reported-tcb": [.snpSignature, .snpCertificateTCB],
        "neg-flip-committed-tcb": [.snpSignature, .snpTCBOrder], "neg-flip-launch-tcb": [.snpSignature],
        "neg-flip-sig-r": [.snpSignature], "neg-flip-sig-s": [.snpSignature],
        "neg-sig-reserved-nonzero": [.malformedEvidence], "neg-truncated": [.malformedEvidence],
        "neg-empty": [.malformedEvidence], "neg-sig-zero": [.snpSignature], "neg-sig-bigendian": [.malformedEvidence],
        "neg-wrong-chip-vcek": [.snpSignature, .snpChip, .snpCertificateTCB],
        "neg-wrong-product-vcek": [.snpSignature, .snpProduct, .snpChip, .snpCertificateTCB],
        "neg-turin-vcek-other-chip": [.snpSignature, .snpChip, .snpCertificateTCB],
        "neg-vcek-forged-legacy": [.snpSignature, .snpChip, .snpCertificateTCB, .snpChain],
        "neg-vlek-for-vcek-report": [.snpSignature, .snpKeyKind, .snpCertificateTCB],
        "neg-vcek-cert-sig-flip": [.snpChain], "neg-chain-genoa-for-milan": [.snpIssuers, .snpIssuers],
        "neg-selfmade-root": [.snpChain, .snpIssuers, .snpIssuers],
        "neg-vcek-missing-spl-ext": [.malformedCertificate],
    ]

    @Test(arguments: SharedVector.all("snp", check: "snp"))
    func everyVectorHasTheExpectedVerdict(vector: SharedVector) throws {
        let result = try SNPVector(vector).appraised()
        #expect(result.codes == Self.refusals[vector.id] ?? [])
        if vector.isInvalid { #expect(result.accepted == nil) }
    }

    @Test func everyNegativeHasARow() {
        let negatives = SharedVector.all("snp", check: "snp").filter(\.isInvalid).map(\.id)
        #expect(Set(negatives).isSubset(of: Self.refusals.keys) && negatives.count == 30)
    }

    /// Facts of the index that the decoder's tests assert.
    private static let ofTheReport: Set<String> = [
        "version", "guest_svn", "policy", "abi_minor", "abi_major", "policy_reserved_bit17", "policy_bits", "debug",
        "family_id", "image_id", "vmpl", "signature_algo", "current_tcb_raw", "current_tcb", "platform_info",
        "platform_info_bits", "flags", "author_key_en", "mask_chip_key", "signing_key", "report_data", "measurement",
        "host_data", "id_key_digest", "author_key_digest", "report_id", "report_id_ma", "reported_tcb_raw",
        "reported_tcb", "chip_id", "chip_id_masked", "committed_tcb_raw", "committed_tcb", "current_fw",
        "committed_fw", "launch_tcb_raw", "launch_tcb", "cpuid", "product_from_cpuid", "launch_mit_vector",
        "current_mit_vector",
    ]

    @Test(arguments: SharedVector.all("snp", check: "snp"))
    func everyFactOfTheChainIsAsExpected(vector: SharedVector) throws {
        let row = try SNPVector(vector)
        let codes = try row.appraised().codes
        guard vector.expected["parse_error"] == nil else {
            #expect(codes == [.malformedEvidence] || codes == [.malformedCertificate])
            return
        }
        let isReadable = codes != [.malformedEvidence]
        let facts = (isReadable ? row.verdictFacts(codes) : [:]).merging(try row.certificateFacts()) { $1 }
        let left = vector.compare(facts).subtracting(Self.ofTheReport)
        #expect(left.isEmpty || !isReadable, "\(left)")
    }

    /// The certificates that a host's table holds are PEM, with zeros at their end.
    @Test func certificatesOfAHostsTableAreRead() throws {
        let vector = try #require(SharedVector.all("snp", check: "snp").first { $0.id == "genoa-v3-tsm-auxblob" })
        let table = try SNPCertificateTable(decoding: vector.bytes("auxblob"))
        let evidence = SNPEvidence(
            report: try SNPReport(decoding: vector.bytes("report")), endorsementKey: table.content(.vcek),
            issuers: [table.content(.ask), table.content(.ark)].compactMap(\.self))
        #expect(evidence.issuers.count == 2)
        let result = SNPAppraiser(policy: SNPVector.policy, now: SNPScene.now).appraise(evidence, platform: "snp")
        #expect(result.codes == [])
    }

    @Test func anExpiredVLEKIsRefused() throws {
        let vector = try #require(SharedVector.all("snp", check: "snp").first { $0.id == "milan-v3-vlek-aws" })
        #expect(try SNPVector(vector).appraised(now: SNPScene.now).codes == [.snpDates])
    }

    /// The function that everybody can call, with AMD's own authorities.
    @Test func aCertificateThatWasCheckedBeforeGivesTheSameVerdict() throws {
        let vector = try #require(SharedVector.all("snp", check: "snp").first { $0.id == "turin-v5-microsoft" })
        let row = try SNPVector(vector)
        let trusted = try SNPTrustedEndorsement(certificate: row.certificate)
        let lines = try row.appraised().lines
        let report = JSONValue.string(Base64.encode(try vector.bytes("report")))
        let chain: JSONValue = ["vcek": .string(Base64.encode(row.certificate))]
        for json in [["attestation_report": report, "cert_chain": chain], ["attestation_report": report]] as [JSONValue]
        {
            let envelope = EvidenceEnvelope(platform: "snp", evidence: json)
            let result = appraise(envelope, policy: SNPVector.policy, now: row.now, trusting: [trusted])
            #expect(result.codes == [] && result.lines == lines)
            let expired = appraise(envelope, policy: SNPVector.policy, now: 4_000_000_000, trusting: [trusted])
            #expect(expired.codes == [.snpDates, .snpDates, .snpDates])
        }
        let software = EvidenceEnvelope(platform: "software", evidence: [:])
        #expect(appraise(software, policy: SNPVector.policy, now: 0, trusting: [trusted]).codes == [.malformedEvidence])
    }

    /// What a person reads of a report, a line each.
    @Test(
        arguments: [
            (
                "milan-v3-microsoft",
                "signed by the VCEK of a Milan chip, certified by SEV-Milan; "
                    + "chip and firmware as certified; revocation not checked",
                "no debugging, no migration agent, SMT on, VMPL 0; firmware 1.55.29, "
                    + "TCB bootloader 4, tee 0, snp 24, microcode 219"
            ),
            (
                "turin-v5-microsoft",
                "signed by the VCEK of a Turin chip, certified by SEV-Turin; "
                    + "chip and firmware as certified; revocation not checked",
                "no debugging, no migration agent, SMT on, VMPL 0; firmware 1.55.65, "
                    + "TCB fmc 1, bootloader 1, tee 1, snp 4, microcode 81"
            ),
            (
                "milan-v3-vlek-aws",
                "signed by the VLEK of CN=cc-us-east-2.amazonaws.com for Milan, certified by "
                    + "SEV-VLEK-Milan; firmware as certified; revocation not checked",
                "no debugging, no migration agent, SMT on, VMPL 1; firmware 1.55.29, not committed, "
                    + "TCB bootloader 4, tee 0, snp 24, microcode 217"
            ),
        ])
    func theLinesSayWhatWasCompared(id: String, signature: String, platform: String) throws {
        let vector = try #require(SharedVector.all("snp", check: "snp").first { $0.id == id })
        let result = try SNPVector(vector).appraised()
        #expect(result.lines.first { $0.step == 2 }?.compared == signature)
        #expect(result.lines.first { $0.step == 4 }?.compared == platform)
        #expect(signature.count <= 140 && platform.count <= 140)
        let evidence = try #require(result.accepted)
        let gaps = evidence.doesNotProve
        #expect((evidence.proves + gaps).allSatisfy { $0.count <= 120 && !$0.hasSuffix(".") })
        #expect(evidence.proves[0].contains("(chip ") == (id != "milan-v3-vlek-aws"))
        #expect(evidence.proves.count == 3 && gaps.contains { $0.contains("revocation list") })
        #expect(gaps.contains { $0.contains("SMT") } && gaps.contains { $0.contains("least TCB") })
        #expect(gaps.contains { $0.contains("VMPL 1") } == (id == "milan-v3-vlek-aws"))
    }
}
