// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// A statement of ours, read back: the fields of SLSA Provenance v1 that a verifier compares.
///
/// Fields that SLSA does not define are ignored, as its parsing rules say; what is read is checked.
public struct BuildRecord: Hashable, Sendable {
    public let buildType: String
    /// What the requester chose, an object.
    public let externalParameters: JSONValue
    /// Hexadecimal, as the requester gave it.
    public let nonceHex: String
    /// What the builder set, an object.
    public let internalParameters: JSONValue
    /// `sandbox`, `none`, or the kind of machine.
    public let isolation: String
    /// Sorted by name.
    public let tools: [ResourceDescriptor]
    /// The source, the lockfile, then the dependencies sorted by URI; each has a digest.
    public let resolvedDependencies: [ResourceDescriptor]
    public let builderID: String
    /// The job's id.
    public let invocationID: String
    /// RFC 3339; not checked to be a time.
    public let startedOn: String
    /// RFC 3339; not checked to be a time.
    public let finishedOn: String
    /// What the builder says that ``InputTree/root`` is.
    public let inputMerkleRoot: Digest256
    /// Of `build.log`.
    public let logDigest: Digest256
    /// Of ``BuildFacts/billOfMaterialsName``; `nil` for builds of releases that made none.
    public let billOfMaterialsDigest: Digest256?
    /// Symbolic links that stand among the artifacts, sorted by name; each leads to an artifact, or a folder of them.
    public let links: [ArtifactLink]
    /// Paths of a Nix store that the artifacts name; empty for most.
    public let runtimeStorePaths: [String]

    /// Throws at another predicate, missing fields, an input without a digest, inputs out of order, and links that lead
    /// out of the artifacts' folder or nowhere.
    public init(_ statement: Statement) throws(MalformedBytes) {
        guard statement.predicateType == BuildFacts.predicateType else {
            throw Self.malformed(
                "predicateType", "'\(statement.predicateType)', expected '\(BuildFacts.predicateType)'")
        }
        var predicate = try JSONMembers(statement.predicate, of: Self.format)
        var definition = try JSONMembers(predicate.required("buildDefinition"), of: Self.format)
        var details = try JSONMembers(predicate.required("runDetails"), of: Self.format)

        buildType = try definition.string("buildType")
        externalParameters = try definition.required("externalParameters")
        var external = try JSONMembers(externalParameters, of: Self.format)
        nonceHex = try external.string("nonce")
        internalParameters = try definition.required("internalParameters")
        var `internal` = try JSONMembers(internalParameters, of: Self.format)
        isolation = try `internal`.string("isolation")
        tools = try Self.inputs(`internal`.array("tools"), sortedBy: \.name, from: 0, "tools")
        resolvedDependencies = try Self.inputs(
            definition.array("resolvedDependencies"), sortedBy: \.uri, from: 2, "resolvedDependencies")
        guard resolvedDependencies.count >= 2 else {
            throw Self.malformed("resolvedDependencies", "the source and the lockfile expected")
        }

        var builder = try JSONMembers(details.required("builder"), of: Self.format)
        builderID = try builder.string("id")
        var metadata = try JSONMembers(details.required("metadata"), of: Self.format)
        invocationID = try metadata.string("invocationId")
        startedOn = try metadata.string("startedOn")
        finishedOn = try metadata.string("finishedOn")
        let byproducts = try details.array("byproducts")
        inputMerkleRoot = try Self.digest(of: "input_merkle_root", in: byproducts)
        logDigest = try Self.digest(of: "build.log", in: byproducts)
        billOfMaterialsDigest = try Self.digest(ofOptional: BuildFacts.billOfMaterialsName, in: byproducts)
        links = try Self.links(in: byproducts, beside: statement.subjects)
        runtimeStorePaths =
            try Self.byproduct(RuntimeStorePaths.byproductName, in: byproducts).map { (json) throws(MalformedBytes) in
                try RuntimeStorePaths.paths(of: ResourceDescriptor(json: json))
            } ?? []
    }

    private static let format = "SLSA provenance"

    private static func inputs(
        _ elements: [JSONValue], sortedBy key: KeyPath<ResourceDescriptor, String?>, from first: Int, _ field: String
    ) throws(MalformedBytes) -> [ResourceDescriptor] {
        var inputs: [ResourceDescriptor] = []
        for element in elements {
            let input = try ResourceDescriptor(json: element)
            let name = input.uri ?? input.name ?? "an input without a name"
            guard !input.digest.isEmpty else { throw malformed(field, "'\(name)' has no digest") }
            if inputs.count > first, let last = inputs.last, ResourceDescriptor.precedes(input, last, by: key) {
                throw malformed(field, "'\(name)' is out of order")
            }
            inputs.append(input)
        }
        return inputs
    }

    private static func digest(of name: String, in byproducts: [JSONValue]) throws(MalformedBytes) -> Digest256 {
        guard let digest = try digest(ofOptional: name, in: byproducts) else {
            throw malformed("byproducts", "'\(name)' stands there 0 times, expected once")
        }
        return digest
    }

    private static func digest(
        ofOptional name: String, in byproducts: [JSONValue]
    ) throws(MalformedBytes) -> Digest256? {
        guard let byproduct = try byproduct(name, in: byproducts) else { return nil }
        guard let hex = byproduct["digest"]?["sha256"]?.stringValue else {
            throw malformed("byproducts", "'\(name)' has no SHA-256")
        }
        return try Digest256(hex: hex)
    }

    private static func links(
        in byproducts: [JSONValue], beside subjects: [Subject]
    ) throws(MalformedBytes) -> [ArtifactLink] {
        guard let byproduct = try byproduct(ArtifactLink.byproductName, in: byproducts) else { return [] }
        return try ArtifactLink.links(of: ResourceDescriptor(json: byproduct), beside: subjects)
    }

    private static func byproduct(_ name: String, in byproducts: [JSONValue]) throws(MalformedBytes) -> JSONValue? {
        let named = byproducts.filter { $0["name"]?.stringValue == name }
        guard named.count <= 1 else {
            throw malformed("byproducts", "'\(name)' stands there \(named.count) times, expected once")
        }
        return named.first
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: format, field: field, offset: 0, reason: reason)
    }
}
