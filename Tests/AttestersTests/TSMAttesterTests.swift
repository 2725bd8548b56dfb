// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Evidence
import Foundation
import StrictJSON
import TestVectors
import Testing

@Suite struct TSMAttesterTests {
    private static let certificate: [UInt8] = [0x30, 0x03, 1, 2, 3]

    private func attest(
        _ kernel: StandInKernel, _ request: AttestationRequest = MadeReports.request,
        eventLogPath: String = "/nonexistent"
    ) throws(AttesterError) -> EvidenceEnvelope {
        try TSMAttester(folder: kernel.folder, eventLogPath: eventLogPath).attest(request)
    }

    @Test func aReportIsAskedForInAFolderThatGoesAgain() throws {
        let kernel = try StandInKernel()
        let envelope = try attest(kernel)
        #expect(envelope.platform == "snp")
        let evidence = try SNPEvidence(envelope.evidence)
        #expect(evidence.report.reportData == MadeReports.request.reportData.bytes)
        #expect(evidence.endorsementKey == nil && evidence.issuers.isEmpty)
        #expect(kernel.inblobs == [MadeReports.request.reportData.bytes])
        #expect(kernel.root.names.isEmpty)
        #expect(try envelope.launchMeasurement == [UInt8](repeating: 0xAA, count: 48))
    }

    @Test func itIsAskedWhoAnswersBeforeAnythingElse() throws {
        let kernel = try StandInKernel()
        let attester = try TSMAttester(folder: kernel.folder)
        #expect(attester.platform == "snp" && attester.provider == "sev_guest")
        #expect(kernel.inblobs.isEmpty && kernel.root.names.isEmpty)
    }

    @Test func certificatesOfTheHostAreTakenAlong() throws {
        let pem = Array("-----BEGIN CERTIFICATE-----\nMAMEBQY=\n-----END CERTIFICATE-----\n\0\0".utf8)
        let table = try MadeReports.table([
            (MadeReports.ask, pem), (MadeReports.vcek, Self.certificate + [0, 0, 0]),
        ])
        let kernel = try StandInKernel { $0.auxblob = table }
        let evidence = try SNPEvidence(try attest(kernel).evidence)
        #expect(evidence.endorsementKey == Self.certificate && evidence.issuers == [[0x30, 0x03, 4, 5, 6]])
    }

    @Test(arguments: [("vcek", false), ("vlek", true)])
    func theCertificateIsThatOfTheKeyThatSigned(name: String, isVLEK: Bool) throws {
        let table = try MadeReports.table([
            (MadeReports.vcek, [0x30, 0x01, isVLEK ? 9 : 1]), (MadeReports.vlek, [0x30, 0x01, isVLEK ? 1 : 9]),
        ])
        let kernel = try StandInKernel {
            $0.outblob = { MadeReports.snp(over: $0, isVLEKSigned: isVLEK) }
            $0.auxblob = table
        }
        let chain = try attest(kernel).evidence["cert_chain"]?.objectValue
        #expect(chain == [name: .string(Base64.encode([0x30, 0x01, 1]))])
    }

    @Test(
        arguments: [
            ("no file", nil), ("an empty file", []), ("a table without entries", [UInt8](repeating: 0, count: 24)),
        ] as [(String, [UInt8]?)])
    func withoutCertificatesTheReportStandsAlone(name: String, auxblob: [UInt8]?) throws {
        let kernel = try StandInKernel { $0.auxblob = auxblob }
        #expect(try attest(kernel).evidence.objectValue?.keys.sorted() == ["attestation_report"])
    }

    @Test func belowAServiceModuleTheLevelIsNamed() throws {
        let kernel = try StandInKernel { $0.floor = "2\n" }
        #expect(try attest(kernel).platform == "snp")
    }

    @Test func whoeverWritesInBetweenHasTheRequestBegunAnew() throws {
        let kernel = try StandInKernel { $0.foreignWrites = [0, 1, 1, 0] }
        #expect(try attest(kernel).platform == "snp")
        // The first request asks who answers.
        #expect(kernel.requests == 4 && kernel.inblobs.count == 3 && kernel.root.names.isEmpty)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: AttesterError.Code
        let change: @Sendable (inout StandInKernel.Answer) -> Void

        init(
            _ name: String, _ code: AttesterError.Code,
            _ change: @escaping @Sendable (inout StandInKernel.Answer) -> Void
        ) {
            testDescription = name
            self.code = code
            self.change = change
        }

        /// What stands at `outblob`, made of the report that was asked for.
        static func report(_ name: String, _ report: @escaping @Sendable ([UInt8]) -> [UInt8]) -> Row {
            Row(name, .invalid) { $0.outblob = { report(MadeReports.snp(over: $0)) } }
        }

        static func certificate(_ name: String, _ content: [UInt8]) -> Row {
            Row(name, .invalid) { $0.auxblob = try? MadeReports.table([(MadeReports.vcek, content)]) }
        }
    }

    static let rows: [Row] = [
        Row("somebody else writes each time", .conflict) { $0.foreignWrites = [1] },
        Row("a write of ours was lost", .conflict) { $0.foreignWrites = [-1] },
        Row("somebody else answers", .invalid) { $0.provider = "arm_cca_guest\n" },
        Row("nobody has a name", .invalid) { $0.provider = "" },
        .report("the report is short") { Array($0.dropLast()) },
        .report("there is no report") { _ in [] },
        .report("the report is of another version") { [9] + Array($0.dropFirst()) },
        .report("other bytes are signed") { _ in MadeReports.snp(over: [UInt8](repeating: 1, count: 64)) },
        .report("the answer has no end") { _ in [UInt8](repeating: 0, count: 2 << 20) },
        Row("the table is cut off", .invalid) { $0.auxblob = [UInt8](repeating: 1, count: 30) },
        .certificate("a certificate is none", [1, 2, 3]),
        .certificate("a certificate is cut off", [0x30, 0x82, 1, 0]),
        .certificate("a certificate has a length that cannot be", [0x30, 0x84, 0, 0, 0, 1, 1]),
        .certificate("a certificate is PEM that is none", Array("-----BEGIN CERTIFICATE-----\n?\n-".utf8)),
        Row("the level is no number", .invalid) { $0.floor = "high" },
        Row("nobody is there", .absent) { $0.refusal = ENXIO },
        Row("the user may not", .denied) { $0.refusal = EACCES },
        Row("there is no room", .failed) { $0.refusal = ENOSPC },
    ]

    @Test(arguments: rows)
    func whatIsWrongIsSaidAndTheFolderGoes(row: Row) throws {
        let kernel = try StandInKernel(row.change)
        let error = #expect(throws: AttesterError.self) { try attest(kernel) }
        #expect(error?.code == row.code, "\(error?.message ?? "")")
        #expect(kernel.root.names.isEmpty)
    }

    @Test func withoutTheKernelsFolderNobodyIsThere() {
        let folder = TSMFolder(path: "/nonexistent", make: { _ in ENOENT }, remove: { _ in ENOENT })
        let error = #expect(throws: AttesterError.self) { try TSMAttester(folder: folder) }
        #expect(error?.code == .absent && !folder.isThere)
    }

    @Test func threadsMayAskAtOnce() async throws {
        let kernel = try StandInKernel()
        let attester = try TSMAttester(folder: kernel.folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 as Range<UInt8> {
                group.addTask {
                    let request = try AttestationRequest(bytes: [number])
                    let evidence = try SNPEvidence(try attester.attest(request).evidence)
                    #expect(evidence.report.reportData == request.reportData.bytes)
                }
            }
            try await group.waitForAll()
        }
        #expect(kernel.root.names.isEmpty && kernel.inblobs.count == 8)
    }

    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are absent"))
    func aRealReportWithItsCertificatesIsHandedOut() throws {
        let report = try SharedVectors.bytes("snp/genoa-v3-tsm.report.bin")
        let table = try SharedVectors.bytes("snp/genoa-v3-tsm.auxblob.bin")
        let kernel = try StandInKernel {
            $0.outblob = { _ in report }
            $0.auxblob = table
        }
        let envelope = try attest(kernel, AttestationRequest(bytes: Array(report[0x50..<0x90])))
        let evidence = try SNPEvidence(envelope.evidence)
        #expect(evidence.endorsementKey == (try SharedVectors.bytes("snp/genoa-v3-tsm.vek.der")))
        #expect(evidence.issuers.count == 2)
        #expect(try envelope.launchMeasurement == Array(report[0x90..<0xC0]))
        let error = #expect(throws: AttesterError.self) { try attest(kernel) }
        #expect(error?.code == .invalid, "the report is over other bytes")
    }

    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are absent"))
    func aRealQuoteIsHandedOut() throws {
        let quote = try SharedVectors.bytes("tdx/tdx-v4-phala-1.bin")
        let reportData = Array(quote[568..<632])
        let kernel = try StandInKernel {
            $0.provider = "tdx_guest\n"
            $0.outblob = { _ in quote }
            $0.auxblob = nil
        }
        let envelope = try attest(kernel, AttestationRequest(bytes: reportData))
        #expect(envelope.platform == "tdx")
        let evidence = try TDXEvidence(envelope.evidence)
        guard case .trustDomain(let report) = evidence.quote.body else { return #expect(Bool(false)) }
        #expect(report.reportData == reportData && evidence.eventLog == nil)
        #expect(try envelope.launchMeasurement == report.mrTD)
        #expect(throws: AttesterError.self, "other bytes") { try attest(kernel) }

        // An event of the older form, of no content.
        let log = try kernel.root.write([UInt8](repeating: 0, count: 32), to: "CCEL")
        let logged = try attest(kernel, AttestationRequest(bytes: reportData), eventLogPath: log)
        #expect(try TDXEvidence(logged.evidence).eventLog?.events.count == 1)
        let damaged = try kernel.root.write([1], to: "CCEL")
        #expect(throws: AttesterError.self, "a log that is none") {
            try attest(kernel, AttestationRequest(bytes: reportData), eventLogPath: damaged)
        }
    }
}
