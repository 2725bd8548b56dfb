// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import Testing

/// Which collateral is used, and what it is read from.
@Suite struct TDXCollateralChoiceTests {
    private static func set(_ change: (inout TDXMade) -> Void) -> IntelCollateral {
        var made = TDXMade()
        change(&made)
        return made.collateral
    }

    private static let older = set { $0.tcbInfo.set("tcbEvaluationDataNumber", 17) }
    private static let other = set { $0.tcbInfo.set("fmspc", "00806F050000") }
    private static let outdated = set { $0.tcbInfo.set("nextUpdate", "2026-03-16T23:00:00Z") }
    private static let broken = set { $0.changeCollateral = { $0.tcbInfo = [0x7B] } }
    private static let processor = set {
        $0.listAuthority = TDXMade.certificate(
            "Intel SGX PCK Processor CA", 5, by: "Intel SGX Root CA", 0, authority: true)
        $0.pckList = TDXMade.list("Intel SGX PCK Processor CA", 5)
    }

    @Test func theNewestGoodOneIsUsed() throws {
        var made = TDXMade()
        made.policy.tdx.minimumTCBEvaluationDataNumber = 18
        for others in [[Self.older], [Self.other, Self.older], [Self.outdated], [Self.broken], [Self.processor]] {
            made.otherCollateral = others
            #expect(try made.appraise().codeNames == [])
        }
        made.tcbInfoSigner = TDXMade.stranger
        made.otherCollateral = [Self.older]
        #expect(try made.appraise().codeNames == ["tdx.tcb.evaluation-number"])
        made.otherCollateral = [Self.outdated]
        #expect(try made.appraise().codeNames == ["tdx.collateral.dates"])
    }

    @Test func withoutAnyNothingIsDecided() throws {
        let made = TDXMade()
        for sets in [[], [Self.other]] {
            let result = TDXAppraiser(
                policy: made.policy, collateral: CollateralSet(intel: sets), now: made.now, root: made.trustedRoot
            ).appraise(try made.evidence(), platform: "tdx")
            #expect(result.codeNames == ["tdx.collateral.missing"])
            guard case .cannotCheck = result.verdict else {
                Issue.record("\(result.verdict)")
                continue
            }
        }
    }

    @Test func aQuoteThatIsNotGenuineIsRefusedWithoutCollateral() throws {
        var made = TDXMade()
        made.quote.signer = TDXMade.stranger
        let result = TDXAppraiser(policy: made.policy, now: made.now, root: made.trustedRoot)
            .appraise(try made.evidence(), platform: "tdx")
        #expect(result.codeNames == ["tdx.quote.signature"])
    }

    @Test func verifiedCollateralServesManyQuotesUntilItIsOver() throws {
        var made = TDXMade()
        made.policy.acceptAnyMeasurementUnsafely = true
        guard case .verified(let verified) = VerifiedIntelCollateral.verify(made.collateral, root: made.trustedRoot)
        else {
            Issue.record("not verified")
            return
        }
        let appraise = { (made: TDXMade, now: Int64, root: IntelRoot) in
            TDXAppraiser(policy: made.policy, verified: [verified], now: now, root: root)
                .appraise(try made.evidence(), platform: "tdx").codeNames
        }
        #expect(try appraise(made, made.now, made.trustedRoot) == [])
        #expect(try appraise(made, verified.validity.notAfter, made.trustedRoot) == [])
        #expect(try appraise(made, verified.validity.notAfter + 1, made.trustedRoot) == ["tdx.collateral.dates"])
        #expect(try appraise(made, made.now, .intel) == ["tdx.root"])
        made.leaf.signer = TDXMade.stranger
        #expect(try appraise(made, made.now, made.trustedRoot) == ["tdx.pck.chain"])
        made = TDXMade()
        made.authorityInQuote = made.authority
        made.authorityInQuote?.signer = TDXMade.stranger
        #expect(try appraise(made, made.now, made.trustedRoot).contains("tdx.pck.chain"))
    }

    @Test func aQuoteAndASetSayWhichPlatformTheyAreOf() throws {
        let made = TDXMade()
        let platform = IntelPlatform(fmspc: [0x90, 0xC0, 0x6F, 0, 0, 0], tee: .tdx, authority: .platform)
        #expect(try IntelPlatform(of: made.evidence().quote) == platform)
        #expect(try made.collateral.platform == platform)
        #expect(try Self.processor.platform.authority == .processor)
        let end = try #require(CivilTime(rfc3339: "2026-04-07T22:13:20Z")).secondsSince1970
        #expect(try made.collateral.validity.notAfter == min(end, made.pckList.nextUpdate))
    }

    @Test func theJSONFormIsReadAndWritten() throws {
        let set = TDXMade().collateral
        #expect(try IntelCollateral(parsing: set.json) == set)
        var json = try JSONValue(parsing: set.json)
        json.set("pck_certificate_chain", "-----BEGIN CERTIFICATE-----")
        #expect(try IntelCollateral(parsing: json.canonicalBytes) == set)
        json.set("more", "")
        #expect(throws: MalformedBytes.self) { try IntelCollateral(parsing: json.canonicalBytes) }
        for member in try JSONValue(parsing: set.json).objectValue.map({ Array($0.keys) }) ?? [] {
            var less = try JSONValue(parsing: set.json)
            less.set(member, nil)
            #expect(throws: MalformedBytes.self) { try IntelCollateral(parsing: less.canonicalBytes) }
        }
    }

    @Test func intelsAnswersAreKeptByteForByte() throws {
        let signature = String(repeating: "ab", count: 64)
        let read = { (tcb: String, qe: String) in
            try IntelCollateral(
                tcbInfoAnswer: Array(tcb.utf8), tcbInfoIssuerChain: [1], qeIdentityAnswer: Array(qe.utf8),
                qeIdentityIssuerChain: [2], pckCRL: [3], pckCRLIssuerChain: [4], rootCACRL: [5])
        }
        let qe = "{\"enclaveIdentity\":{\"a\": [ {} ]},\"signature\":\"\(signature)\"}"
        let set = try read(
            " { \"signature\" : \"\(signature)\" , \"tcbInfo\" : { \"b\" :1.0, \"tcbInfo\":{\"}\\\"\":2} } } ", qe)
        #expect(set.tcbInfo == Array("{ \"b\" :1.0, \"tcbInfo\":{\"}\\\"\":2} }".utf8))
        #expect(set.qeIdentity == Array("{\"a\": [ {} ]}".utf8) && set.tcbInfoSignature.count == 64)
        for wrong in [
            "{}", "[]", "{\"tcbInfo\":1,\"signature\":\"\(signature)\"}", "{\"tcbInfo\":{},\"signature\":\"ab\"}",
            "{\"tcbInfo\":{},\"signature\":\"\(signature)\",\"more\":1}",
            "{\"tcb\\u0049nfo\":{},\"signature\":\"\(signature)\"}",
        ] {
            #expect(throws: MalformedBytes.self) { try read(wrong, qe) }
        }
    }
}
