// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

@Suite struct BuildFactsTests {
    @Test func theStatementIsSortedAndCanonical() throws {
        let statement = try Samples.facts().statement()
        let definition = statement.predicate["buildDefinition"]
        let uris = definition?["resolvedDependencies"]?.arrayValue?.map { $0["uri"]?.stringValue }
        #expect(uris == ["git+https://example.com/p@main", nil, "pkg:cargo/a@1", "pkg:cargo/b@1"])
        let tools = definition?["internalParameters"]?["tools"]?.arrayValue?.map { $0["name"]?.stringValue }
        #expect(tools == ["cargo", "rustc"])
        #expect(statement.subjects.map(\.name) == ["lib/a.so", "z"])
        let bytes = statement.canonicalBytes
        #expect(try JSONValue(parsing: bytes).canonicalBytes == bytes)
        #expect(try Statement(parsing: bytes) == statement)
    }

    /// The whole text: other tools read it.
    @Test func theTextIsSLSAProvenance() throws {
        let text = String(decoding: try Samples.facts().statement().canonicalBytes, as: UTF8.self)
        func sha256(_ name: String) -> String { "{\"sha256\":\"\(Samples.digest(name).hex)\"}" }
        let tools = ["cargo", "rustc"].map {
            "{\"annotations\":{\"version\":\"1\"},\"digest\":\(sha256($0)),\"name\":\"\($0)\"}"
        }
        let bill = Digest256(of: Samples.facts().billOfMaterials())
        let root = InputTree(try BuildRecord(Samples.facts().statement())).root
        #expect(
            text == """
                {"_type":"https://in-toto.io/Statement/v1","predicate":{"buildDefinition":{\
                "buildType":"https://github.com/cupel-build/cupel/blob/main/docs/build-types/cargo-v1.md",\
                "externalParameters":{"nonce":"00ff","source":{"ref":"main","uri":"git+https://example.com/p"}},\
                "internalParameters":{"attempt":1,"commandLine":["cargo","build"],\
                "environment":{"LC_ALL":"C.UTF-8"},"isolation":"sandbox",\
                "phases":[{"commandLine":["cargo","build"],"name":"build","network":false}],\
                "sandbox":{"seccomp":true},"tools":[\(tools[0]),\(tools[1])]},\
                "resolvedDependencies":[\
                {"digest":{"gitCommit":"\(Samples.commit)","gitTree":"\(Samples.commit)"},\
                "uri":"git+https://example.com/p@main"},\
                {"digest":\(sha256("lock")),"name":"Cargo.lock"},\
                {"digest":\(sha256("pkg:cargo/a@1")),"uri":"pkg:cargo/a@1"},\
                {"digest":\(sha256("pkg:cargo/b@1")),"uri":"pkg:cargo/b@1"}]},\
                "runDetails":{"builder":{"id":"https://example.com/builder","version":{"cupel":"0.1.0"}},\
                "byproducts":[{"digest":{"sha256":"\(root)"},"name":"input_merkle_root"},\
                {"digest":\(sha256("log")),"mediaType":"text/plain","name":"build.log"},\
                {"digest":{"sha256":"\(bill)"},"mediaType":"application/vnd.cyclonedx+json",\
                "name":"sbom.cdx.json"}],\
                "metadata":{"finishedOn":"2026-01-01T00:01:00Z","invocationId":"job",\
                "startedOn":"2026-01-01T00:00:00Z"}}},\
                "predicateType":"https://slsa.dev/provenance/v1",\
                "subject":[{"digest":\(sha256("a")),"name":"lib/a.so"},{"digest":\(sha256("z")),"name":"z"}]}
                """)
    }

    @Test func theSameFactsInAnotherOrderGiveTheSameBytes() throws {
        var facts = Samples.facts()
        facts.dependencies.reverse()
        facts.tools.reverse()
        facts.subjects.reverse()
        #expect(try facts.statement().canonicalBytes == Samples.facts().statement().canonicalBytes)
    }

    /// Facts that prove nothing, and the field that says so.
    struct Defect: Sendable {
        let name: String
        let field: String
        let change: @Sendable (inout BuildFacts) -> Void

        init(_ name: String, _ field: String, _ change: @escaping @Sendable (inout BuildFacts) -> Void) {
            self.name = name
            self.field = field
            self.change = change
        }
    }

    @Test(arguments: [
        Defect("no artifact", "subject") { $0.subjects = [] },
        Defect("two artifacts of one name", "subject") { $0.subjects.append($0.subjects[0]) },
        Defect("an artifact that leads elsewhere", "subject") {
            $0.subjects = [Subject(name: "../x", sha256: Samples.digest("x"))]
        },
        Defect("a dependency without a digest", "resolvedDependencies") { $0.dependencies[0].digest = [:] },
        Defect("a dependency with a base64 digest", "digest") {
            $0.dependencies[0].digest = ["sha256": "47DEQpj8HBQ="]
        },
        Defect("a source without a digest", "resolvedDependencies") { $0.source.descriptor.digest = [:] },
        Defect("a lockfile without a digest", "resolvedDependencies") { $0.lockfile.digest = [:] },
        Defect("a tool without a digest", "tools") { $0.tools[0].digest = [:] },
    ])
    func factsThatProveNothingAreRefused(defect: Defect) {
        var facts = Samples.facts()
        defect.change(&facts)
        let error = #expect(throws: MalformedBytes.self, "\(defect.name)") { try facts.statement() }
        #expect(error?.field == defect.field, "\(defect.name)")
    }

    @Test func aLaunchMeasurementIsAByproduct() throws {
        var facts = Samples.facts()
        facts.launchMeasurement = String(repeating: "00", count: 48)
        let byproducts = try facts.statement().predicate["runDetails"]?["byproducts"]?.arrayValue
        #expect(byproducts?.last?["name"] == "launch_measurement" && byproducts?.count == 4)
    }
}
