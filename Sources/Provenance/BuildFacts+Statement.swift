// SPDX-License-Identifier: Apache-2.0
public import ByteCoding
internal import StrictJSON

extension BuildFacts {
    /// SLSA 1.2, "Provenance", v1 of the predicate.
    public static let predicateType = "https://slsa.dev/provenance/v1"
    /// What every ``buildType`` of ours begins with.
    public static let buildTypeBase = "https://github.com/cupel-build/cupel/blob/main/docs/build-types/"

    /// The provenance, sorted. Throws what ``BuildRecord`` would throw at it, and where there is no subject, a name
    /// stands twice, or a name is no plain path.
    public func statement() throws(MalformedBytes) -> Statement {
        let sortedSubjects = subjects.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        guard !subjects.isEmpty else { throw Self.malformed("subject", "no artifact") }
        guard Set(subjects.map(\.name)).count == subjects.count else {
            throw Self.malformed("subject", "two artifacts with one name")
        }
        if let subject = subjects.first(where: { !$0.isPlainPath }) {
            throw Self.malformed("subject", "'\(subject.name)' is not a plain relative path")
        }
        guard Set(links.map(\.name)).count == links.count else {
            throw Self.malformed("artifact_links", "two links with one name")
        }
        let resolved = [source.descriptor, lockfile] + sortedDependencies
        let sortedTools = tools.sorted { ResourceDescriptor.precedes($0, $1, by: \.name) }
        let inputs = InputTree(resolvedDependencies: resolved, tools: sortedTools)
        let predicate: JSONValue = [
            "buildDefinition": [
                "buildType": .string(buildType),
                "externalParameters": ["source": source.externalParameters, "nonce": .string(nonceHex)],
                "internalParameters": .object(allInternalParameters(tools: sortedTools)),
                "resolvedDependencies": .array(resolved.map(\.json)),
            ],
            "runDetails": runDetails(inputRoot: inputs.root),
        ]
        let statement = Statement(
            subjects: sortedSubjects, predicateType: Self.predicateType, predicate: predicate)
        _ = try BuildRecord(statement)
        return statement
    }

    private func allInternalParameters(tools: [ResourceDescriptor]) -> [String: JSONValue] {
        var parameters = internalParameters
        parameters["isolation"] = .string(isolation)
        parameters["attempt"] = .integer(attempt)
        parameters["tools"] = .array(tools.map(\.json))
        parameters["commandLine"] = .array(commandLine.map(JSONValue.string))
        parameters["environment"] = .object(environment.mapValues(JSONValue.string))
        parameters["phases"] = .array(phases.map(\.json))
        return parameters
    }

    private func runDetails(inputRoot: Digest256) -> JSONValue {
        var byproducts: [ResourceDescriptor] = [
            ResourceDescriptor(name: "input_merkle_root", digest: ["sha256": inputRoot.hex]),
            ResourceDescriptor(name: "build.log", digest: ["sha256": logDigest.hex], mediaType: "text/plain"),
            ResourceDescriptor(
                name: Self.billOfMaterialsName, digest: ["sha256": Digest256(of: billOfMaterials()).hex],
                mediaType: Self.billOfMaterialsType),
        ]
        if !links.isEmpty { byproducts.append(ArtifactLink.byproduct(links)) }
        byproducts += self.byproducts
        if let launchMeasurement {
            byproducts.append(ResourceDescriptor(name: "launch_measurement", digest: ["sha384": launchMeasurement]))
        }
        return [
            "builder": ["id": .string(builderID), "version": .object(builderVersion.mapValues(JSONValue.string))],
            "metadata": [
                "invocationId": .string(invocationID), "startedOn": .string(startedOn),
                "finishedOn": .string(finishedOn),
            ],
            "byproducts": .array(byproducts.map(\.json)),
        ]
    }

    private static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "provenance", field: field, offset: 0, reason: reason)
    }
}
