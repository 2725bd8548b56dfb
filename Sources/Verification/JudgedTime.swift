// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import Provenance
internal import StrictJSON

/// The end of a build as provenance states it.
package enum BuildTime {
    /// Seconds by which the clocks of builder and verifier may differ.
    static let tolerance: Int64 = 600

    /// RFC 3339 in UTC, also with a fraction of a second and with `+00:00`, as other builders write it.
    package static func seconds(_ text: String) -> Int64? {
        var text = text[...]
        if text.hasSuffix("+00:00") { text = text.dropLast(6) + "Z" }
        if text.hasSuffix("Z"), let point = text.firstIndex(of: ".") {
            let digits = text[text.index(after: point)...].dropLast().utf8
            guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            text = text[..<point] + "Z"
        }
        return CivilTime(rfc3339: String(text))?.secondsSince1970
    }

    /// "30 days", "36 hours", "90 minutes".
    static func shown(_ seconds: Int64) -> String {
        if seconds % 86_400 == 0 { return "\(seconds / 86_400) days" }
        return seconds % 3600 == 0 ? "\(seconds / 3600) hours" : "\(seconds / 60) minutes"
    }
}

/// As of when the dates of certificates and lists are judged, and why then.
struct JudgedTime {
    /// `nil` where no time is known.
    let seconds: Int64?
    let source: TimeSource
    private let present: Int64?
    /// Whether it is later than the build's end, for the sake of collateral that was issued since.
    private let isOfCollateral: Bool

    init(_ policy: VerificationPolicy, _ provenance: BundleProvenance, _ collateral: CollateralSet = CollateralSet()) {
        present = policy.present
        guard policy.timeSource == .build else {
            seconds = policy.now
            source = policy.timeSource
            isOfCollateral = false
            return
        }
        guard policy.acceptsBuildTime else {
            seconds = policy.present
            source = .clock
            isOfCollateral = false
            return
        }
        let finished = provenance.statement?.predicate["runDetails"]?["metadata"]?["finishedOn"]?.stringValue
        let end = finished.flatMap(BuildTime.seconds)
        // A build that ends in the future would have its certificates judged by a time that nobody has seen.
        let limit = policy.present.map { $0 + BuildTime.tolerance }
        let believed = end.flatMap { end in limit.map { end > $0 } ?? false ? nil : end }
        // What was fetched later may have been issued later: before, it is not in force. To judge by it as of its issue
        // is stricter than as of the build's end.
        let issue = collateral.newestIssue.map { min($0, policy.present ?? .max) }
        seconds = believed.map { max($0, issue ?? $0) }
        isOfCollateral = seconds != believed
        source = .build
    }

    var rfc3339: String? { seconds.map { CivilTime(secondsSince1970: $0).rfc3339 } }

    /// Whether it is another time than now.
    private var isPast: Bool {
        guard source != .clock, let seconds else { return false }
        guard let present else { return true }
        return (present - seconds).magnitude > BuildTime.tolerance
    }

    func record(in report: inout ReportRecorder) {
        guard let rfc3339 else { return }
        switch source {
        case .clock: report.pass(2, "dates", "judged as of \(rfc3339), by this machine's clock")
        case .given: report.leaveOut(2, "dates", "judged as of \(rfc3339), the time that was given (--at)")
        case .build:
            report.leaveOut(
                2, "dates",
                isOfCollateral
                    ? "judged as of \(rfc3339), when the newest piece of collateral was issued, after the build ended"
                    : "judged as of \(rfc3339), when the build ended: collateral of that time is in the bundle")
        }
    }

    var doesNotProve: [String] {
        guard isPast, let rfc3339 else { return [] }
        return [
            "that its certificates and firmware are still good: dates were judged as of \(rfc3339), not as of now"
        ]
    }
}
