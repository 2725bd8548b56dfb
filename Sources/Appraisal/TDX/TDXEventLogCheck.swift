// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Whether an event log (ACPI's CCEL) is what the run-time registers were extended with.
struct TDXEventLogCheck {
    let log: TCGEventLog
    let report: TDReport

    func findings() -> [Finding] {
        guard log.banks.contains(.sha384) else {
            return [finding("cc_eventlog", "digests of SHA-384", "none")]
        }
        let registers = log.replayedRegisters(of: .sha384)
        let zero = [UInt8](repeating: 0, count: 48)
        let differing = report.rtmrs.enumerated().compactMap { index, value -> Finding? in
            let replayed = registers[UInt32(index + 1)] ?? zero
            return replayed == value
                ? nil : finding("RTMR\(index)", "\(Hex.encode(replayed)), as the log gives", Hex.encode(value))
        }
        let unknown = registers.keys.filter { $0 > 4 }.sorted().map { index in
            finding("cc_eventlog", "events of the registers 1 to 4", "one of register \(index)")
        }
        return differing + unknown
    }

    private func finding(_ subject: String, _ expected: String, _ found: String) -> Finding {
        Finding(
            .tdxEventLog, subject: subject, expected: expected, found: found,
            remedy: "do not trust the log: it was changed, or something was measured that it does not list")
    }
}

extension Finding.Code {
    /// The event log does not replay to the run-time registers.
    public static let tdxEventLog = Self(rawValue: "tdx.event-log")
}
