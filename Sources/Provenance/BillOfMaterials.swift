// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

extension BuildFacts {
    /// The name of the bill of materials, in the bundle and among the by-products.
    public static let billOfMaterialsName = "sbom.cdx.json"
    static let billOfMaterialsType = "application/vnd.cyclonedx+json"

    /// What was built in, for the tools of others: a bill of materials in CycloneDX 1.6 (ECMA-424), in canonical form.
    ///
    /// The same facts in another order give the same bytes. Which package needs which is not stated: not every lockfile
    /// says.
    public func billOfMaterials() -> [UInt8] { BillOfMaterials(self).bytes }
}

/// The bill of materials of one build.
private struct BillOfMaterials {
    private let facts: BuildFacts

    init(_ facts: BuildFacts) { self.facts = facts }

    var bytes: [UInt8] {
        var members: [String: JSONValue] = [
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX",
            "specVersion": "1.6", "version": 1, "metadata": metadata, "components": .array(components),
        ]
        members["serialNumber"] = .string(Self.serialNumber(JSONValue.object(members).canonicalBytes))
        return JSONValue.object(members).canonicalBytes
    }

    /// Made of the content, so that the same content has the same number (RFC 9562, section 5.8).
    private static func serialNumber(_ content: [UInt8]) -> String {
        var bytes = Array(Digest256(of: content).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let parts = [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
        return "urn:uuid:" + parts.map { Hex.encode(Array($0)) }.joined(separator: "-")
    }

    private var metadata: JSONValue {
        let builders = facts.builderVersion.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return [
            "timestamp": .string(facts.finishedOn),
            "lifecycles": [["phase": "build"]],
            "tools": [
                "components": .array(
                    builders.map {
                        ["type": "application", "name": .string($0.key), "version": .string($0.value)]
                    })
            ],
            "component": project,
        ]
    }

    private static let projectReference = "project"

    private var project: JSONValue {
        let source = facts.source.descriptor
        var members: [String: JSONValue] = [
            "type": "application", "bom-ref": .string(Self.projectReference), "name": .string(projectName),
        ]
        members["version"] = source.digest["gitCommit"].map(JSONValue.string)
        // The source's digests are not of the application.
        var properties = MaterialProperties(source, hashes: [])
        properties.add("buildType", facts.buildType)
        properties.add("uri", source.uri)
        let repository = facts.source.externalParameters["uri"]?.stringValue ?? source.uri
        let references = [ExternalReference(location: repository ?? "", commit: source.digest["gitCommit"])]
        members["externalReferences"] = ExternalReference.json(references.compactMap { $0 }, &properties)
        members["properties"] = properties.json
        return .object(members)
    }

    /// The archive without its ending, or the last part of the repository's address.
    private var projectName: String {
        let source = facts.source
        let text = source.descriptor.name ?? source.externalParameters["uri"]?.stringValue ?? source.descriptor.uri
        var name = text?.split(separator: "/").last.map(String.init) ?? ""
        if let ending = [".tar.gz", ".tgz", ".zip", ".git"].first(where: { name.hasSuffix($0) }) {
            name = String(name.dropLast(ending.count))
        }
        return name.isEmpty ? "source" : name
    }

    private var components: [JSONValue] {
        var references: Set = [Self.projectReference]
        // How often each was used: many dependencies may have one.
        var counts: [String: Int] = [:]
        return facts.sortedDependencies.map { dependency in
            let material = Material(dependency)
            let first = dependency.uri ?? material.name
            var reference = first
            var count = counts[first] ?? 1
            while !references.insert(reference).inserted {
                count += 1
                reference = "\(first)#\(count)"
            }
            counts[first] = count
            return material.json(reference: reference)
        }
    }
}

/// One dependency.
private struct Material {
    private let dependency: ResourceDescriptor
    private let package: PackageURL?

    init(_ dependency: ResourceDescriptor) {
        self.dependency = dependency
        package = dependency.uri.flatMap(PackageURL.init)
    }

    var name: String { package?.name ?? dependency.name ?? dependency.uri ?? "input" }

    func json(reference: String) -> JSONValue {
        let hashes = self.hashes
        var properties = MaterialProperties(dependency, hashes: Set(hashes.map(\.algorithm)))
        var members: [String: JSONValue] = [
            "type": "library", "bom-ref": .string(reference), "name": .string(name),
        ]
        members["group"] = package?.namespace.map(JSONValue.string)
        members["version"] = package?.version.map(JSONValue.string)
        if package == nil {
            properties.add("uri", dependency.uri)
        } else {
            members["purl"] = dependency.uri.map(JSONValue.string)
        }
        if let own = dependency.name, own != name { properties.add("name", own) }
        if !hashes.isEmpty {
            members["hashes"] = .array(hashes.map { ["alg": .string($0.name), "content": .string($0.hex)] })
        }
        members["externalReferences"] = ExternalReference.json(self.references, &properties)
        members["properties"] = properties.json
        return .object(members)
    }

    /// Digests of a plain file, by CycloneDX's names, with the digits that they have.
    private static let algorithms: [(algorithm: String, name: String, digits: Int)] = [
        ("md5", "MD5", 32), ("sha1", "SHA-1", 40), ("sha256", "SHA-256", 64), ("sha384", "SHA-384", 96),
        ("sha512", "SHA-512", 128),
    ]

    private var hashes: [(algorithm: String, name: String, hex: String)] {
        guard dependency.mediaType != ResourceDescriptor.nixArchiveType else { return [] }
        return Self.algorithms.compactMap { algorithm, name, digits in
            guard let hex = dependency.digest[algorithm], hex.utf8.count == digits else { return nil }
            return (algorithm, name, hex)
        }
    }

    private var references: [ExternalReference] {
        let commit = dependency.digest["gitCommit"]
        let places = [dependency.downloadLocation, package?.qualifiers["vcs_url"], package?.qualifiers["download_url"]]
        var found: [ExternalReference] = []
        for case let place? in places {
            let reference = ExternalReference(location: place, commit: commit)
            if let reference, !found.contains(reference) { found.append(reference) }
        }
        return found.sorted { ($0.type, $0.url) < ($1.type, $1.url) }
    }
}

/// Where something is to be had.
private struct ExternalReference: Hashable {
    let type: String
    let url: String

    /// - Parameters:
    ///   - location: a URL, or an SPDX download location such as `git+https://example.com/p@COMMIT`.
    ///   - commit: left out of the URL, which is to be that of the repository.
    ///
    /// `nil` where it is neither, as the name of a file is.
    init?(location: String, commit: String?) {
        guard location.contains("://") else { return nil }
        guard location.hasPrefix("git+") else {
            (type, url) = ("distribution", location)
            return
        }
        var repository = location.dropFirst("git+".count)
        if let commit, repository.hasSuffix("@" + commit) { repository = repository.dropLast(commit.utf8.count + 1) }
        (type, url) = ("vcs", String(repository))
    }

    /// Those whose spelling the schema allows; others become properties. `nil` where none is left.
    static func json(_ references: [ExternalReference], _ properties: inout MaterialProperties) -> JSONValue? {
        var listed: [JSONValue] = []
        for reference in references {
            if reference.isURI {
                listed.append(["type": .string(reference.type), "url": .string(reference.url)])
            } else {
                properties.add(reference.type, reference.url)
            }
        }
        return listed.isEmpty ? nil : .array(listed)
    }

    /// RFC 3986, section 2: only characters that may stand there, each percent sign before two digits.
    private var isURI: Bool {
        let parts = url.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
        let escapes = parts.dropFirst().allSatisfy { part in
            part.count >= 2 && part.prefix(2).allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
        }
        let marks = Set("-._~:/?#@!$&'()*+,;=%".utf8)
        return escapes && url.utf8.filter { $0 == UInt8(ascii: "#") }.count < 2
            && url.utf8.allSatisfy { byte in
                let character = Character(UnicodeScalar(byte))
                return marks.contains(byte) || character.isASCII && (character.isLetter || character.isNumber)
            }
    }
}

/// What CycloneDX has no field for, under names of ours.
private struct MaterialProperties {
    private var values: [(name: String, value: String)] = []

    /// - Parameter hashes: the algorithms that stand as hashes.
    init(_ descriptor: ResourceDescriptor, hashes: Set<String>) {
        for (algorithm, hex) in descriptor.digest where !hashes.contains(algorithm) { add("digest:\(algorithm)", hex) }
        for (name, value) in descriptor.annotations {
            let text = value.stringValue ?? String(decoding: value.canonicalBytes, as: UTF8.self)
            add("annotation:\(name)", text)
        }
        add("mediaType", descriptor.mediaType)
    }

    mutating func add(_ name: String, _ value: String?) {
        if let value { values.append(("cupel:" + name, value)) }
    }

    /// Sorted by the bytes of names and values; `nil` where there is none.
    var json: JSONValue? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted { left, right in
            left.name == right.name
                ? left.value.utf8.lexicographicallyPrecedes(right.value.utf8)
                : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        return .array(sorted.map { ["name": .string($0.name), "value": .string($0.value)] })
    }
}
