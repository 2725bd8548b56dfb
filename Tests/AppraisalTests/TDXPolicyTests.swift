// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import Testing

/// Steps 3 and 4 of TDX, on what tests make.
@Suite struct TDXPolicyTests {
    static let attributes: [TDXRow] = [
        TDXRow("debugging", "tdx.attributes.debug") { $0.quote.report[120] = 1 },
        TDXRow("profiling", "tdx.attributes.debug") { $0.quote.report[120] = 0x20 },
        TDXRow("debugging, which is accepted") {
            $0.quote.report[120] = 1
            $0.policy.tdx.acceptDebugGuestsUnsafely = true
        },
        TDXRow("a reserved bit of the second byte", "tdx.attributes.reserved") { $0.quote.report[121] = 1 },
        TDXRow("a reserved bit of the last byte", "tdx.attributes.reserved") { $0.quote.report[127] = 0x40 },
        TDXRow("a reserved bit, which is accepted") {
            $0.quote.report[121] = 1
            $0.policy.tdx.acceptReservedAttributesUnsafely = true
        },
        TDXRow("no SEPT_VE_DISABLE", "tdx.attributes.sept-ve-disable") { $0.quote.report[123] = 0 },
        TDXRow("no SEPT_VE_DISABLE, which is accepted") {
            $0.quote.report[123] = 0
            $0.policy.tdx.requireSEPTVEDisable = false
        },
        TDXRow("migration", "tdx.attributes.migratable") { $0.quote.report[123] = 0x30 },
        TDXRow("migration, which is accepted") {
            $0.quote.report[123] = 0x30
            $0.policy.tdx.acceptMigratable = true
        },
        TDXRow("key locker", "tdx.attributes.not-accepted") { $0.quote.report[123] = 0x90 },
        TDXRow("key locker, which is accepted") {
            $0.quote.report[123] = 0x90
            $0.policy.tdx.acceptKeyLocker = true
        },
        TDXRow("protection keys") { $0.quote.report[123] = 0x50 },
        TDXRow("protection keys, which are not accepted", "tdx.attributes.not-accepted") {
            $0.quote.report[123] = 0x50
            $0.policy.tdx.acceptSupervisorKeys = false
        },
        TDXRow("performance counters") { $0.quote.report[127] = 0x80 },
        TDXRow("performance counters, which are not accepted", "tdx.attributes.not-accepted") {
            $0.quote.report[127] = 0x80
            $0.policy.tdx.acceptPerformanceCounters = false
        },
        TDXRow("separation of addresses") { $0.quote.report[123] = 0x18 },
    ]

    static let requirements: [TDXRow] = [
        TDXRow("a service TD", "tdx.service-td") { $0.bindServiceTD() },
        TDXRow("a service TD that the policy names") {
            $0.bindServiceTD()
            $0.policy.tdx.acceptedServiceTDs = [[UInt8](repeating: 0x5E, count: 48)]
        },
        TDXRow("another service TD than the policy names", "tdx.service-td") {
            $0.bindServiceTD()
            $0.policy.tdx.acceptedServiceTDs = [[UInt8](repeating: 0x5F, count: 48)]
        },
        TDXRow("any service TD") {
            $0.bindServiceTD()
            $0.policy.tdx.acceptAnyServiceTDUnsafely = true
        },
        TDXRow("an advisory that is not accepted", "tdx.tcb.advisories") {
            $0.quote.report[0] = 4
            $0.policy.tdx.acceptedTCBStatuses = [.outOfDate]
            $0.policy.tdx.acceptedAdvisories = ["INTEL-SA-00001"]
        },
        TDXRow("an advisory that is accepted, and its status") {
            $0.quote.report[0] = 4
            $0.policy.tdx.acceptedTCBStatuses = [.upToDate, .outOfDate]
            $0.policy.tdx.acceptedAdvisories = ["INTEL-SA-00002"]
        },
        TDXRow("collateral of an older evaluation", "tdx.tcb.evaluation-number") {
            $0.policy.tdx.minimumTCBEvaluationDataNumber = 19
        },
        TDXRow("a QE identity of an older evaluation", "tdx.tcb.evaluation-number") {
            $0.qeIdentity.set("tcbEvaluationDataNumber", 17)
            $0.policy.tdx.minimumTCBEvaluationDataNumber = 18
        },
        TDXRow("a minimum that is reached") {
            $0.policy.tdx.minimumTEETCBSVN = [6, 1, 3] + [UInt8](repeating: 0, count: 13)
            $0.policy.tdx.minimumTCBEvaluationDataNumber = 18
        },
        TDXRow("a minimum that one byte does not reach", "tdx.tee-tcb-svn") {
            $0.policy.tdx.minimumTEETCBSVN = [6, 1, 4] + [UInt8](repeating: 0, count: 13)
        },
        TDXRow("a minimum that is too short", "tdx.tee-tcb-svn") { $0.policy.tdx.minimumTEETCBSVN = [6, 1, 3] },
        TDXRow("a module that the policy names") {
            $0.policy.tdx.acceptedMRSEAMs = [[UInt8](repeating: 0, count: 48)]
        },
        TDXRow("a module that the policy does not name", "tdx.mrseam") {
            $0.policy.tdx.acceptedMRSEAMs = [[UInt8](repeating: 1, count: 48)]
        },
        TDXRow("another vendor's quoting enclave", "tdx.qe.vendor") { $0.quote.vendor[0] ^= 1 },
        TDXRow("another vendor's quoting enclave, which is not looked at") {
            $0.quote.vendor[0] ^= 1
            $0.policy.tdx.qeVendorID = nil
        },
        TDXRow("registers as the policy wants them") {
            $0.quote.report[184] = 1
            $0.policy.tdx.mrConfigID = [1] + [UInt8](repeating: 0, count: 47)
            $0.policy.tdx.mrOwner = [UInt8](repeating: 0, count: 48)
            $0.policy.tdx.mrOwnerConfig = [UInt8](repeating: 0, count: 48)
            $0.policy.tdx.rtmrs = [0: [UInt8](repeating: 0, count: 48), 3: [UInt8](repeating: 0, count: 48)]
        },
        TDXRow("another MRCONFIGID", "tdx.register") { $0.policy.tdx.mrConfigID = [UInt8](repeating: 1, count: 48) },
        TDXRow("another MROWNER", "tdx.register") { $0.policy.tdx.mrOwner = [UInt8](repeating: 1, count: 48) },
        TDXRow("another MROWNERCONFIG", "tdx.register") {
            $0.policy.tdx.mrOwnerConfig = [UInt8](repeating: 1, count: 48)
        },
        TDXRow("another RTMR2", "tdx.register") { $0.policy.tdx.rtmrs = [2: [UInt8](repeating: 1, count: 48)] },
        TDXRow("a register that is not there", "tdx.register") {
            $0.policy.tdx.rtmrs = [4: [UInt8](repeating: 0, count: 48)]
        },
    ]

    @Test(arguments: attributes) func attributesAreAsThePolicyWants(row: TDXRow) throws { try row.check() }
    @Test(arguments: requirements) func theRestIsAsThePolicyWants(row: TDXRow) throws { try row.check() }

    static let images: [TDXRow] = [
        TDXRow("the image that is known") { $0.know(["MRTD": 0x4D]) },
        TDXRow("an image that is known by all registers") { $0.know(["MRTD": 0x4D, "RTMR1": 0, "RTMR2": 0]) },
        TDXRow("another MRTD", "measurement.unknown-image") { $0.know(["MRTD": 0x4E]) },
        TDXRow("another RTMR1", "measurement.unknown-image") { $0.know(["MRTD": 0x4D, "RTMR1": 1]) },
        TDXRow("an image without an MRTD", "measurement.unknown-image") { $0.know(["RTMR1": 0]) },
        TDXRow("an event log") { $0.measure() },
        TDXRow("an event log and another RTMR0", "tdx.event-log") {
            $0.measure()
            $0.quote.report[328] ^= 1
        },
        TDXRow("an event log and an RTMR3 that it does not explain", "tdx.event-log") {
            $0.measure()
            $0.quote.report[472] ^= 1
        },
        TDXRow("an event log without digests of SHA-384", "tdx.event-log") { $0.measure(algorithm: 0x0B, size: 32) },
        TDXRow("an event log with a fifth register", "tdx.event-log") { $0.measure(register: 5) },
    ]

    @Test(arguments: images) func theImageIsKnown(row: TDXRow) throws { try row.check() }

    @Test func aReportSaysWhatWasNotCompared() throws {
        var made = TDXMade()
        made.know(["MRTD": 0x4D])
        guard case .accepted(let some) = try made.appraise().verdict else {
            Issue.record("not accepted")
            return
        }
        #expect(some.doesNotProve.contains { $0.contains("kernel") })
        #expect(some.platform == "tdx" && some.binding.bytes == (1...64).map { UInt8($0) })
        made.know(["MRTD": 0x4D, "RTMR1": 0, "RTMR2": 0])
        guard case .accepted(let all) = try made.appraise().verdict else {
            Issue.record("not accepted")
            return
        }
        #expect(!all.doesNotProve.contains { $0.contains("kernel") })
    }
}

extension TDXMade {
    fileprivate mutating func bindServiceTD() {
        quote.version = 5
        quote.report += [UInt8](repeating: 0, count: 16) + [UInt8](repeating: 0x5E, count: 48)
    }

    /// Puts an image on the verifier's list, each register filled with one byte.
    fileprivate mutating func know(_ registers: [String: UInt8]) {
        policy.knownImages = [
            KnownImage(
                platform: .tdx, name: "guest", version: "1",
                registers: registers.mapValues { [UInt8](repeating: $0, count: 48) })
        ]
    }

    /// Measures one event into RTMR0, and writes it down.
    fileprivate mutating func measure(register: UInt32 = 1, algorithm: UInt16 = 0x0C, size: UInt16 = 48) {
        var log = ByteWriter()
        var declaration = ByteWriter()
        declaration.append(Array("Spec ID Event03\0".utf8) + [0, 0, 0, 0, 0, 2, 0, 2])
        declaration.littleEndian(UInt32(1))
        declaration.littleEndian(algorithm)
        declaration.littleEndian(size)
        declaration.append([0])
        for number in [UInt32(0), 3] { log.littleEndian(number) }
        log.zeros(20)
        log.littleEndian(UInt32(declaration.bytes.count))
        log.append(declaration.bytes)
        let digest = [UInt8](repeating: 0x33, count: Int(size))
        for number in [register, 1, 1] { log.littleEndian(number) }
        log.littleEndian(algorithm)
        log.append(digest)
        log.littleEndian(UInt32(0))
        eventLog = try? TCGEventLog(decoding: log.bytes)
        guard algorithm == 0x0C, register == 1 else { return }
        let value = TPMHashAlgorithm.sha384.digest(of: [UInt8](repeating: 0, count: 48) + digest)
        quote.report.replaceSubrange(328..<376, with: value)
    }
}
