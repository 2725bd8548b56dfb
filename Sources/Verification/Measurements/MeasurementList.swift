// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
internal import StrictJSON

/// Reference values (RFC 9334, section 8.3): the images that somebody vouches for, and until when.
///
/// | field | type | meaning |
/// |---|---|---|
/// | `version` | 1 | of this format |
/// | `issued` | RFC 3339, UTC, whole seconds | when it was signed |
/// | `expires` | the same; optional | from then on the list is refused |
/// | `images` | array, at least one | see ``ImageEntry`` |
public struct MeasurementList: Hashable, Sendable {
    public static let payloadType = "application/vnd.cupel.measurements+json"
    /// Seconds by which clocks may differ.
    static let clockTolerance: Int64 = 600

    /// RFC 3339.
    public let issued: String
    /// RFC 3339; `nil` for a list that does not expire.
    public let expires: String?
    public let images: [KnownImage]

    /// Reads a list as people write it, YAML or JSON.
    ///
    /// - Parameter issued: what to take where the text names no time.
    public init(text bytes: [UInt8], issued: String) throws(PolicyError) {
        let document = try YAMLDocument(parsing: bytes)
        try self.init(try PolicyMembers(document, known: Self.keys), issued: issued)
    }

    /// Reads the payload of a signed list, which must be canonical (RFC 8785).
    public init(payload bytes: [UInt8]) throws(PolicyError) {
        guard let json = try? JSONValue(parsing: bytes), json.canonicalBytes == bytes else {
            throw PolicyError("a signed list must be canonical JSON (RFC 8785)")
        }
        try self.init(PolicyMembers(json, at: "", lines: [:], known: Self.keys), issued: nil)
    }

    /// Opens a signed list: a signature by one of `keys` holds, and `time` lies between its dates.
    ///
    /// - Parameter time: seconds since 1970, by the clock; dates are not judged if `nil`.
    public init(
        signed bytes: [UInt8], keys: [VerificationKey], at time: Int64?
    ) throws(PolicyError) {
        let envelope: DSSEEnvelope
        do {
            envelope = try DSSEEnvelope(parsing: bytes)
        } catch {
            throw PolicyError("not a signed list of images: \(error)")
        }
        guard envelope.payloadType == Self.payloadType else {
            throw PolicyError("a list of images is '\(Self.payloadType)', found '\(envelope.payloadType)'")
        }
        guard !keys.isEmpty else {
            throw PolicyError(
                "no key is named that may sign lists, and none is built in, as cupel has released no image yet")
        }
        guard envelope.signer(among: keys) != nil else {
            throw PolicyError(
                "not signed by a key that may sign lists: \(envelope.signatures.count) signature(s), "
                    + "\(keys.count) key(s), and none fits")
        }
        try self.init(payload: envelope.payload)
        if let time { try checkDates(at: time) }
    }

    /// The payload: canonical JSON.
    public var canonicalBytes: [UInt8] {
        var members: [String: JSONValue] = [
            "version": 1, "issued": .string(issued), "images": .array(images.map(ImageEntry.json)),
        ]
        members["expires"] = expires.map(JSONValue.string)
        return JSONValue.object(members).canonicalBytes
    }

    /// A list that is yet to be signed, as ``init(text:issued:)`` reads it: canonical JSON.
    public static func unsigned(_ images: [KnownImage]) -> [UInt8] {
        let json: JSONValue = ["version": 1, "images": .array(images.map(ImageEntry.json))]
        return json.canonicalBytes
    }

    private static let keys = ["version", "issued", "expires", "images"]

    private init(_ members: PolicyMembers, issued: String?) throws(PolicyError) {
        try members.required("version")
        _ = try members.number("version", 1...1)
        if issued == nil { try members.required("issued") }
        try members.required("images")
        self.issued = try Self.time(members, "issued") ?? issued ?? ""
        expires = try Self.time(members, "expires")
        images = try ImageEntry.images(members, "images")
        if let expires, expires <= self.issued {
            throw members.refusal("expires", "'\(expires)' is not after '\(self.issued)', when the list was issued")
        }
    }

    /// Throws where the list has expired, or is yet to be issued.
    ///
    /// - Parameter time: seconds since 1970, by the clock.
    public func checkDates(at time: Int64) throws(PolicyError) {
        if let end = expires.flatMap({ CivilTime(rfc3339: $0) })?.secondsSince1970, time >= end {
            throw PolicyError(key: "expires", "the list expired at \(expires ?? ""); fetch a newer one")
        }
        if let start = CivilTime(rfc3339: issued)?.secondsSince1970, time < start - Self.clockTolerance {
            throw PolicyError(key: "issued", "the list was issued at \(issued), which is yet to come")
        }
    }

    private static func time(_ members: PolicyMembers, _ key: String) throws(PolicyError) -> String? {
        guard let text = try members.text(key) else { return nil }
        guard CivilTime(rfc3339: text) != nil else {
            throw members.refusal(key, "a time such as \"2026-01-31T12:00:00Z\" expected, found '\(text.prefix(40))'")
        }
        return text
    }
}
