// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import Testing

/// What Intel says of a platform, on what tests make.
@Suite struct TDXStatusTests {
    typealias Documents = TDXMadeDocuments

    static let levels: [TDXRow] = [
        TDXRow("every component but the last is enough", "tdx.tcb.no-level") { $0.pck.components[15] = 2 },
        TDXRow("the first component is too low", "tdx.tcb.no-level") { $0.pck.components[0] = 2 },
        TDXRow("PCESVN is too low", "tdx.tcb.no-level") { $0.pck.pceSVN = 10 },
        TDXRow("the third TDX component is too low", "tdx.tcb.no-level") { $0.quote.report[2] = 2 },
        TDXRow("the first TDX component is the module's own") {
            $0.tcbInfo.set("tcbLevels", [Documents.level(5, 13, "UpToDate", tdx: [9, 9, 3])])
        },
        TDXRow("the first TDX component of a first module", "tdx.tcb.no-level") {
            $0.quote.report[0] = 4
            $0.quote.report[1] = 0
        },
        TDXRow("a first module") {
            $0.quote.report[1] = 0
            $0.tcbInfo.set("tdxModuleIdentities", nil)
        },
        TDXRow("a module that Intel does not know", "tdx.tcb.no-level") { $0.quote.report[1] = 2 },
        TDXRow("a module below every level", "tdx.tcb.no-level") { $0.quote.report[0] = 3 },
        TDXRow("a quoting enclave below every level", "tdx.tcb.no-level") { $0.quote.qeReport[258] = 5 },
        TDXRow("a second level", "tdx.tcb.status") { $0.pck.components[0] = 3 },
        TDXRow("a second level by PCESVN", "tdx.tcb.status") { $0.pck.pceSVN = 12 },
        TDXRow("a module of a second level", "tdx.tcb.status") { $0.quote.report[0] = 4 },
        TDXRow("a quoting enclave of a second level", "tdx.tcb.status") { $0.quote.qeReport[258] = 7 },
    ]

    static let identities: [TDXRow] = [
        TDXRow("a module of another signer", "tdx.module.identity") { $0.quote.report[64] = 1 },
        TDXRow("a module with attributes", "tdx.module.identity") { $0.quote.report[112] = 1 },
        TDXRow("a first module of another signer", "tdx.module.identity") {
            $0.quote.report[1] = 0
            $0.quote.report[111] = 1
        },
        TDXRow("a quoting enclave of another signer", "tdx.qe.identity") { $0.quote.qeReport[128] = 0 },
        TDXRow("another product of Intel's", "tdx.qe.identity") { $0.quote.qeReport[256] = 1 },
        TDXRow("a product beyond one byte", "tdx.qe.identity") { $0.quote.qeReport[257] = 1 },
        TDXRow("a quoting enclave with other saved features", "tdx.qe.identity") { $0.quote.qeReport[16] = 1 },
        TDXRow("a quoting enclave for debugging", "tdx.qe.identity") { $0.quote.qeReport[48] = 0x17 },
        TDXRow("attributes that the mask leaves out") { $0.quote.qeReport[48] = 0x11 },
    ]

    @Test(arguments: levels) func aLevelMustBeReached(row: TDXRow) throws { try row.check() }
    @Test(arguments: identities) func moduleAndEnclaveAreIntels(row: TDXRow) throws { try row.check() }

    /// Of platform, module and quoting enclave, and what comes of them (Intel PCS API version 4; Intel's quote
    /// verification library).
    static let merges: [(String, String, String, String)] = [
        ("UpToDate", "UpToDate", "UpToDate", "UpToDate"),
        ("SWHardeningNeeded", "UpToDate", "UpToDate", "SWHardeningNeeded"),
        ("ConfigurationNeeded", "UpToDate", "UpToDate", "ConfigurationNeeded"),
        ("UpToDate", "OutOfDate", "UpToDate", "OutOfDate"),
        ("SWHardeningNeeded", "OutOfDate", "UpToDate", "OutOfDate"),
        ("ConfigurationNeeded", "OutOfDate", "UpToDate", "OutOfDateConfigurationNeeded"),
        ("ConfigurationAndSWHardeningNeeded", "OutOfDate", "UpToDate", "OutOfDateConfigurationNeeded"),
        ("UpToDate", "UpToDate", "OutOfDate", "OutOfDate"),
        ("ConfigurationNeeded", "UpToDate", "OutOfDate", "OutOfDateConfigurationNeeded"),
        ("OutOfDate", "UpToDate", "UpToDate", "OutOfDate"),
        ("OutOfDateConfigurationNeeded", "OutOfDate", "OutOfDate", "OutOfDateConfigurationNeeded"),
        ("UpToDate", "Revoked", "UpToDate", "Revoked"),
        ("UpToDate", "UpToDate", "Revoked", "Revoked"),
        ("Revoked", "OutOfDate", "OutOfDate", "Revoked"),
    ]

    @Test(arguments: merges)
    func theStatusIsThatOfTheWhole(platform: String, module: String, qe: String, whole: String) throws {
        var made = TDXMade()
        made.tcbInfo.set("tcbLevels", [Documents.level(5, 13, platform, ["INTEL-SA-1"])])
        made.tcbInfo.change("tdxModuleIdentities", 0) {
            $0.set("tcbLevels", [Documents.isvLevel(6, module, ["INTEL-SA-2", "INTEL-SA-1"])])
        }
        made.qeIdentity.set("tcbLevels", [Documents.isvLevel(8, qe, ["INTEL-SA-0"])])
        let appraisal = try IntelQuoteAppraisal(
            made.evidence().quote, collateral: [made.collateral], now: made.now, root: made.trustedRoot)
        let tcb = try #require(appraisal.tcb)
        #expect(tcb.status?.rawValue == whole && appraisal.findings.isEmpty)
        #expect(tcb.platform?.status.rawValue == platform && tcb.module?.status.rawValue == module)
        #expect(tcb.qe?.status.rawValue == qe && tcb.moduleIdentity == "TDX_01")
        #expect(tcb.advisories == ["INTEL-SA-0", "INTEL-SA-1", "INTEL-SA-2"])
        let accepted = whole == "UpToDate" ? [] : ["tdx.tcb.status"]
        #expect(try made.appraise().codeNames == accepted)
        made.policy.tdx.acceptedTCBStatuses = Set(TCBStatus.allCases)
        #expect(try made.appraise().codeNames == (whole == "Revoked" ? ["tdx.tcb.status"] : []))
    }

    /// A TD report 1.5 whose module was out of date at launch and is not now.
    @Test(arguments: [
        ([UInt8](arrayLiteral: 6, 1, 3), "UpToDate", "TDRelaunchAdvised"),
        ([6, 1, 3], "ConfigurationNeeded", "TDRelaunchAdvisedConfigurationNeeded"),
        ([5, 1, 3], "UpToDate", "OutOfDate"), ([6, 1, 2], "UpToDate", "OutOfDate"),
        ([6, 9, 3], "UpToDate", "OutOfDate"), ([6, 1, 3], "OutOfDate", "OutOfDate"),
    ])
    func aNewerModuleAdvisesARelaunch(current: [UInt8], platform: String, whole: String) throws {
        var made = TDXMade()
        made.quote.version = 5
        made.quote.report[0] = 4
        made.quote.report += current + [UInt8](repeating: 0, count: 61)
        made.tcbInfo.set("tcbLevels", [Documents.level(5, 13, platform)])
        let tcb = try IntelQuoteAppraisal(
            made.evidence().quote, collateral: [made.collateral], now: made.now, root: made.trustedRoot
        ).tcb
        #expect(tcb?.status?.rawValue == whole)
        #expect(try made.appraise().codeNames == ["tdx.tcb.status"])
    }
}
