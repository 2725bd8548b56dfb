// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Collateral
import Evidence
import Foundation
import StrictJSON
import Testing

@Suite struct CollateralFetcherTests {
    @Test func aChipsCertificateIsAskedForOnceAndKept() async throws {
        let bench = try await Bench()
        #expect(try await bench.fetch() == CollateralSet(amdCertificates: [Made.vcek()]))
        #expect(try await bench.fetch() == CollateralSet(amdCertificates: [Made.vcek()]))
        #expect(
            bench.vendor.targets == [
                "/vcek/v1/Milan/\(Hex.encode(Made.chipID))?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=219"
            ])
        #expect(bench.vendor.requests[0].header("User-Agent") == "cupel")
        #expect(bench.folder.names(in: "cache").count == 1)
    }

    @Test(arguments: ["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"])
    func intelsAnswersBecomeOneSet(header: String) async throws {
        var answers = MadeAnswers()
        answers.tcbHeader = header
        let bench = try await Bench(answers)
        let set = try await bench.fetch(.intel(Made.platform))
        let collateral = try #require(set.intel.first)
        #expect(String(decoding: collateral.tcbInfo, as: UTF8.self).contains("50806F000000"))
        #expect(String(decoding: collateral.qeIdentity, as: UTF8.self).contains("TD_QE"))
        #expect(collateral.pckCRL == answers.pckList)
        #expect(collateral.rootCACRL == answers.rootList)
        #expect(String(decoding: collateral.tcbInfoIssuerChain, as: UTF8.self).hasPrefix("-----BEGIN CERTIFICATE"))
        #expect(
            bench.vendor.targets == [
                "/tdx/certification/v4/tcb?fmspc=50806f000000", "/tdx/certification/v4/qe/identity",
                "/sgx/certification/v4/pckcrl?ca=platform&encoding=der", "/sgx/certification/v4/rootcacrl",
            ])
        #expect(try await bench.fetch(.intel(Made.platform)) == set)
        #expect(bench.vendor.targets.count == 4)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let code: CollateralError.Code?
        let requests: Int
        var delays: [Duration] = []
        let script: ScriptedVendor.Script
        var testDescription: String { name }
    }

    private static let good = Reply.body(Made.vcek())

    static let faults = [
        Fault(name: "404", code: .unavailable, requests: 1) { _, _ in Reply.status(404) },
        Fault(name: "403", code: .refused, requests: 1) { _, _ in Reply.status(403) },
        Fault(name: "a redirect", code: .refused, requests: 1) { _, _ in
            Reply.status(302, "Location: http://127.0.0.1:1/\r\n")
        },
        Fault(name: "429 with Retry-After, then 200", code: nil, requests: 2, delays: [.seconds(7)]) { count, _ in
            count == 0 ? Reply.status(429, "Retry-After: 7\r\n") : good
        },
        Fault(name: "503 with a date, then 200", code: nil, requests: 2, delays: [.seconds(30)]) { count, _ in
            count == 0 ? Reply.status(503, "Retry-After: Thu, 01 Jan 2026 00:00:30 GMT\r\n") : good
        },
        Fault(name: "429 that wants an hour", code: .busy, requests: 1) { _, _ in
            Reply.status(429, "Retry-After: 3600\r\n")
        },
        Fault(name: "500, then 200", code: nil, requests: 2, delays: [.seconds(1)]) { count, _ in
            count == 0 ? Reply.status(500) : good
        },
        Fault(
            name: "502 for ever", code: .busy, requests: 5,
            delays: [.seconds(1), .seconds(2), .seconds(4), .seconds(8)]
        ) { _, _ in Reply.status(502) },
        Fault(name: "truncated, then whole", code: nil, requests: 2, delays: [.seconds(1)]) { count, _ in
            count == 0 ? Reply.bytes(200, "Content-Length: 5000\r\n", [1, 2, 3]) : good
        },
        Fault(name: "closed without a word, then whole", code: nil, requests: 2, delays: [.seconds(1)]) { count, _ in
            count == 0 ? [] : good
        },
        Fault(name: "too long", code: .tooLarge, requests: 1) { _, _ in
            Reply.body([UInt8](repeating: 0, count: CollateralSet.maximumFileSize + 1))
        },
        Fault(name: "a page instead of a certificate", code: .malformedAnswer, requests: 1) { _, _ in
            Reply.body(Array("<html>".utf8))
        },
        Fault(name: "the certificate of another chip", code: .malformedAnswer, requests: 1) { _, _ in
            Reply.body(Made.vcek(chipID: [UInt8](repeating: 1, count: 64)))
        },
        Fault(name: "the certificate of other firmware", code: .malformedAnswer, requests: 1) { _, _ in
            Reply.body(Made.vcek(tcb: SNPTCBVersion(0)))
        },
        Fault(name: "bytes after the certificate", code: .malformedAnswer, requests: 1) { _, _ in
            Reply.body(Made.vcek() + [0])
        },
    ]

    @Test(arguments: faults)
    func aFaultIsMendedOrNamed(_ fault: Fault) async throws {
        let bench = try await Bench(fault.script)
        #expect(try await bench.code() == fault.code, "\(bench.log.notes)")
        #expect(bench.vendor.requests.count == fault.requests)
        #expect(bench.log.delays == fault.delays)
        #expect(bench.folder.names(in: "cache").count == (fault.code == nil ? 1 : 0))
    }

    @Test func aServiceThatNeverAnswersIsGivenUp() async throws {
        let bench = try await Bench { _, _ in nil }
        let code = try await bench.code {
            $0.attemptLimit = .milliseconds(100)
            $0.patience = Patience(attempts: 1)
        }
        #expect(code == .unreachable)
        #expect(bench.vendor.requests.count == 2)
    }

    @Test func aServiceThatIsNotThereIsNamed() async throws {
        let bench = try await Bench { _, _ in nil }
        let address = try bench.vendor.address
        let addresses = try VendorAddresses(amdMirror: address, intelMirror: nil)
        try await bench.vendor.stop()
        #expect(try await bench.code { $0.addresses = addresses } == .unreachable)
        #expect(bench.log.notes.last?.contains(address) == true)
        #expect(bench.log.delays.count == 4)
    }

    private static let wrong: [(name: String, change: @Sendable (inout MadeAnswers) -> Void)] = [
        (
            "TCB info of another platform",
            { $0.tcbInfo = MadeAnswers.signed("tcbInfo", ["id": "TDX", "fmspc": "000000000000"]) }
        ),
        ("TCB info of SGX", { $0.tcbInfo = MadeAnswers.signed("tcbInfo", ["id": "SGX", "fmspc": "50806F000000"]) }),
        (
            "an identity of SGX's quoting enclave",
            { $0.qeIdentity = MadeAnswers.signed("enclaveIdentity", ["id": "QE"]) }
        ),
        ("the list of the other CA", { $0.pckList = Made.list(of: "Intel SGX PCK Processor CA") }),
        ("the lists exchanged", { swap(&$0.pckList, &$0.rootList) }),
        ("no chain", { $0.tcbHeader = "X-Nothing" }),
        (
            "TCB info without an end",
            { $0.tcbInfo = MadeAnswers.signed("tcbInfo", ["id": "TDX", "fmspc": "50806F000000"], nextUpdate: "soon") }
        ),
    ]

    @Test(arguments: wrong.indices)
    func anAnswerOfSomethingElseIsRefused(row: Int) async throws {
        var answers = MadeAnswers()
        Self.wrong[row].change(&answers)
        let bench = try await Bench(answers)
        #expect(try await bench.code(.intel(Made.platform)) == .malformedAnswer, "\(Self.wrong[row].name)")
    }

    @Test func aReportWithoutItsProductIsLookedForInOrder() async throws {
        let bench = try await Bench { _, request in
            request.target.hasPrefix("/vcek/v1/Genoa/") ? Reply.body(Made.vcek(.genoa)) : Reply.status(404)
        }
        let need = CollateralNeed.chipCertificate(
            SNPChip(products: [.milan, .genoa], id: Made.chipID, tcb: Made.tcb))
        #expect(try await bench.fetch(need).amdCertificates == [Made.vcek(.genoa)])
        #expect(bench.vendor.targets.map { String($0.prefix(15)) } == ["/vcek/v1/Milan/", "/vcek/v1/Genoa/"])
        #expect(try await bench.fetch(need).amdCertificates == [Made.vcek(.genoa)])
        #expect(bench.vendor.targets.count == 2)
    }

    @Test func aProvidersCertificateIsNotForUs() async throws {
        let bench = try await Bench()
        #expect(try await bench.code(.providerCertificate(tcb: Made.tcb)) == .unavailable)
        #expect(bench.vendor.targets.isEmpty)
    }

    @Test func authoritiesComeAsTwoCertificates() async throws {
        let bench = try await Bench()
        let set = try await bench.fetch(.amdAuthorities(.milan, .vcek))
        #expect(set.amdCertificates == [Made.authority("SEV-Milan"), Made.authority("ARK-Milan")])
    }
}
