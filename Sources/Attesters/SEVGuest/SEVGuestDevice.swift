// SPDX-License-Identifier: Apache-2.0
internal import CSEVGuest
internal import Foundation

/// What came of one request to SEV-SNP firmware.
package struct SEVGuestAnswer: Sendable {
    /// 0, or an error number.
    package var error: Int32
    package var firmwareError: UInt32
    package var hostError: UInt32
    /// MSG_REPORT_RSP and zeros.
    package var response: [UInt8]
    package var certificates: [UInt8]
    /// Bytes that the host's certificates take.
    package var certificatesSize: Int

    package init(
        error: Int32 = 0, firmwareError: UInt32 = 0, hostError: UInt32 = 0, response: [UInt8] = [],
        certificates: [UInt8] = [], certificatesSize: Int = 0
    ) {
        self.error = error
        self.firmwareError = firmwareError
        self.hostError = hostError
        self.response = response
        self.certificates = certificates
        self.certificatesSize = certificatesSize
    }
}

/// How SEV-SNP firmware is asked: by the kernel's device, or by what plays its part in a test. `nil` as room for
/// certificates asks for a report alone.
package typealias SEVGuestRequest =
    @Sendable (_ reportData: [UInt8], _ roomForCertificates: Int?) throws(AttesterError) -> SEVGuestAnswer

/// `/dev/sev-guest`.
package enum SEVGuestDevice {
    package static let path = "/dev/sev-guest"

    static func ask(_ reportData: [UInt8], _ room: Int?) throws(AttesterError) -> SEVGuestAnswer {
        let device = open(path, O_RDWR | O_CLOEXEC)
        guard device >= 0 else {
            throw errno == EACCES || errno == EPERM
                ? AttesterError(.denied, "this user may not use \(path): run as root, or join its group")
                : AttesterError(.absent, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(device) }
        var response = [UInt8](repeating: 0, count: Int(CSEVGUEST_RESPONSE_SIZE))
        var certificates = [UInt8](repeating: 0, count: room ?? 0)
        let answer =
            room == nil
            ? csevguest_report(device, reportData, 0, &response)
            : csevguest_extended_report(
                device, reportData, 0, &response, &certificates, UInt32(truncatingIfNeeded: certificates.count))
        return SEVGuestAnswer(
            error: answer.error, firmwareError: answer.firmware_error, hostError: answer.host_error,
            response: response, certificates: certificates, certificatesSize: Int(answer.certificates_size))
    }
}
