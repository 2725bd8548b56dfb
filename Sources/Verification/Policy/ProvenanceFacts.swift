// SPDX-License-Identifier: Apache-2.0
internal import Provenance
internal import StrictJSON

/// What a policy asks of the provenance, whichever of the builders that are understood wrote it. What is `nil` or
/// empty is not stated.
struct ProvenanceFacts {
    /// Of the repository, without `git+`.
    private(set) var sourceURI: String?
    /// The name under which the commit was found.
    private(set) var sourceRef: String?
    private(set) var sourceCommit: String?
    /// Of an uploaded archive.
    private(set) var sourceArchive: String?
    let builderID: String?
    let builderVersions: [String: String]
    let buildType: String?
    let isolation: String?
    private(set) var tools: [Tool] = []
    private(set) var phases: [Phase] = []
    /// RFC 3339 as it stands there.
    let finishedOn: String?

    struct Tool {
        let name: String
        let version: String?
        let sha256: String?
    }

    struct Phase {
        let name: String
        let network: Bool?
    }

    init(_ provenance: BundleProvenance) {
        let predicate = provenance.statement?.predicate
        let definition = predicate?["buildDefinition"]
        let details = predicate?["runDetails"]
        builderID = details?["builder"]?["id"]?.stringValue
        builderVersions = details?["builder"]?["version"]?.objectValue?.compactMapValues(\.stringValue) ?? [:]
        buildType = definition?["buildType"]?.stringValue
        isolation = definition?["internalParameters"]?["isolation"]?.stringValue
        finishedOn = details?["metadata"]?["finishedOn"]?.stringValue
        switch provenance {
        case .cupel(_, let record): readCupel(record)
        case .kettle: readKettle(definition)
        case .unsupported, .malformed: break
        }
    }

    private mutating func readCupel(_ record: BuildRecord) {
        let requested = record.externalParameters["source"]
        if let source = record.resolvedDependencies.first {
            readSource(source, requestedURI: requested?["uri"]?.stringValue)
        }
        sourceArchive = requested?["sha256"]?.stringValue
        tools = record.tools.map {
            Tool(name: $0.name ?? "", version: $0.annotations["version"]?.stringValue, sha256: $0.digest["sha256"])
        }
        phases = (record.internalParameters["phases"]?.arrayValue ?? []).map {
            Phase(name: $0["name"]?.stringValue ?? "", network: $0["network"]?.boolValue)
        }
    }

    /// A clone's descriptor is `git+URL@REF`. The URL can hold an `@` too, and stands in what was requested; where the
    /// two contradict each other, no source is stated.
    private mutating func readSource(_ source: ResourceDescriptor, requestedURI: String?) {
        guard let uri = source.uri, let requestedURI, uri.hasPrefix(requestedURI + "@"), uri.hasPrefix("git+") else {
            return
        }
        sourceURI = String(requestedURI.dropFirst(4))
        sourceRef = String(uri.dropFirst(requestedURI.count + 1))
        sourceCommit = source.digest["gitCommit"]
    }

    private mutating func readKettle(_ definition: JSONValue?) {
        let source = definition?["externalParameters"]?["source"]
        sourceURI = source?["uri"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        sourceCommit = source?["digest"]?["gitCommit"]?.stringValue
        let toolchain = definition?["internalParameters"]?["toolchain"]?.objectValue ?? [:]
        tools = toolchain.sorted { $0.key < $1.key }.map { name, tool in
            Tool(name: name, version: tool["version"]?.stringValue, sha256: tool["digest"]?["sha256"]?.stringValue)
        }
    }
}
