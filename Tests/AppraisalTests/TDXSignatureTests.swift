// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Testing

/// Step 2 of TDX, on what tests make.
@Suite struct TDXSignatureTests {
    static let quotes: [TDXRow] = [
        TDXRow("nothing, version 4") { _ in },
        TDXRow("nothing, version 5 with a TD report 1.0") { $0.quote.version = 5 },
        TDXRow("nothing, version 5 with a TD report 1.5") {
            $0.quote.version = 5
            $0.quote.report += [UInt8](repeating: 0, count: 64)
        },
        TDXRow("a quote of an SGX enclave", "tdx.no-trust-domain") {
            $0.quote.tee = 0
            $0.quote.report = $0.quote.qeReport
        },
        TDXRow("another key signed the quote", "tdx.quote.signature") { $0.quote.signer = TDXMade.stranger },
        TDXRow("another attestation key, which signed the quote", "tdx.attestation-key") {
            $0.quote.qeReportData = [UInt8](repeating: 0, count: 64)
            $0.quote.attestationKey = TDXMade.stranger
            $0.quote.signer = TDXMade.stranger
        },
        TDXRow("another key signed the quoting enclave", "tdx.qe.signature") { $0.quote.qeSigner = TDXMade.stranger },
    ]

    static let chains: [TDXRow] = [
        TDXRow("another key signed the PCK certificate", "tdx.pck.chain") { $0.leaf.signer = TDXMade.stranger },
        TDXRow("the PCK certificate is a CA's", "tdx.pck.chain") { $0.leaf.isAuthority = true },
        TDXRow("the PCK certificate has no basic constraints", "tdx.pck.chain") { $0.leaf.isAuthority = nil },
        TDXRow("the PCK certificate may not sign", "tdx.pck.chain") { $0.leaf.usage = 0x20 },
        TDXRow("the PCK certificate has an unknown critical extension", "tdx.pck.chain") {
            $0.leaf.extensions = [TDXMadeDER.fileExtension([0x55, 0x1D, 0x24], critical: true, [5, 0])]
        },
        TDXRow("another key signed the PCK CA in the quote", "tdx.pck.chain") {
            $0.authorityInQuote = $0.authority
            $0.authorityInQuote?.signer = TDXMade.stranger
        },
        TDXRow("the PCK CA in the quote may not issue", "tdx.pck.chain") {
            $0.authorityInQuote = $0.authority
            $0.authorityInQuote?.isAuthority = false
        },
        TDXRow("the PCK CA in the quote may not sign certificates", "tdx.pck.chain") {
            $0.authorityInQuote = $0.authority
            $0.authorityInQuote?.usage = 0x02
        },
        TDXRow("the signer of collateral signs PCK certificates", "tdx.pck.chain") {
            $0.authorityInQuote = $0.tcbSigner
            $0.leaf.signer = TDXMade.keys[3]
        },
        TDXRow("another root in the quote, with the same name", "tdx.root") {
            $0.rootInQuote = TDXMade.certificate("Intel SGX Root CA", 6, by: "Intel SGX Root CA", 6, authority: true)
        },
        TDXRow("the root's key in a certificate that it did not sign", "tdx.root") {
            $0.rootInQuote = $0.root
            $0.rootInQuote?.signer = TDXMade.stranger
        },
        TDXRow("the root's key in a certificate that may not issue", "tdx.root") {
            $0.rootInQuote = $0.root
            $0.rootInQuote?.isAuthority = false
        },
        TDXRow("the PCK certificate is over", "tdx.pck.dates") { $0.leaf.notAfter = $0.now - 1 },
        TDXRow("the PCK certificate has not begun", "tdx.pck.dates") { $0.leaf.notBefore = $0.now + 1 },
        TDXRow("the PCK certificate begins and ends now") {
            $0.leaf.notBefore = $0.now
            $0.leaf.notAfter = $0.now
        },
        TDXRow("the PCK CA in the quote is over", "tdx.pck.dates") {
            $0.authorityInQuote = $0.authority
            $0.authorityInQuote?.notAfter = $0.now - 1
        },
        TDXRow("the root in the quote is over", "tdx.pck.dates") {
            $0.rootInQuote = $0.root
            $0.rootInQuote?.notAfter = $0.now - 1
        },
        TDXRow("the PCK certificate is revoked", "tdx.pck.revoked") { $0.pckList.revoked = [$0.leaf.serial] },
        TDXRow("the PCK CA in the quote is revoked", "tdx.authority.revoked") {
            $0.authorityInQuote = $0.authority
            $0.authorityInQuote?.serial = [0x77]
            $0.rootList.revoked = [[0x77]]
        },
        TDXRow("an SGX extension without FMSPC", "certificate.malformed") { $0.pck.missing = 4 },
        TDXRow("an SGX extension without TCB", "certificate.malformed") { $0.pck.missing = 2 },
        TDXRow("an SGX extension with two PCE-IDs", "certificate.malformed") { $0.pck.repeated = 3 },
        TDXRow("an SGX extension with a short PPID", "certificate.malformed") { $0.pck.ppid = [1] },
        TDXRow("an SGX extension with one component more", "certificate.malformed") { $0.pck.components.append(5) },
        TDXRow("a PCK certificate of another name", "certificate.malformed") { $0.leaf.subject = "Intel SGX" },
        TDXRow("a PCK certificate of another issuer's name", "certificate.malformed") { $0.leaf.issuer = "Intel SGX" },
    ]

    @Test(arguments: quotes) func aQuoteIsSignedByTheEnclave(row: TDXRow) throws { try row.check() }
    @Test(arguments: chains) func aPlatformIsVouchedFor(row: TDXRow) throws { try row.check() }

    @Test(arguments: [0, 1, 2, 4]) func chainsOfAnotherLengthAreRefused(count: Int) throws {
        var made = TDXMade()
        made.policy.acceptAnyMeasurementUnsafely = true
        let chain = Array((made.chain + [made.root.der]).prefix(count))
        let quote = try IntelQuote(decoding: made.quote.bytes(chain: chain, pckKey: made.leaf.key))
        let result = TDXAppraiser(
            policy: made.policy, collateral: CollateralSet(intel: [made.collateral]), now: made.now,
            root: made.trustedRoot
        ).appraise(TDXEvidence(quote: quote), platform: "tdx")
        #expect(result.codeNames == [count == 0 ? "certificate.malformed" : "tdx.pck.chain"])
    }

    @Test func withoutATimeNothingIsChecked() throws {
        let made = TDXMade()
        let result = TDXAppraiser(
            policy: made.policy, collateral: CollateralSet(intel: [made.collateral]), now: nil, root: made.trustedRoot
        ).appraise(try made.evidence(), platform: "tdx")
        #expect(result.codeNames == ["appraisal.no-time"])
        #expect(result.lines.map(\.status) == [.passed, .cannotCheck, .cannotCheck, .cannotCheck])
    }

    @Test func aMadeHierarchyIsNotIntels() throws {
        let made = TDXMade()
        let result = TDXAppraiser(
            policy: made.policy, collateral: CollateralSet(intel: [made.collateral]), now: made.now
        ).appraise(try made.evidence(), platform: "tdx")
        #expect(result.codeNames.contains("tdx.root"))
    }
}
