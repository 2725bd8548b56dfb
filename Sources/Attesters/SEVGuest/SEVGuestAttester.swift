// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import Evidence
internal import Foundation

/// SEV-SNP by way of `/dev/sev-guest`, which kernels from Linux 5.19 on have: for those without configfs-tsm.
public struct SEVGuestAttester: Attester {
    private let request: SEVGuestRequest

    /// The host says that its certificates need more room (GHCB specification, SNP_GUEST_VMM_ERR_INVALID_LEN).
    private static let needsRoom: UInt32 = 1
    /// The host has too much to do (SNP_GUEST_VMM_ERR_BUSY).
    private static let isBusy: UInt32 = 2
    /// The kernel takes no more, in bytes.
    private static let maximumCertificates = 1 << 14

    public init() { self.init(request: SEVGuestDevice.ask) }

    package init(request: @escaping SEVGuestRequest) { self.request = request }

    public var platform: String { "snp" }

    public func attest(_ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope {
        let answer = try ask(request.reportData.bytes)
        return try HardwareAnswer.snp(
            report: try Self.report(in: answer.response), certificates: answer.certificates, for: request)
    }

    /// The host says how much room its certificates need when it is given none. Where it cannot hand out any, a report
    /// alone is asked for.
    private func ask(_ reportData: [UInt8]) throws(AttesterError) -> SEVGuestAnswer {
        let first = try request(reportData, 0)
        guard first.error != 0 else { return first }
        guard first.hostError == Self.needsRoom else {
            guard first.hostError == 0 else { throw Self.refused(first) }
            let alone = try request(reportData, nil)
            guard alone.error == 0 else { throw Self.refused(alone) }
            return alone
        }
        guard (1...Self.maximumCertificates).contains(first.certificatesSize) else {
            throw AttesterError(
                .invalid,
                "the host's certificates for SEV-SNP take \(first.certificatesSize) bytes, at most "
                    + "\(Self.maximumCertificates) can be taken")
        }
        let second = try request(reportData, first.certificatesSize)
        guard second.error == 0 else { throw Self.refused(second) }
        return second
    }

    /// MSG_REPORT_RSP (AMD 56860, SEV-SNP Firmware ABI, section 7.3): status (4 bytes), size of the report (4),
    /// reserved (24), report.
    private static func report(in response: [UInt8]) throws(AttesterError) -> [UInt8] {
        do {
            var cursor = ByteCursor(response, format: "MSG_REPORT_RSP")
            let status = try cursor.uint32(0x00, "STATUS")
            guard status == 0 else {
                throw AttesterError(
                    .failed, "SEV-SNP firmware refused to make a report: \(words(forFirmware: status))")
            }
            let size = try cursor.uint32(0x04, "REPORT_SIZE")
            guard size == SNPReport.size else {
                throw AttesterError(.invalid, "SEV-SNP answered with a report of \(size) bytes, expected 1184")
            }
            _ = try cursor.bytes(0x08, 24, "reserved")
            return try cursor.bytes(0x20, SNPReport.size, "REPORT")
        } catch let error as AttesterError {
            throw error
        } catch {
            throw AttesterError(.invalid, "SEV-SNP answered with something that is no report: \(error)")
        }
    }

    private static func refused(_ answer: SEVGuestAnswer) -> AttesterError {
        var reasons = [String(cString: strerror(answer.error))]
        if answer.firmwareError != 0 { reasons.append("firmware: \(words(forFirmware: answer.firmwareError))") }
        switch answer.hostError {
        case 0: break
        case isBusy: reasons.append("host: too much to do; try again")
        case needsRoom: reasons.append("host: its certificates grew in between; try again")
        default: reasons.append("host: error \(answer.hostError)")
        }
        return AttesterError(.failed, "\(SEVGuestDevice.path) made no report: \(reasons.joined(separator: "; "))")
    }

    /// AMD 56860, section 5.1, status codes.
    private static func words(forFirmware code: UInt32) -> String {
        switch code {
        case 0x01: "the platform is in a state that does not allow it"
        case 0x02: "the guest is in a state that does not allow it"
        case 0x11, 0x15: "this command is not known"
        case 0x16: "a parameter is wrong, such as the privilege level"
        case 0x27: "the key that is to sign is not there"
        default: "status 0x\(String(code, radix: 16))"
        }
    }
}
