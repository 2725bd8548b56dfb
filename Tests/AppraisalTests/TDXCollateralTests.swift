// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import Testing

/// The collateral part of step 2 of TDX, on what tests make.
@Suite struct TDXCollateralTests {
    static let signatures: [TDXRow] = [
        TDXRow("another key signed the TCB info", "tdx.tcb-info.signature") { $0.tcbInfoSigner = TDXMade.stranger },
        TDXRow("the TCB info with a blank more", "tdx.tcb-info.signature") {
            $0.changeCollateral = { $0.tcbInfo.insert(0x20, at: 1) }
        },
        TDXRow("the PCK CA signed the TCB info", "tdx.collateral.chain") {
            $0.tcbInfoSigner = TDXMade.keys[1]
            let chain = TDXMadeDER.pem([$0.authority.der, $0.root.der])
            $0.changeCollateral = { $0.tcbInfoIssuerChain = chain }
        },
        TDXRow("another key signed the QE identity", "tdx.qe-identity.signature") {
            $0.qeIdentitySigner = TDXMade.stranger
        },
        TDXRow("another key signed the certificate of the signer", "tdx.collateral.chain") {
            $0.tcbSigner.signer = TDXMade.stranger
        },
        TDXRow("the signer's certificate has another name", "tdx.collateral.chain") {
            $0.tcbSigner.subject = "Intel SGX"
        },
        TDXRow("the signer's certificate names another issuer", "tdx.collateral.chain") {
            $0.tcbSigner.issuer = "Intel SGX"
        },
        TDXRow("the signer's certificate is a CA's", "tdx.collateral.chain") { $0.tcbSigner.isAuthority = true },
        TDXRow("the signer's certificate may not sign", "tdx.collateral.chain") { $0.tcbSigner.usage = 0x06 },
        TDXRow("the chain of the TCB info has no root", "tdx.collateral.chain") {
            let chain = TDXMadeDER.pem([$0.tcbSigner.der])
            $0.changeCollateral = { $0.tcbInfoIssuerChain = chain }
        },
        TDXRow("the chain of the QE identity ends at another root", "tdx.root") {
            let root = TDXMade.certificate("Intel SGX Root CA", 6, by: "Intel SGX Root CA", 6, authority: true)
            let chain = TDXMadeDER.pem([$0.tcbSigner.der, root.der])
            $0.changeCollateral = { $0.qeIdentityIssuerChain = chain }
        },
        TDXRow("the chain of the TCB info is no PEM", "certificate.malformed") {
            $0.changeCollateral = { $0.tcbInfoIssuerChain = [1, 2, 3] }
        },
    ]

    static let lists: [TDXRow] = [
        TDXRow("another key signed the PCK list", "tdx.crl.signature") { $0.pckList.signer = TDXMade.stranger },
        TDXRow("another key signed the root's list", "tdx.crl.signature") { $0.rootList.signer = TDXMade.stranger },
        TDXRow("the PCK list names another issuer", "tdx.crl.issuer") {
            $0.pckList.issuer = "Intel SGX PCK Processor CA"
        },
        TDXRow("the root's list names another issuer", "tdx.crl.issuer") { $0.rootList.issuer = "Intel SGX" },
        TDXRow("the list of the other PCK CA", "tdx.crl.issuer") {
            $0.listAuthority = TDXMade.certificate(
                "Intel SGX PCK Processor CA", 5, by: "Intel SGX Root CA", 0, authority: true)
            $0.pckList = TDXMade.list("Intel SGX PCK Processor CA", 5)
        },
        TDXRow("the two lists exchanged", "tdx.crl.issuer") {
            ($0.pckList, $0.rootList) = ($0.rootList, $0.pckList)
        },
        TDXRow("the root's list has the signer of collateral", "tdx.authority.revoked") {
            $0.rootList.revoked = [$0.tcbSigner.serial]
        },
        TDXRow("the root's list has the PCK CA of the list", "tdx.authority.revoked") {
            $0.listAuthority = $0.authority
            $0.listAuthority?.serial = [0x55]
            $0.rootList.revoked = [[0x55]]
        },
        TDXRow("the PCK list is no list", "certificate.malformed") { $0.changeCollateral = { $0.pckCRL = [0x30, 0] } },
        TDXRow("the root's list is empty") { $0.rootList.revoked = [] },
        TDXRow("the lists as PEM") {
            $0.changeCollateral = {
                $0.pckCRL = TDXMadeDER.pem([$0.pckCRL], label: "X509 CRL")
                $0.rootCACRL = TDXMadeDER.pem([$0.rootCACRL], label: "X509 CRL")
            }
        },
    ]

    static let dates: [TDXRow] = [
        TDXRow("the TCB info is over", "tdx.collateral.dates") {
            $0.tcbInfo.set("nextUpdate", "2026-03-17T09:59:59Z")
        },
        TDXRow("the TCB info is over in this very second") { $0.tcbInfo.set("nextUpdate", "2026-03-17T10:00:00Z") },
        TDXRow("the TCB info is of tomorrow", "tdx.collateral.dates") {
            $0.tcbInfo.set("issueDate", "2026-03-18T10:00:00Z")
        },
        TDXRow("the QE identity is over", "tdx.collateral.dates") {
            $0.qeIdentity.set("nextUpdate", "2026-03-17T09:59:59Z")
        },
        TDXRow("the QE identity is of tomorrow", "tdx.collateral.dates") {
            $0.qeIdentity.set("issueDate", "2026-03-18T10:00:00Z")
        },
        TDXRow("the PCK list is over", "tdx.collateral.dates") { $0.pckList.nextUpdate = $0.now - 1 },
        TDXRow("the PCK list is of tomorrow", "tdx.collateral.dates") { $0.pckList.thisUpdate = $0.now + 1 },
        TDXRow("the root's list is over", "tdx.collateral.dates") { $0.rootList.nextUpdate = $0.now - 1 },
        TDXRow("the signer's certificate is over", "tdx.collateral.dates") { $0.tcbSigner.notAfter = $0.now - 1 },
        TDXRow("the PCK CA of the list is over", "tdx.collateral.dates") {
            $0.listAuthority = $0.authority
            $0.listAuthority?.notAfter = $0.now - 1
        },
    ]

    static let documents: [TDXRow] = [
        TDXRow("collateral of another FMSPC", "tdx.collateral.missing") { $0.tcbInfo.set("fmspc", "00806F050000") },
        TDXRow("collateral of another PCE", "tdx.collateral.platform") { $0.tcbInfo.set("pceId", "0001") },
        TDXRow("a TCB info of SGX", "tdx.collateral.missing") { $0.tcbInfo.set("id", "SGX") },
        TDXRow("a QE identity of SGX", "tdx.collateral.tee") { $0.qeIdentity.set("id", "QE") },
        TDXRow("a QE identity of another enclave", "tdx.collateral.malformed") { $0.qeIdentity.set("id", "QVE") },
        TDXRow("a TCB info of version 2", "tdx.collateral.malformed") { $0.tcbInfo.set("version", 2) },
        TDXRow("a TCB info of another type", "tdx.collateral.malformed") { $0.tcbInfo.set("tcbType", 1) },
        TDXRow("a QE identity of version 1", "tdx.collateral.malformed") { $0.qeIdentity.set("version", 1) },
        TDXRow("an unknown status", "tdx.collateral.malformed") {
            $0.tcbInfo.change("tcbLevels", 0) { $0.set("tcbStatus", "Fine") }
        },
        TDXRow("a level with 15 components", "tdx.collateral.malformed") {
            $0.tcbInfo.change("tcbLevels", 0) {
                var tcb = $0["tcb"] ?? .null
                tcb.set("sgxtcbcomponents", .array([JSONValue](repeating: ["svn": 0], count: 15)))
                $0.set("tcb", tcb)
            }
        },
        TDXRow("a TCB info without a module", "tdx.collateral.malformed") { $0.tcbInfo.set("tdxModule", nil) },
        TDXRow("members that Intel may add") {
            $0.tcbInfo.set("later", ["more": true])
            $0.qeIdentity.set("later", [])
        },
    ]

    @Test(arguments: signatures) func documentsAreSignedByIntel(row: TDXRow) throws { try row.check() }
    @Test(arguments: lists) func revocationListsAreOfTheirAuthority(row: TDXRow) throws { try row.check() }
    @Test(arguments: dates) func everythingIsInForce(row: TDXRow) throws { try row.check() }
    @Test(arguments: documents) func documentsAreOfThePlatform(row: TDXRow) throws { try row.check() }

    @Test(arguments: [
        "version", "id", "issueDate", "nextUpdate", "fmspc", "pceId", "tcbType", "tcbEvaluationDataNumber", "tcbLevels",
    ])
    func everyMemberOfATCBInfoIsNeeded(member: String) throws {
        var made = TDXMade()
        made.tcbInfo.set(member, nil)
        #expect(try made.appraise().codeNames == ["tdx.collateral.malformed"])
    }

    @Test(arguments: [
        "version", "id", "issueDate", "nextUpdate", "tcbEvaluationDataNumber", "miscselect", "miscselectMask",
        "attributes", "attributesMask", "mrsigner", "isvprodid", "tcbLevels",
    ])
    func everyMemberOfAQEIdentityIsNeeded(member: String) throws {
        var made = TDXMade()
        made.qeIdentity.set(member, nil)
        #expect(try made.appraise().codeNames == ["tdx.collateral.malformed"])
    }
}
