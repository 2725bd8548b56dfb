// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// Something that a build used or made, after in-toto's ResourceDescriptor v1.
public struct ResourceDescriptor: Hashable, Sendable {
    public var name: String?
    /// For packages a package URL, for git sources an SPDX download location.
    public var uri: String?
    /// Algorithm to digest in lower-case hexadecimal, never base64 (in-toto's DigestSet).
    public var digest: [String: String]
    public var mediaType: String?
    public var downloadLocation: String?
    public var annotations: [String: JSONValue]

    public init(
        name: String? = nil, uri: String? = nil, digest: [String: String] = [:], mediaType: String? = nil,
        downloadLocation: String? = nil, annotations: [String: JSONValue] = [:]
    ) {
        self.name = name
        self.uri = uri
        self.digest = digest
        self.mediaType = mediaType
        self.downloadLocation = downloadLocation
        self.annotations = annotations
    }

    /// The media type of what has the digest of its Nix archive, and not of its own bytes.
    public static let nixArchiveType = "application/x-nix-archive"

    /// Empty fields are left out.
    public var json: JSONValue {
        var members: [String: JSONValue] = [:]
        members["name"] = name.map(JSONValue.string)
        members["uri"] = uri.map(JSONValue.string)
        members["mediaType"] = mediaType.map(JSONValue.string)
        members["downloadLocation"] = downloadLocation.map(JSONValue.string)
        if !digest.isEmpty { members["digest"] = .object(digest.mapValues(JSONValue.string)) }
        if !annotations.isEmpty { members["annotations"] = .object(annotations) }
        return .object(members)
    }

    /// Throws at unknown fields, fields of a wrong type, and digests that are not lower-case hexadecimal.
    public init(json: JSONValue) throws(MalformedBytes) {
        var reader = try JSONMembers(json, of: "ResourceDescriptor")
        self.init(
            name: try reader.optionalString("name"), uri: try reader.optionalString("uri"),
            digest: try Self.digests(reader.take("digest")), mediaType: try reader.optionalString("mediaType"),
            downloadLocation: try reader.optionalString("downloadLocation"))
        if let value = reader.take("annotations") {
            guard let annotations = value.objectValue else {
                throw reader.malformed("annotations", "an object expected")
            }
            self.annotations = annotations
        }
        try reader.end()
    }

    /// The order of provenance: by the bytes of one field, nothing first.
    static func precedes(
        _ left: ResourceDescriptor, _ right: ResourceDescriptor, by key: KeyPath<ResourceDescriptor, String?>
    ) -> Bool {
        (left[keyPath: key] ?? "").utf8.lexicographicallyPrecedes((right[keyPath: key] ?? "").utf8)
    }

    /// Bytes of the digests that in-toto and git define; of others only the spelling is checked.
    private static let digestSizes: [String: Set<Int>] = [
        "sha256": [32], "sha384": [48], "sha512": [64], "gitCommit": [20, 32], "gitTree": [20, 32],
    ]

    private static func digests(_ json: JSONValue?) throws(MalformedBytes) -> [String: String] {
        guard let json else { return [:] }
        guard let members = json.objectValue, !members.isEmpty else {
            throw malformed("an object with members expected")
        }
        var digests: [String: String] = [:]
        for (algorithm, value) in members {
            guard let hex = value.stringValue, !hex.isEmpty, let bytes = try? Hex.decode(hex), Hex.encode(bytes) == hex
            else { throw malformed("'\(algorithm)' must be lower-case hexadecimal") }
            guard digestSizes[algorithm]?.contains(bytes.count) ?? true else {
                throw malformed("'\(algorithm)' has \(bytes.count) bytes")
            }
            digests[algorithm] = hex
        }
        return digests
    }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "ResourceDescriptor", field: "digest", offset: 0, reason: reason)
    }
}
