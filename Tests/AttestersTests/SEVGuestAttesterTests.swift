// SPDX-License-Identifier: Apache-2.0
import Attesters
import Evidence
import Foundation
import Synchronization
import Testing

@Suite struct SEVGuestAttesterTests {
    /// Plays the kernel's device: one answer for each request.
    private final class Device: Sendable {
        private let answers: [SEVGuestAnswer]
        private let asked = Mutex<[Int?]>([])

        init(_ answers: [SEVGuestAnswer]) { self.answers = answers }

        /// The room for certificates of each request; `nil` where a report alone was asked for.
        var rooms: [Int?] { asked.withLock { $0 } }

        func ask(_ reportData: [UInt8], _ room: Int?) throws(AttesterError) -> SEVGuestAnswer {
            let number = asked.withLock { asked in
                asked.append(room)
                return asked.count - 1
            }
            guard number < answers.count else { throw AttesterError(.failed, "asked once too often") }
            return answers[number]
        }

        func attest() throws(AttesterError) -> EvidenceEnvelope {
            try SEVGuestAttester(request: { (data, room) throws(AttesterError) in try self.ask(data, room) })
                .attest(MadeReports.request)
        }
    }

    private static let good = SEVGuestAnswer(response: MadeReports.response(MadeReports.snp()))

    private static func good(_ change: (inout SEVGuestAnswer) -> Void) -> SEVGuestAnswer {
        var answer = good
        change(&answer)
        return answer
    }

    private static func needsRoom(_ size: Int) -> SEVGuestAnswer {
        SEVGuestAnswer(error: EIO, hostError: 1, certificatesSize: size)
    }

    @Test func aHostWithoutCertificatesIsAskedOnce() throws {
        let device = Device([Self.good])
        let envelope = try device.attest()
        #expect(envelope.platform == "snp" && device.rooms == [0])
        let evidence = try SNPEvidence(envelope.evidence)
        #expect(evidence.report.reportData == MadeReports.request.reportData.bytes && evidence.endorsementKey == nil)
    }

    @Test func certificatesAreAskedForWithTheRoomThatTheyTake() throws {
        let table = try MadeReports.table([(MadeReports.vcek, [0x30, 0x01, 7])])
        let device = Device([
            Self.needsRoom(8192),
            Self.good { $0.certificates = table + [UInt8](repeating: 0, count: 8192 - table.count) },
        ])
        #expect(try SNPEvidence(try device.attest().evidence).endorsementKey == [0x30, 0x01, 7])
        #expect(device.rooms == [0, 8192])
    }

    @Test func whereCertificatesCannotBeAskedForAReportIs() throws {
        let device = Device([SEVGuestAnswer(error: EINVAL), Self.good])
        #expect(try device.attest().platform == "snp")
        #expect(device.rooms == [0, nil])
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answers: [SEVGuestAnswer]
        let code: AttesterError.Code
        /// What the sentence has in it.
        let words: String

        init(_ name: String, _ answers: [SEVGuestAnswer], _ code: AttesterError.Code, _ words: String) {
            testDescription = name
            self.answers = answers
            self.code = code
            self.words = words
        }
    }

    private static let refusal = SEVGuestAnswer(error: EIO, firmwareError: 0x16)
    private static let others = MadeReports.snp(over: [UInt8](repeating: 9, count: 64))

    static let rows: [Row] = [
        Row("the firmware refuses", [refusal, refusal], .failed, "a parameter is wrong"),
        Row("the host is busy", [SEVGuestAnswer(error: EAGAIN, hostError: 2)], .failed, "too much to do"),
        Row("the host says something else", [SEVGuestAnswer(error: EIO, hostError: 9)], .failed, "error 9"),
        Row("certificates grow", [needsRoom(4096), needsRoom(8192)], .failed, "grew"),
        Row("certificates are too large", [needsRoom(1 << 20)], .invalid, "1048576"),
        Row("certificates take no room", [needsRoom(0)], .invalid, "take 0 bytes"),
        Row(
            "the response has a status", [answer(MadeReports.response(MadeReports.snp(), status: 0x27))], .failed, "key"
        ),
        Row(
            "the report has another size", [answer(MadeReports.response(MadeReports.snp(), size: 1183))], .invalid,
            "1183"),
        Row("the response is short", [answer([0, 0, 0, 0, 0xA0, 4, 0, 0])], .invalid, "no report"),
        Row("other bytes are signed", [answer(MadeReports.response(others))], .invalid, "other bytes"),
    ]

    private static func answer(_ response: [UInt8]) -> SEVGuestAnswer { SEVGuestAnswer(response: response) }

    @Test(arguments: rows)
    func whatIsWrongIsSaid(row: Row) throws {
        let error = #expect(throws: AttesterError.self) { try Device(row.answers).attest() }
        #expect(error?.code == row.code && error?.message.contains(row.words) == true, "\(error?.message ?? "")")
    }

    @Test(.enabled(if: access("/dev/sev-guest", F_OK) != 0, "this machine has the device"))
    func withoutTheDeviceItIsAbsent() {
        let error = #expect(throws: AttesterError.self) { try SEVGuestAttester().attest(MadeReports.request) }
        #expect(error?.code == .absent)
    }
}
