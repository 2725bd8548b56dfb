// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import StrictJSON
import TestVectors
import Testing

@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct TDXVectorTests {
    @Test func allOfThemAreThere() {
        #expect(SharedVector.all("tdx").count == 75 && SharedVector.all("intel-collateral").count == 20)
        let rows = Set((SharedVector.all("tdx") + SharedVector.all("intel-collateral")).map(\.id))
        #expect(Set(TDXVectorCodes.byDefault.keys).isSubset(of: rows))
    }

    /// By the default policy but for the image: what is accepted, and why the rest is not.
    @Test(arguments: SharedVector.all("tdx"))
    func everyQuoteIsDecidedAsExpected(vector: SharedVector) throws {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        let codes = try Self.appraise(vector, policy).codeNames
        if let expected = TDXVectorCodes.byDefault[vector.id] {
            #expect(codes == expected)
        } else {
            #expect(!vector.isInvalid && codes == (vector.has("collateral") ? [] : ["tdx.collateral.missing"]))
        }
        #expect(!vector.isInvalid || !codes.isEmpty)
    }

    /// By a policy that accepts all that can be accepted: what is left is not genuine, or unknown to Intel.
    @Test(arguments: SharedVector.all("tdx"))
    func genuineQuotesAreAcceptedWhereThePolicyAllows(vector: SharedVector) throws {
        guard vector.has("collateral"), vector.expected["enclave"] == nil, !vector.id.hasPrefix("sgx") else { return }
        let codes = try Self.appraise(vector, .acceptingAllOfTDX).codeNames
        #expect(codes.isEmpty == !vector.isInvalid, "\(codes)")
    }

    @Test(arguments: SharedVector.all("tdx"))
    func everyFactIsAsExpected(vector: SharedVector) throws {
        guard vector.expected["parse_error"] != true else { return }
        let facts = try TDXVectorFacts.of(vector)
        let expected = vector.expected
        for (key, value) in facts { #expect(expected[key] == nil || expected[key] == value, "\(key)") }
        let decoded = expected.keys.filter {
            TDXVectorFacts.ofTheAppraisal.contains($0) || ($0.hasPrefix("pck_") && $0 != "pck_cert_data_type")
        }
        #expect(Set(decoded).subtracting(facts.keys).isEmpty)
    }

    @Test(arguments: SharedVector.all("tdx"))
    func everyFactOfTheTCBIsAsExpected(vector: SharedVector) throws {
        guard let expected = vector.expected["tcb"]?.objectValue else { return }
        let facts = try TDXVectorFacts.ofTCB(vector)
        for (key, value) in facts { #expect(expected[key] == value, "\(key)") }
        // What is not said about platforms whose collateral is not good, or of another platform.
        let unsaid: Set = ["neg-v4-tcbinfo-tampered", "neg-v4-fmspc-mismatch"]
        #expect(Set(expected.keys).subtracting(facts.keys).isEmpty || unsaid.contains(vector.id))
    }

    @Test(arguments: SharedVector.all("intel-collateral"))
    func collateralIsDecidedAsExpected(vector: SharedVector) throws {
        guard vector.has("collateral") else { return try Self.checkRoot(vector) }
        let set = try IntelCollateral(parsing: try vector.bytes("collateral"))
        var codes = VerifiedIntelCollateral.verify(set).codeNames
        if case .verified(let verified) = VerifiedIntelCollateral.verify(set), let now = vector.now {
            if !verified.validity.contains(now) { codes = ["tdx.collateral.dates"] }
            let window = vector.json["args"]?["window"]?.arrayValue?.compactMap(\.stringValue) ?? []
            let end = window.last.flatMap { SharedVector.time($0) }
            #expect(end == nil || end == verified.validity.notAfter)
            #expect(try set.validity == verified.validity)
            #expect(try set.platform.fmspc == verified.tcbInfo.fmspc)
        }
        #expect(codes == TDXVectorCodes.byDefault[vector.id, default: []])
        #expect(codes.isEmpty == !vector.isInvalid)
        guard vector.expected["parse_error"] != true else { return }
        for (key, value) in try TDXVectorFacts.ofCollateral(set, codes: codes, now: vector.now) {
            #expect(vector.expected[key] == value, "\(key)")
        }
    }

    private static func checkRoot(_ vector: SharedVector) throws {
        let certificate = try Certificate(try vector.bytes("cert"))
        let isPinned = certificate.publicKeyInfo == IntelRoot.intel.publicKeyInfo
        #expect(isPinned == !vector.isInvalid)
        #expect(vector.expected["is_pinned_intel_root"] == .bool(isPinned))
        let digest = Array(SHA256.hash(data: certificate.der))
        #expect(vector.expected["der_sha256"] == .string(Hex.encode(digest)))
        #expect((digest == IntelRoot.intel.certificateDigest) == isPinned)
        let key = SHA256.hash(data: certificate.publicKeyInfo)
        #expect(vector.expected["spki_sha256"] == .string(Hex.encode(key)))
    }

    static func appraise(_ vector: SharedVector, _ policy: AppraisalPolicy) throws -> AppraisalResult {
        let sets = vector.has("collateral") ? [try IntelCollateral(parsing: try vector.bytes("collateral"))] : []
        do throws(MalformedBytes) {
            let quote = try IntelQuote(decoding: (try? vector.bytes("quote")) ?? [])
            return TDXAppraiser(
                policy: policy, collateral: CollateralSet(intel: sets), now: try TDXVectorFacts.now(vector, quote)
            ).appraise(TDXEvidence(quote: quote), platform: "tdx")
        } catch {
            return AppraisalResult(malformed: error)
        }
    }
}

extension AppraisalPolicy {
    /// Accepts every genuine trust domain.
    static var acceptingAllOfTDX: AppraisalPolicy {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        policy.tdx.acceptedTCBStatuses = Set(TCBStatus.allCases)
        policy.tdx.acceptDebugGuestsUnsafely = true
        policy.tdx.acceptAnyServiceTDUnsafely = true
        policy.tdx.requireSEPTVEDisable = false
        return policy
    }
}

/// Why a row is not accepted by the default policy, where it is not for want of collateral alone.
enum TDXVectorCodes {
    static let byDefault: [String: [String]] = quotes.merging(collateral) { first, _ in first }

    private static let signature = ["tdx.quote.signature"]
    private static let key = ["tdx.attestation-key", "tdx.quote.signature"]
    private static let enclave = ["tdx.qe.signature"]
    private static let binding = ["tdx.attestation-key", "tdx.qe.signature"]
    private static let malformed = ["evidence.malformed"]

    private static let quotes: [String: [String]] = [
        "sgx-v3-phala": ["tdx.no-trust-domain"], "sgx-v3-phala@00a067110000-sgx-202506": ["tdx.no-trust-domain"],
        "sgx-v3-automata": ["tdx.no-trust-domain"],
        "tdx-v5-alibaba@90c06f000000-202603": ["tdx.service-td", "tdx.tcb.status"],
        "tdx-v5-phala-unsupported-tcb@90c06f000000-202602": ["tdx.tcb.no-level"],
        "tdx-v4-gcp-8000@00806f050000-202510": ["tdx.tcb.status"],
        "tdx-v4-coco-debug@50806f000000-202603": ["tdx.attributes.debug", "tdx.tcb.status"],
        "tdx-v4-moemahhouk@90c06f000000-202603": ["tdx.tcb.no-level"],
        "tdx-v4-coco-gnr@00a06d080000-202510": ["tdx.tcb.status"],
        "tdx-v4-tappd@b0c06f000000-202506": ["tdx.tcb.no-level"],
        "tdx-v4-azure-teekit@00806f050000-202510": ["tdx.attributes.sept-ve-disable"],
        "neg-v4-phala-1-header-version-user-data": signature, "neg-v4-phala-1-mrseam": signature,
        "neg-v4-phala-1-tee-tcb-svn": signature, "neg-v4-phala-1-mrtd": signature,
        "neg-v4-phala-1-mrconfigid": signature, "neg-v4-phala-1-rtmr0": signature,
        "neg-v4-phala-1-rtmr2": signature, "neg-v4-phala-1-rtmr3": signature,
        "neg-v4-phala-1-report-data-first": signature, "neg-v4-phala-1-quote-sig-r": signature,
        "neg-v4-phala-1-quote-sig-s": signature, "neg-v4-phala-1-att-key": key, "neg-v4-phala-1-qe-isvsvn": enclave,
        "neg-v4-phala-1-qe-report-sig": enclave, "neg-v4-phala-1-qe-report-data": binding,
        "neg-v5-google-header-version-user-data": signature, "neg-v5-google-tee-tcb-svn": signature,
        "neg-v5-google-mrseam": signature, "neg-v5-google-mrtd": signature, "neg-v5-google-rtmr0": signature,
        "neg-v5-google-mrconfigid": signature, "neg-v5-google-rtmr2": signature, "neg-v5-google-rtmr3": signature,
        "neg-v5-google-report-data-first": signature, "neg-v5-google-quote-sig-r": signature,
        "neg-v5-google-quote-sig-s": signature, "neg-v5-google-att-key": key, "neg-v5-google-qe-isvsvn": enclave,
        "neg-v5-google-qe-report-sig": enclave, "neg-v5-google-qe-report-data": binding,
        "neg-v5-google-tee-tcb-svn2": signature,
        "neg-v5-google-mr-service-td": ["tdx.quote.signature", "tdx.service-td"],
        "neg-v4-pck-leaf-altered": ["tdx.pck.chain"], "neg-v4-truncated-header": malformed,
        "neg-v4-siglen-overflow": malformed, "neg-v4-truncated-certs": malformed, "neg-v4-version-6": malformed,
        "neg-v4-certdata-len-short": malformed, "neg-v5-bodytype-mismatch": malformed, "neg-v4-spliced": signature,
        "neg-v4-fmspc-mismatch": ["tdx.collateral.missing"], "neg-v4-tcbinfo-tampered": ["tdx.tcb-info.signature"],
        "neg-v4-collateral-expired": ["tdx.collateral.dates"], "neg-intel-sample-test-pki": ["certificate.malformed"],
        "neg-v4-selfmade-root": ["tdx.root"],
    ]

    private static let collateral: [String: [String]] = [
        "50806f000000-202306": ["tdx.collateral.dates"], "neg-tcbinfo-status-edited": ["tdx.tcb-info.signature"],
        "neg-tcbinfo-sig-flip": ["tdx.tcb-info.signature"], "neg-tcbinfo-reserialised": ["tdx.tcb-info.signature"],
        "neg-tcbinfo-chain-der-flip": ["certificate.malformed"], "neg-expired": ["tdx.collateral.dates"],
        "neg-pck-crl-flip": ["tdx.crl.signature"], "neg-crls-exchanged": ["tdx.crl.issuer"],
    ]
}
