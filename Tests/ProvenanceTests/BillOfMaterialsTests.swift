// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

/// That the schema of CycloneDX is met is tested from end to end.
@Suite struct BillOfMaterialsTests {
    private static func bill(_ change: (inout BuildFacts) -> Void = { _ in }) throws -> JSONValue {
        var facts = Samples.facts()
        change(&facts)
        return try JSONValue(parsing: facts.billOfMaterials())
    }

    private static func component(_ dependency: ResourceDescriptor) throws -> JSONValue {
        let components = try bill { $0.dependencies = [dependency] }["components"]?.arrayValue
        #expect(components?.count == 1)
        return try #require(components?.first)
    }

    /// The whole text: other tools read it.
    @Test func theTextIsCycloneDX() throws {
        let text = String(decoding: Samples.facts().billOfMaterials(), as: UTF8.self)
        let number = try #require(try Self.bill()["serialNumber"]?.stringValue)
        func component(_ name: String) -> String {
            """
            {"bom-ref":"pkg:cargo/\(name)@1","hashes":[{"alg":"SHA-256","content":\
            "\(Samples.digest("pkg:cargo/\(name)@1"))"}],"name":"\(name)","purl":"pkg:cargo/\(name)@1","type":"library",\
            "version":"1"}
            """
        }
        #expect(
            text == """
                {"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX",\
                "components":[\(component("a")),\(component("b"))],\
                "metadata":{"component":{"bom-ref":"project",\
                "externalReferences":[{"type":"vcs","url":"https://example.com/p"}],"name":"p","properties":[\
                {"name":"cupel:buildType","value":"\(Samples.facts().buildType)"},\
                {"name":"cupel:digest:gitCommit","value":"\(Samples.commit)"},\
                {"name":"cupel:digest:gitTree","value":"\(Samples.commit)"},\
                {"name":"cupel:uri","value":"git+https://example.com/p@main"}],\
                "type":"application","version":"\(Samples.commit)"},\
                "lifecycles":[{"phase":"build"}],"timestamp":"2026-01-01T00:01:00Z",\
                "tools":{"components":[{"name":"cupel","type":"application","version":"0.1.0"}]}},\
                "serialNumber":"\(number)","specVersion":"1.6","version":1}
                """)
    }

    @Test func theStatementNamesItsDigest() throws {
        let facts = Samples.facts()
        #expect(try BuildRecord(facts.statement()).billOfMaterialsDigest == Digest256(of: facts.billOfMaterials()))
    }

    @Test func theSameFactsInAnotherOrderGiveTheSameBytes() {
        var facts = Samples.facts()
        let twin = ResourceDescriptor(uri: "pkg:cargo/a@1", digest: ["sha256": Samples.digest("twin").hex])
        facts.dependencies.append(twin)
        var other = facts
        other.dependencies.reverse()
        #expect(facts.billOfMaterials() == other.billOfMaterials())
    }

    @Test func theSerialNumberIsOfTheContent() throws {
        let number = try #require(try Self.bill()["serialNumber"]?.stringValue)
        let digits = "[0-9a-f]"
        let form = try Regex("urn:uuid:\(digits){8}-\(digits){4}-8\(digits){3}-[89ab]\(digits){3}-\(digits){12}")
        #expect(try form.wholeMatch(in: number) != nil)
        #expect(try Self.bill { $0.finishedOn = "2026-01-01T00:02:00Z" }["serialNumber"]?.stringValue != number)
        #expect(try Self.bill()["serialNumber"]?.stringValue == number)
    }

    @Test func onlyDigestsOfPlainFilesAreHashes() throws {
        let plain = ["sha256", "sha512", "sha1", "md5"]
        let digits = ["sha256": 64, "sha512": 128, "sha1": 40, "md5": 32, "dirHash": 64, "gitCommit": 40]
        let digest = digits.mapValues { String(repeating: "0", count: $0) }
        var dependency = ResourceDescriptor(uri: "pkg:cargo/a@1", digest: digest)
        let hashes = try Self.component(dependency)["hashes"]?.arrayValue?.map { $0["alg"]?.stringValue }
        #expect(hashes == ["MD5", "SHA-1", "SHA-256", "SHA-512"])
        let names = { (json: JSONValue) in json["properties"]?.arrayValue?.map { $0["name"]?.stringValue } }
        #expect(names(try Self.component(dependency)) == ["cupel:digest:dirHash", "cupel:digest:gitCommit"])
        dependency.mediaType = "application/x-nix-archive"
        let archive = try Self.component(dependency)
        #expect(archive["hashes"] == nil)
        let all = (plain + ["dirHash", "gitCommit"]).map { "cupel:digest:\($0)" } + ["cupel:mediaType"]
        #expect(names(archive) == all.sorted())
        dependency = ResourceDescriptor(uri: "pkg:cargo/a@1", digest: ["sha1": "00"])
        #expect(try Self.component(dependency)["hashes"] == nil)
    }

    @Test(arguments: [
        ("pkg:github/NixOS/nixpkgs@\(Samples.commit)", "NixOS", "nixpkgs", Samples.commit),
        ("pkg:npm/%40scope/a%20b@1.0%2B1", "@scope", "a b", "1.0+1"),
        ("pkg:cargo/a", nil, "a", nil),
        ("pkg:golang/example.com/x/y@v1#sub", "example.com/x", "y", "v1"),
        ("pkg:generic/a@1?download_url=https://example.com/a@b", nil, "a", "1"),
    ])
    func packageURLsAreTakenApart(uri: String, group: String?, name: String, version: String?) throws {
        let component = try Self.component(Samples.input(uri))
        #expect(component["group"]?.stringValue == group && component["name"]?.stringValue == name)
        #expect(component["version"]?.stringValue == version && component["purl"]?.stringValue == uri)
    }

    @Test(arguments: ["https://example.com/a.tar.gz", "pkg:cargo", "pkg:cargo/%zz", "pkg:", "a"])
    func otherURIsAreProperties(uri: String) throws {
        let component = try Self.component(
            ResourceDescriptor(name: "a", uri: uri, digest: ["sha256": Samples.digest("a").hex]))
        #expect(component["purl"] == nil && component["name"] == "a")
        #expect(component["properties"] == [["name": "cupel:uri", "value": .string(uri)]])
    }

    @Test(arguments: [
        ("https://example.com/a.tar.gz", "distribution", "https://example.com/a.tar.gz"),
        ("git+https://example.com/r@\(Samples.commit)", "vcs", "https://example.com/r"),
        ("git+https://example.com/r", "vcs", "https://example.com/r"),
    ])
    func placesAreExternalReferences(location: String, type: String, url: String) throws {
        let component = try Self.component(
            ResourceDescriptor(
                uri: "pkg:generic/a@1", digest: ["gitCommit": Samples.commit], downloadLocation: location))
        #expect(component["externalReferences"] == [["type": .string(type), "url": .string(url)]])
    }

    @Test(arguments: [
        "https://example.com/a b", "https://example.com/%zz", "https://example.com/<", "https://é.example",
    ])
    func placesThatAreNoURIsAreProperties(location: String) throws {
        let component = try Self.component(
            ResourceDescriptor(uri: "pkg:generic/a@1", digest: ["md5": "00"], downloadLocation: location))
        #expect(component["externalReferences"] == nil)
        #expect(
            component["properties"]?.arrayValue?.contains(["name": "cupel:distribution", "value": .string(location)])
                == true)
    }

    @Test func aQualifierIsAPlaceToo() throws {
        let uri = "pkg:cargo/a@1?vcs_url=git%2Bhttps://example.com/r%40\(Samples.commit)"
        let component = try Self.component(
            ResourceDescriptor(
                uri: uri, digest: ["gitCommit": Samples.commit],
                downloadLocation: "git+https://example.com/r@\(Samples.commit)"))
        #expect(component["externalReferences"] == [["type": "vcs", "url": "https://example.com/r"]])
    }

    @Test func referencesAreUnique() throws {
        let uris = ["pkg:cargo/a@1", "pkg:cargo/a@1", "pkg:cargo/a@1#2", "project"]
        let components = try Self.bill { $0.dependencies = uris.map(Samples.input) }["components"]?.arrayValue
        let references = components?.compactMap { $0["bom-ref"]?.stringValue } ?? []
        #expect(Set(references + ["project"]).count == 5)
    }

    /// In less than a minute: counted from 1 again for each, this would take hours.
    @Test(.timeLimit(.minutes(10))) func manyOfOneAddressAreToldApart() throws {
        let uris = Array(repeating: "pkg:cargo/a@1", count: 30_000) + ["pkg:cargo/a@1#3"]
        let components = try Self.bill { $0.dependencies = uris.map(Samples.input) }["components"]?.arrayValue
        let references = Set(components?.compactMap { $0["bom-ref"]?.stringValue } ?? [])
        #expect(references.count == uris.count)
        #expect(references.contains("pkg:cargo/a@1#30000"))
    }

    @Test func anUploadIsCalledAsItsFile() throws {
        let component = try Self.bill {
            $0.source = ResolvedSource(
                descriptor: ResourceDescriptor(
                    name: "tool.tar.gz", digest: ["sha256": Samples.digest("x").hex], annotations: ["a": [1]]),
                externalParameters: ["name": "tool.tar.gz"])
        }["metadata"]?["component"]
        #expect(component?["name"] == "tool" && component?["version"] == nil && component?["hashes"] == nil)
        #expect(component?["properties"]?.arrayValue?.contains(["name": "cupel:annotation:a", "value": "[1]"]) == true)
    }
}
