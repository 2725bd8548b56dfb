// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
public import StrictJSON

/// One event of a build's stream (the API, "Follow").
public enum BuildEvent: Hashable, Sendable {
    /// Place in line; 0 is next.
    case queued(position: Int)
    /// Life of the confidential machine.
    case machine(String)
    /// Workspace and input verification.
    case initialize(String)
    /// The toolchain's bare name.
    case detect(String)
    /// One line of the build's log; ``LogLines`` makes lines from bytes.
    case build(String)
    case provenance(String)
    case attest(String)
    /// Always the last event, exactly once. `nil` means that the build succeeded.
    case complete(BuildFailure?)

    /// The event as every reader gets it: `data: {…}` and a blank line. Encoded once, when the event happens.
    public var wireBytes: [UInt8] {
        var bytes = Array("data: ".utf8)
        switch self {
        case .queued(let position): bytes += Array("{\"type\":\"queued\",\"position\":\(position)}".utf8)
        case .machine(let message): bytes += Self.encode("vm", message)
        case .initialize(let message): bytes += Self.encode("init", message)
        case .detect(let message): bytes += Self.encode("detect", message)
        case .build(let message): bytes += Self.encode("build", message)
        case .provenance(let message): bytes += Self.encode("provenance", message)
        case .attest(let message): bytes += Self.encode("attest", message)
        case .complete(let failure): bytes += Self.encode(failure)
        }
        bytes += [0x0A, 0x0A]
        return bytes
    }

    public var isComplete: Bool { if case .complete = self { true } else { false } }

    /// Says that all inputs are there and as they were promised, before anything of the project runs.
    public static func inputsVerified(_ count: Int) -> BuildEvent { .initialize("Verified \(count) dependencies") }

    /// Whether nothing is fetched after this event. A build that prints nothing has no `build` event.
    public var endsFetching: Bool {
        switch self {
        case .build, .provenance, .attest: return true
        case .queued, .machine, .detect, .complete: return false
        case .initialize(let message):
            let words = message.split(separator: " ", omittingEmptySubsequences: false)
            return words.count == 3 && Int(words[1]).map { self == .inputsVerified($0) } ?? false
        }
    }

    private static func encode(_ type: String, _ message: String) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"msg\":".utf8) + JSONValue.literal(message.boundingMarks) + [UInt8(ascii: "}")]
    }

    private static func encode(_ failure: BuildFailure?) -> [UInt8] {
        guard let failure else { return Array("{\"type\":\"complete\",\"result\":{\"status\":\"ok\"}}".utf8) }
        return Array("{\"type\":\"complete\",\"result\":{\"status\":\"failed\",\"error\":".utf8)
            + JSONValue.literal(failure.bounded.message)
            + Array(",\"error_type\":\"\(failure.kind.rawValue)\"}}".utf8)
    }
}

extension BuildFailure {
    /// UTF-8 bytes of a message that is kept or sent.
    public static let maximumLength = 16 * 1024
    private static let cutMark = " […]"

    /// The failure as it is kept and sent: with at most ``maximumLength`` bytes of its message, cut between two
    /// characters and marked so, and without rows of combining characters that readers refuse. Names of files and words of
    /// other programs reach messages.
    public var bounded: BuildFailure {
        let text = message.boundingMarks
        guard text.utf8.count > Self.maximumLength else { return BuildFailure(kind, text) }
        var end = text.utf8.index(text.startIndex, offsetBy: Self.maximumLength - Self.cutMark.utf8.count)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return BuildFailure(kind, text[..<end] + Self.cutMark)
    }
}

extension BuildEvent {
    /// Reads what stands after `data: ` in a stream. `nil` where it is no event of the API.
    public init?(json: JSONValue) {
        switch (json["type"]?.stringValue, json["msg"]?.stringValue) {
        case ("queued", _):
            guard let position = json["position"]?.integerValue, position >= 0 else { return nil }
            self = .queued(position: position)
        case ("vm", let message?): self = .machine(message)
        case ("init", let message?): self = .initialize(message)
        case ("detect", let message?): self = .detect(message)
        case ("build", let message?): self = .build(message)
        case ("provenance", let message?): self = .provenance(message)
        case ("attest", let message?): self = .attest(message)
        case ("complete", _):
            guard let result = json["result"], let outcome = Self.outcome(result) else { return nil }
            self = .complete(outcome)
        default: return nil
        }
    }

    private static func outcome(_ result: JSONValue) -> BuildFailure?? {
        switch result["status"]?.stringValue {
        case "ok": return .some(nil)
        case "failed":
            let kind = result["error_type"]?.stringValue.flatMap(BuildFailure.Kind.init(rawValue:)) ?? .internal
            return BuildFailure(kind, result["error"]?.stringValue ?? "the server gave no reason")
        default: return nil
        }
    }
}

/// Where a build's events go: the durable log of a service, or a terminal.
///
/// Events arrive in order, from one caller at a time. `append` returns once the events can no longer be lost by a
/// crash of this process; it throws ``BuildFailure`` where they cannot be kept (a full disk, a log beyond its limit),
/// which ends the build.
public protocol BuildEventSink: Sendable {
    func append(_ events: [BuildEvent]) throws(BuildFailure)
}
