// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import CryptoExtras
import Evidence
import StrictJSON
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
        #expect(evidence.proves.count == 3 && gaps.contains { $0.contains("revocation list") })
        #expect(gaps.contains { $0.contains("SMT") } && gaps.contains { $0.contains("least TCB") })
        #expect(gaps.contains { $0.contains("VMPL 1") } == (id == "milan-v3-vlek-aws"))
    }
}

/// One vector of the group `snp`, and what is said of it.
struct SNPVector {
    let vector: SharedVector
    let certificate: [UInt8]

    init(_ vector: SharedVector) throws {
        self.vector = vector
        certificate = try vector.bytes("vek")
    }

    static var policy: AppraisalPolicy {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        return policy
    }

    /// A day into the certificate's validity: the vectors are not judged by it.
    var now: Int64 { (try? Certificate(certificate)).map { $0.validity.notBefore + 86_400 } ?? SNPScene.now }

    func appraised(now: Int64? = nil) throws -> AppraisalResult {
        let bytes = try vector.bytes("report")
        let appraiser = SNPAppraiser(policy: Self.policy, now: now ?? self.now)
        guard let report = try? SNPReport(decoding: bytes) else {
            return appraiser.appraise(
                EvidenceEnvelope(platform: "snp", evidence: ["attestation_report": .string(Base64.encode(bytes))]))
        }
        return appraiser.appraise(
            SNPEvidence(
                report: report, endorsementKey: certificate,
                issuers: vector.has("chain") ? [try vector.bytes("chain")] : []), platform: "snp")
    }

    func verdictFacts(_ codes: [Finding.Code]) -> [String: JSONValue] {
        let isChainValid = !codes.contains(.snpChain) && !codes.contains(.snpIssuers)
        let hasChip = vector.expected["vek_hwid_matches_chip_id"] != .null
        return [
            "signature_valid": .bool(!codes.contains(.snpSignature)), "chain_valid_to_ark": .bool(isChainValid),
            "vek_tcb_matches_reported_tcb": .bool(!codes.contains(.snpCertificateTCB)),
            "vek_hwid_matches_chip_id": hasChip ? .bool(!codes.contains(.snpChip)) : .null,
            "vek_kind_matches_signing_key": .bool(!codes.contains(.snpKeyKind)),
            "product_consistent": .bool(isChainValid && !codes.contains(.snpProduct)),
            "overall_valid": .bool(codes.allSatisfy { $0 == .snpDebug }),
        ]
    }

    func certificateFacts() throws -> [String: JSONValue] {
        let endorsement = try SNPEndorsement(Certificate(certificate))
        let issuer = endorsement.certificate.issuer.commonName ?? ""
        let validity = endorsement.certificate.validity
        func date(_ time: Int64) -> JSONValue {
            .string(CivilTime(secondsSince1970: time).rfc3339.replacing("Z", with: "+00:00"))
        }
        var facts: [String: JSONValue] = [
            "vek_subject_cn": .string(endorsement.certificate.subject.commonName ?? ""),
            "vek_issuer_cn": .string(issuer), "chain_issuer_cn": .string(issuer),
            "vek_struct_version": .integer(Int(endorsement.structureVersion)),
            "vek_product_name": .string(endorsement.productName),
            "product_from_vek": .string(endorsement.product.rawValue),
            "ark_product": .string(endorsement.product.rawValue),
            "vek_tcb": .object(
                Dictionary(uniqueKeysWithValues: endorsement.tcb.named.map { ($0.name, .integer(Int($0.value))) })),
            "vek_hwid": endorsement.chipID.map { .string(Hex.encode($0)) } ?? .null,
            "vek_serial": .integer(endorsement.certificate.serial.reduce(0) { $0 << 8 | Int($1) }),
            "vek_not_before": date(validity.notBefore), "vek_not_after": date(validity.notAfter),
            "vek_kind": endorsement.kind == .vlek ? "VLEK" : "VCEK",
        ]
        facts["vek_csp_id"] = endorsement.provider.map { .string($0) }
        return facts
    }
}

/// The authorities that are built in.
@Suite struct AMDAuthoritiesTests {
    @Test func allOfThemAreThere() {
        #expect(AMDAuthorities.amd.all.count == 9)
        for product in SNPProduct.allCases {
            for role in AMDAuthority.Role.allCases {
                let authority = AMDAuthorities.amd.authority(product, role)
                #expect(authority?.name == AMDTestHierarchy.name(product, role))
            }
        }
    }

    @Test(arguments: SharedVector.all("amd-roots", check: "cert"))
    func everyConstantIsThatOfTheCertificate(vector: SharedVector) throws {
        let certificate = try Certificate(der: vector.bytes("cert"))
        let names = vector.id.split(separator: "-")
        let authority = try #require(
            AMDAuthorities.amd.all.first {
                $0.product.rawValue.lowercased() == names[0] && $0.role.rawValue == names[1]
            })
        #expect(
            authority.publicKeyInfo == certificate.publicKeyInfo && authority.serial == certificate.serial
                && authority.validity == certificate.validity && authority.name == certificate.subject.commonName)
        #expect(authority.certificateDigest == Hex.encode(SHA256.hash(data: certificate.der)))
        let root = try #require(AMDAuthorities.amd.authority(authority.product, .ark))
        #expect(root.hasSigned(certificate.signedBytes, certificate.signature, certificate.algorithm))
        #expect(certificate.extensions.isAuthority == true && certificate.extensions.maySignCertificates)
        #expect(certificate.extensions.maySignRevocationLists == (authority.role == .ark))
        let left = vector.compare(try facts(certificate, authority, root))
        #expect(left == [], "\(left)")
    }

    private func facts(
        _ certificate: Certificate, _ authority: AMDAuthority, _ root: AMDAuthority
    ) throws -> [String: JSONValue] {
        func date(_ time: Int64) -> JSONValue {
            .string(CivilTime(secondsSince1970: time).rfc3339.replacing("Z", with: "+00:00"))
        }
        func name(_ common: String) -> JSONValue {
            .string("CN=\(common),O=Advanced Micro Devices,ST=CA,L=Santa Clara,C=US,OU=Engineering")
        }
        let bits = try _RSA.Signing.PublicKey(derRepresentation: authority.publicKeyInfo).keySizeInBits
        let isRoot = certificate.issuer == certificate.subject
        var facts: [String: JSONValue] = [
            "der_sha256": .string(authority.certificateDigest),
            "spki_sha256": .string(Hex.encode(SHA256.hash(data: authority.publicKeyInfo))),
            "subject": name(authority.name), "issuer": name(root.name),
            "serial": .string(String(authority.serial.reduce(0) { $0 << 8 | Int($1) }, radix: 16)),
            "not_before": date(authority.validity.notBefore), "not_after": date(authority.validity.notAfter),
            "sig_alg_oid": certificate.algorithm == .rsaPSSWithSHA384 ? "1.2.840.113549.1.1.10" : "another",
            "key": .string("RSA-\(bits)"), "self_signed_valid": .bool(isRoot), "is_pinned_intel_root": false,
            "is_pinned_amd_root": .bool(authority.role == .ark),
        ]
        if !isRoot { facts["issued_by_issuer"] = true }
        return facts
    }

    /// The names as bytes: what the test above compares as text.
    @Test(arguments: SharedVector.all("amd-roots", check: "cert"))
    func namesAreWholeOnes(vector: SharedVector) throws {
        let certificate = try Certificate(der: vector.bytes("cert"))
        for name in [certificate.issuer, certificate.subject] {
            let text = String(decoding: name.der, as: UTF8.self)
            #expect(text.contains("Advanced Micro Devices") && text.contains("Engineering"))
        }
    }
}
