// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import Evidence
internal import Foundation

/// SEV-SNP and TDX by way of configfs-tsm, which kernels from Linux 6.7 on have.
///
/// A request is a folder. The kernel counts what is written to it (`generation`), so that a report can be told from
/// one that somebody else has asked for in the same folder: each of our writes must have counted one, and nothing else.
public struct TSMAttester: Attester {
    public let platform: String
    /// The kernel's name for who answers.
    public let provider: String
    private let folder: TSMFolder
    private let eventLogPath: String

    /// Requests that are begun anew where somebody else wrote in between.
    static let attempts = 3
    /// The event log of a TDX guest, as ACPI hands it out (ACPI 6.5, section 5.2.34, CCEL).
    static let eventLogPath = "/sys/firmware/acpi/tables/data/CCEL"

    /// Asks who answers. Throws `absent` where nobody does, `denied` where this user may not ask, and `invalid` where
    /// it is somebody else than SEV-SNP and TDX.
    public init() throws(AttesterError) { try self.init(folder: .configFS) }

    package init(folder: TSMFolder, eventLogPath: String = Self.eventLogPath) throws(AttesterError) {
        let entry = try TSMEntry(in: folder)
        defer { entry.remove() }
        let provider = try entry.text("provider")
        platform = try Self.platform(of: provider)
        self.provider = provider
        self.folder = folder
        self.eventLogPath = eventLogPath
    }

    public func attest(_ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope {
        for _ in 0..<Self.attempts {
            if let answer = try ask(request) { return try envelope(answer, request) }
        }
        throw AttesterError(
            .conflict,
            "another process wrote to our requests for a report at \(folder.path), \(Self.attempts) times in a row")
    }

    private struct Answer {
        let report: [UInt8]
        /// Empty where the platform gives none.
        let certificates: [UInt8]
    }

    /// `nil` where somebody else wrote to the request too.
    private func ask(_ request: AttestationRequest) throws(AttesterError) -> Answer? {
        let entry = try TSMEntry(in: folder)
        defer { entry.remove() }
        guard try entry.text("provider") == provider else {
            throw AttesterError(.invalid, "reports came from '\(provider)', and now come from somebody else")
        }
        var expected = try entry.number("generation")
        let floor = entry.has("privlevel_floor") ? try entry.number("privlevel_floor") : 0
        if floor > 0 {
            // The kernel runs below a service module, and may ask on behalf of its own level only.
            try entry.write(Array("\(floor)".utf8), to: "privlevel")
            expected &+= 1
        }
        try entry.write(request.reportData.bytes, to: "inblob")
        expected &+= 1
        let report = try entry.read("outblob")
        let certificates = entry.has("auxblob") ? try entry.read("auxblob") : []
        guard try entry.number("generation") == expected else { return nil }
        return Answer(report: report, certificates: certificates)
    }

    private func envelope(_ answer: Answer, _ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope {
        guard platform == "tdx" else {
            return try HardwareAnswer.snp(report: answer.report, certificates: answer.certificates, for: request)
        }
        let log = try KernelFile.read(eventLogPath, limit: TCGEventLog.maximumSize)
        return try HardwareAnswer.tdx(quote: answer.report, eventLog: log, for: request)
    }

    private static func platform(of provider: String) throws(AttesterError) -> String {
        switch provider {
        case "sev_guest": return "snp"
        case "tdx_guest": return "tdx"
        default:
            throw AttesterError(
                .invalid, "reports come from '\(provider)', which is not known; known are sev_guest and tdx_guest")
        }
    }
}
