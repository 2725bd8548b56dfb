// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
public import StrictJSON

/// Everything that the observer knows of one build; ``statement()`` makes the provenance of it.
public struct BuildFacts: Sendable {
    /// A URI that names the kind of build; each has a page in the documentation.
    public var buildType: String
    public var source: ResolvedSource
    /// Lower-case hexadecimal.
    public var nonceHex: String
    /// `sandbox`, `none`, or the kind of machine: `snp`, `tdx`, `vtpm`.
    public var isolation: String
    /// Further things that the builder set.
    public var internalParameters: [String: JSONValue]
    /// The binaries that built, by digest.
    public var tools: [ResourceDescriptor]
    /// Of the build phase.
    public var commandLine: [String]
    /// Of the build phase, whole.
    public var environment: [String: String]
    public var phases: [Phase]
    public var lockfile: ResourceDescriptor
    public var dependencies: [ResourceDescriptor]
    public var builderID: String
    public var builderVersion: [String: String]
    /// The job's id.
    public var invocationID: String
    /// Counts from 1.
    public var attempt: Int
    /// RFC 3339, UTC.
    public var startedOn: String
    /// RFC 3339, UTC.
    public var finishedOn: String
    /// Of `build.log`.
    public var logDigest: Digest256
    /// What the builder believes its machine to have measured; hexadecimal.
    public var launchMeasurement: String?
    public var subjects: [Subject]
    /// Symbolic links that stand among the artifacts.
    public var links: [ArtifactLink]
    /// Further things that the build made and that are no artifacts; none has the name of one that every build has.
    public var byproducts: [ResourceDescriptor]

    public init(
        buildType: String, source: ResolvedSource, nonceHex: String, isolation: String,
        internalParameters: [String: JSONValue], tools: [ResourceDescriptor], commandLine: [String],
        environment: [String: String], phases: [Phase], lockfile: ResourceDescriptor,
        dependencies: [ResourceDescriptor], builderID: String, builderVersion: [String: String], invocationID: String,
        attempt: Int, startedOn: String, finishedOn: String, logDigest: Digest256, launchMeasurement: String?,
        subjects: [Subject], links: [ArtifactLink] = [],
        byproducts: [ResourceDescriptor] = []
    ) {
        self.buildType = buildType
        self.source = source
        self.nonceHex = nonceHex
        self.isolation = isolation
        self.internalParameters = internalParameters
        self.tools = tools
        self.commandLine = commandLine
        self.environment = environment
        self.phases = phases
        self.lockfile = lockfile
        self.dependencies = dependencies
        self.builderID = builderID
        self.builderVersion = builderVersion
        self.invocationID = invocationID
        self.attempt = attempt
        self.startedOn = startedOn
        self.finishedOn = finishedOn
        self.logDigest = logDigest
        self.launchMeasurement = launchMeasurement
        self.subjects = subjects
        self.links = links
        self.byproducts = byproducts
    }

    /// In the order of provenance; those of one URI by their text.
    var sortedDependencies: [ResourceDescriptor] {
        dependencies.sorted {
            $0.uri == $1.uri
                ? $0.json.canonicalBytes.lexicographicallyPrecedes($1.json.canonicalBytes)
                : ResourceDescriptor.precedes($0, $1, by: \.uri)
        }
    }
}

/// The source as it was resolved, and as it was asked for.
public struct ResolvedSource: Hashable, Sendable {
    public var descriptor: ResourceDescriptor
    /// What the requester chose: the value of `externalParameters.source`.
    public var externalParameters: JSONValue

    public init(descriptor: ResourceDescriptor, externalParameters: JSONValue) {
        self.descriptor = descriptor
        self.externalParameters = externalParameters
    }
}

/// One command of a build, and whether it had network.
public struct Phase: Hashable, Sendable {
    public var name: String
    public var network: Bool
    public var commandLine: [String]

    public init(name: String, network: Bool, commandLine: [String]) {
        self.name = name
        self.network = network
        self.commandLine = commandLine
    }

    var json: JSONValue {
        [
            "name": .string(name), "network": .bool(network),
            "commandLine": .array(commandLine.map(JSONValue.string)),
        ]
    }
}
