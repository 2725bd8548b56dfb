// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import Builds
internal import ByteCoding
internal import Provenance

/// Whether the events that a requester saw are those of the build that is attested; of step 6. Whoever passes events on
/// can change them, and is found out here: the provenance names the digest of `build.log`.
struct EventsCheck {
    let seen: SeenEvents
    /// Of the bundle's `build.log`, where it was read for this.
    let log: LogSummary?

    func record(_ provenance: BundleProvenance, in report: inout ReportRecorder) {
        guard let record = provenance.record else {
            return report.obstruct(
                6, "events",
                Finding(
                    .noLog, subject: BundlePath.provenance, expected: "the digest of a build.log", found: "none",
                    remedy: "nothing in this bundle says which events its build had"))
        }
        report.decide(
            6, "events", outcomeFindings + logFindings(record.logDigest),
            passed:
                "the \(Self.lines(seen.log.count)) that were seen are \(BundlePath.log), SHA-256 \(record.logDigest)"
                + earlier)
    }

    private var earlier: String {
        seen.earlierLines == 0 ? "" : "; \(seen.earlierLines) of earlier attempts are in no bundle"
    }

    private var outcomeFindings: [Finding] {
        switch seen.outcome {
        case nil:
            [
                Finding(
                    .eventsEnd, subject: "events", expected: "a last event, complete", found: "none",
                    remedy: "save the stream to its end: what is missing may be what matters")
            ]
        case .some(nil): []
        case .some(let failure?):
            [
                Finding(
                    .eventsOutcome, subject: "events", expected: "a build that succeeded",
                    found: "\(failure.kind.rawValue): \(failure.message.prefix(200))",
                    remedy: "do not trust whoever sent the events: the bundle is of a build that was good")
            ]
        }
    }

    private func logFindings(_ attested: Digest256) -> [Finding] {
        guard seen.log.digest != attested else { return [] }
        return [
            Finding(
                .eventsLog, subject: "build events", expected: "SHA-256 \(attested) of the build's log",
                found: "\(seen.log.digest) of \(Self.lines(seen.log.count))\(difference(attested))",
                remedy: "do not trust whoever sent the events: they are not those of the build that is attested")
        ]
    }

    /// Where the bundle's own log is the attested one, it says which line.
    private func difference(_ attested: Digest256) -> String {
        guard let log, log.digest == attested, let line = seen.log.firstDifference(from: log) else { return "" }
        if line > log.count { return "; line \(line) is one too many" }
        if line > seen.log.count { return "; line \(line) and what follows is missing" }
        return "; line \(line) is the first that differs"
    }

    private static func lines(_ count: Int) -> String { count == 1 ? "1 line" : "\(count) lines" }
}

extension Finding.Code {
    /// The events that were seen do not end.
    public static let eventsEnd = Self(rawValue: "events.end")
    /// The events that were seen say that the build failed.
    public static let eventsOutcome = Self(rawValue: "events.outcome")
    /// The `build` events that were seen are not the attested log.
    public static let eventsLog = Self(rawValue: "events.log")
    /// The provenance names no log that events could be compared with.
    public static let noLog = Self(rawValue: "events.no-log")
}
