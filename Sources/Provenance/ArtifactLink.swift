// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import StrictJSON

/// A symbolic link that stands among the artifacts, as a build left it.
public struct ArtifactLink: Hashable, Sendable {
    /// The link's path below `artifacts/`.
    public let name: String
    /// The text of the link: relative, and at no step above `artifacts/`.
    public let target: String

    public init(name: String, target: String) {
        self.name = name
        self.target = target
    }
}

extension ArtifactLink {
    /// The name of the by-product that states all links of a build.
    static let byproductName = "artifact_links"

    /// - Parameter links: at least one; no two have the same name.
    static func byproduct(_ links: [ArtifactLink]) -> ResourceDescriptor {
        let json = JSONValue.object(
            Dictionary(links.map { ($0.name, JSONValue.string($0.target)) }) { first, _ in first })
        return ResourceDescriptor(
            name: byproductName, digest: ["sha256": Digest256(of: json.canonicalBytes).hex],
            annotations: ["links": json])
    }

    /// Of `links`, those that lead to one of the artifacts or a folder of them, through each other if need be: all that
    /// can be stated.
    ///
    /// Throws where a name is no plain path or stands for two things, a path passes through a link, or a target is
    /// absolute.
    ///
    /// - Parameter artifacts: their paths below `artifacts/`.
    public static func leading(
        _ links: [ArtifactLink], to artifacts: [String]
    ) throws(MalformedBytes) -> [ArtifactLink] {
        try ArtifactTree.leading(links, to: artifacts)
    }

    /// The links that a by-product states, sorted by the bytes of their names.
    ///
    /// Throws where there is none, the digest is not that of the links, anything else stands there, or ``ArtifactTree``
    /// refuses them.
    static func links(
        of byproduct: ResourceDescriptor, beside subjects: [Subject]
    ) throws(MalformedBytes) -> [ArtifactLink] {
        guard let members = byproduct.annotations["links"]?.objectValue, !members.isEmpty else {
            throw malformed("an object of links expected")
        }
        var links: [ArtifactLink] = []
        for (name, value) in members {
            guard let target = value.stringValue else { throw malformed("the target of '\(name)' must be a string") }
            links.append(ArtifactLink(name: name, target: target))
        }
        guard byproduct == Self.byproduct(links) else {
            throw malformed("nothing but the links and the SHA-256 of their canonical JSON is expected")
        }
        links.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        try ArtifactTree.check(links, beside: subjects)
        return links
    }

    static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "SLSA provenance", field: byproductName, offset: 0, reason: reason)
    }
}
