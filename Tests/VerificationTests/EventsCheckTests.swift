// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Builds
import ByteCoding
import Testing
import Verification

/// Events that a requester saw, compared with the log that is attested.
@Suite struct EventsCheckTests {
    private static let lines = ["   Compiling probe", "", "\u{1F600} e\u{301}", "    Finished"]
    private static let good: [BuildEvent] =
        [.queued(position: 0), .machine("a machine"), .detect("cargo"), .initialize("Verifying build inputs")]
        + lines.map(BuildEvent.build) + [.provenance("p"), .attest("a"), .complete(nil)]

    private static func seen(_ events: [BuildEvent]) -> SeenEvents {
        var stream = SeenEvents.Stream()
        for event in events { stream.take(event) }
        return stream.seen
    }

    private static func log(_ lines: [String]) -> [UInt8] { lines.flatMap { Array($0.utf8) + [0x0A] } }

    /// `withLog` for a reader that has read the bundle's log for this.
    private func verify(
        _ events: [BuildEvent], lines: [String] = lines, withLog: Bool = true,
        _ change: (inout BundleContents) -> Void = { _ in }
    ) throws -> VerificationReport {
        var bundle = MadeBundle()
        bundle.log = Self.log(lines)
        var contents = try bundle.contents()
        if withLog {
            var log = LogSummary.Stream()
            log.append(bundle.log)
            contents.log = log.summary
        }
        change(&contents)
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = true
        policy.seenEvents = Self.seen(events)
        return Verification.verify(contents, policy: policy)
    }

    @Test func theEventsOfTheBuildAreAccepted() throws {
        let report = try verify(Self.good)
        #expect(report.exitCode == 0)
        let line = try #require(report.lines.first { $0.name == "events" })
        #expect(line.step == 6 && line.compared.hasPrefix("the 4 lines that were seen are build.log, SHA-256 "))
    }

    @Test func whoSavedNoEventsHasNoneCompared() throws {
        #expect(try MadeBundle().verify().lines.allSatisfy { $0.name != "events" })
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: String
        let events: [BuildEvent]

        init(_ name: String, _ words: String, _ lines: [String]) {
            (testDescription, self.words) = (name, words)
            events = EventsCheckTests.good.filter { if case .build = $0 { false } else { true } }
                .flatMap { $0 == .provenance("p") ? lines.map(BuildEvent.build) + [$0] : [$0] }
        }
    }

    static let changes: [Change] = [
        Change("a line is changed", "line 1 is the first that differs", ["   Compiling prob", "", lines[2], lines[3]]),
        Change("the last line is changed", "line 4 is the first", [lines[0], "", lines[2], "    Finished "]),
        Change("a line is dropped", "line 2 is the first", [lines[0], lines[2], lines[3]]),
        Change("the last line is dropped", "line 4 and what follows is missing", Array(lines.prefix(3))),
        Change("all lines are dropped", "0 lines; line 1 and what follows is missing", []),
        Change("a line is added", "line 3 is the first", [lines[0], "", "added", lines[2], lines[3]]),
        Change("a line is added at the end", "line 5 is one too many", lines + [""]),
        Change("two lines are swapped", "line 1 is the first", ["", lines[0], lines[2], lines[3]]),
        Change("two lines are joined", "line 1 is the first", [lines[0] + lines[2], "", lines[3]]),
        Change("a line is doubled", "line 3 is the first", [lines[0], "", "", lines[2], lines[3]]),
        Change("a character is normalised", "line 3 is the first", [lines[0], "", "\u{1F600} \u{E9}", lines[3]]),
    ]

    @Test(arguments: changes) func whoChangesThemIsFoundOut(change: Change) throws {
        let report = try verify(change.events)
        #expect(report.exitCode == 1 && report.findings.map(\.code) == [.eventsLog])
        #expect(report.findings.first?.found.contains(change.words) == true, "\(report.findings)")
        // The digest alone decides: it does so where nobody read the log's lines, too.
        let digestOnly = try verify(change.events, withLog: false)
        #expect(digestOnly.findings.map(\.code) == [.eventsLog])
    }

    @Test func aLineThatIsTwoInOneEventIsNotTwoEvents() throws {
        // The same bytes, and another number of lines: one event must be one line, so that nothing hides in an event.
        let joined = Self.good.filter { $0 != .build("") }
            .map { $0 == .build(Self.lines[0]) ? .build(Self.lines[0] + "\n") : $0 }
        #expect(try verify(joined).findings.map(\.code) == [.eventsLog])
    }

    @Test func eventsWithoutAnEndAreRefused() throws {
        #expect(try verify(Array(Self.good.dropLast())).findings.map(\.code) == [.eventsEnd])
        #expect(try verify([]).findings.map(\.code) == [.eventsEnd, .eventsLog])
    }

    @Test func aBuildThatIsSaidToHaveFailedIsRefused() throws {
        let failed: [BuildEvent] = Self.good.dropLast() + [.complete(BuildFailure(.build, "it does not compile"))]
        #expect(try verify(failed).findings.map(\.code) == [.eventsOutcome])
        #expect(try verify(Self.good + [.complete(nil)]).findings.map(\.code) == [.eventsOutcome])
    }

    @Test func onlyTheLastAttemptIsInTheBundle() throws {
        let first: [BuildEvent] = [.queued(position: 0), .detect("cargo"), .build("of the first"), .build("attempt")]
        let report = try verify(first + Self.good)
        #expect(report.exitCode == 0)
        #expect(report.lines.contains { $0.compared.hasSuffix("; 2 of earlier attempts are in no bundle") })
        #expect(try verify(Self.good.dropLast() + Self.good).exitCode == 0)
        // Lines without a new attempt before them are of this one.
        #expect(try verify([.build("early")] + Self.good.filter { $0 != .detect("cargo") }).exitCode == 1)
    }

    /// What the log's digest is of decides, not what lies in the bundle: that has a finding of its own.
    @Test func aLogThatIsNotTheAttestedOneSaysNoLine() throws {
        let lines = ["another log"]
        let report = try verify(Self.good.map { $0 == .build("") ? .build("x") : $0 }) { contents in
            var log = LogSummary.Stream()
            log.append(Self.log(lines))
            contents.log = log.summary
            contents.change("build.log") { $0.sha256 = Digest256(of: Self.log(lines)) }
        }
        #expect(report.findings.map(\.code) == [.fileDigest, .eventsLog])
        #expect(report.findings.last?.found.contains("line") == true)
        #expect(report.findings.last?.found.contains("differs") == false)
    }

    @Test func provenanceThatNamesNoLogCannotBeCompared() throws {
        let report = try verify(Self.good) { $0.provenance = Array("{}".utf8) }
        #expect(report.obstacles.map(\.code).contains(.noLog) && report.exitCode != 0)
        #expect(!BundleContents(provenance: Array("{}".utf8), evidence: [], files: []).namesLog)
        #expect(try MadeBundle().contents().namesLog)
    }

    @Test func aLogReadInPiecesIsTheSameAsByLines() {
        let bytes = Self.log(Self.lines)
        var whole = LogSummary.Stream()
        for line in Self.lines { whole.append(line: line) }
        for cut in bytes.indices {
            var pieces = LogSummary.Stream()
            pieces.append(Array(bytes[..<cut]))
            pieces.append(Array(bytes[cut...]))
            #expect(pieces.summary == whole.summary, "cut at \(cut)")
        }
        var unfinished = LogSummary.Stream()
        unfinished.append(Array("a\nb".utf8))
        #expect(unfinished.summary.count == 2)
    }
}
