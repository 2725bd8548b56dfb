// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

@Suite struct BuildRecordTests {
    @Test func whatWasStatedIsReadBack() throws {
        let facts = Samples.facts()
        let record = try BuildRecord(facts.statement())
        #expect(record.buildType == facts.buildType && record.nonceHex == "00ff" && record.isolation == "sandbox")
        #expect(record.tools.map(\.name) == ["cargo", "rustc"])
        #expect(record.resolvedDependencies.count == 4 && record.builderID == facts.builderID)
        #expect(record.invocationID == "job" && record.startedOn == facts.startedOn)
        #expect(record.finishedOn == facts.finishedOn && record.logDigest == facts.logDigest)
        #expect(record.inputMerkleRoot == InputTree(record).root)
    }

    /// `json` without the member at `path`.
    private static func removing(_ path: ArraySlice<String>, from json: JSONValue) -> JSONValue {
        guard let key = path.first, var members = json.objectValue else { return json }
        members[key] = path.count == 1 ? nil : members[key].map { removing(path.dropFirst(), from: $0) }
        return .object(members)
    }

    @Test(arguments: [
        "buildDefinition", "buildDefinition/buildType", "buildDefinition/externalParameters",
        "buildDefinition/externalParameters/nonce", "buildDefinition/internalParameters",
        "buildDefinition/internalParameters/isolation", "buildDefinition/internalParameters/tools",
        "buildDefinition/resolvedDependencies", "runDetails", "runDetails/builder", "runDetails/builder/id",
        "runDetails/metadata", "runDetails/metadata/invocationId", "runDetails/metadata/startedOn",
        "runDetails/metadata/finishedOn", "runDetails/byproducts",
    ])
    func everyFieldIsNeeded(path: String) throws {
        let statement = try Samples.facts().statement()
        let keys = path.split(separator: "/").map(String.init)
        let changed = Statement(
            subjects: statement.subjects, predicateType: statement.predicateType,
            predicate: Self.removing(keys[...], from: statement.predicate))
        let error = #expect(throws: MalformedBytes.self) { try BuildRecord(changed) }
        #expect(error?.field == keys.last)
    }

    private static func replacing(_ old: String, by new: String) throws -> Statement {
        let text = String(decoding: try Samples.facts().statement().canonicalBytes, as: UTF8.self)
        #expect(text.contains(old))
        return try Statement(parsing: Array(text.replacing(old, with: new).utf8))
    }

    @Test(arguments: [
        ("another predicate", "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2", "predicateType"),
        ("dependencies out of order", "pkg:cargo/a@1", "pkg:cargo/c@1", "resolvedDependencies"),
        ("tools out of order", "\"name\":\"cargo\"", "\"name\":\"zargo\"", "tools"),
        ("no root", "\"input_merkle_root\"", "\"other\"", "byproducts"),
        ("two roots", "\"build.log\"", "\"input_merkle_root\"", "byproducts"),
        ("no log", "\"build.log\"", "\"other\"", "byproducts"),
        ("two bills of materials", "\"build.log\"", "\"sbom.cdx.json\"", "byproducts"),
    ])
    func everythingElseIsRefused(name: String, old: String, new: String, field: String) throws {
        let statement = try Self.replacing(old, by: new)
        let error = #expect(throws: MalformedBytes.self) { try BuildRecord(statement) }
        #expect(error?.field == field)
    }

    @Test func aBillOfMaterialsWithoutASHA256IsRefused() throws {
        let bill = Digest256(of: Samples.facts().billOfMaterials()).hex
        let statement = try Self.replacing("{\"sha256\":\"\(bill)\"}", by: "{\"sha512\":\"\(bill)\(bill)\"}")
        #expect(throws: MalformedBytes.self) { try BuildRecord(statement) }
    }

    /// As of releases that made none.
    @Test func aBillOfMaterialsMayBeMissing() throws {
        let statement = try Self.replacing("\"sbom.cdx.json\"", by: "\"other\"")
        #expect(try BuildRecord(statement).billOfMaterialsDigest == nil)
    }

    @Test func fieldsThatSLSAAddsLaterAreIgnored() throws {
        let statement = try Self.replacing("\"metadata\":{", by: "\"metadata\":{\"later\":1,")
        #expect(throws: Never.self) { try BuildRecord(statement) }
    }
}
