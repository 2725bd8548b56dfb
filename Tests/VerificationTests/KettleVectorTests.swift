// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Provenance
import StrictJSON
import TestVectors
import Testing
import Verification

/// The published bundles of Kettle, of both generations, and what was made of them: every fact of their index.
@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct KettleVectorTests {
    private struct Vector {
        let id: String
        let expected: [String: JSONValue]
        let provenance: [UInt8]
        let evidence: [UInt8]?
        let json: JSONValue

        init(_ json: JSONValue) throws {
            self.json = json
            id = json["id"]?.stringValue ?? ""
            expected = json["expected"]?.objectValue ?? [:]
            provenance = try SharedVectors.bytes("kettle/" + #require(json["files"]?["provenance"]?.stringValue))
            evidence = try json["files"]?["evidence"]?.stringValue.map { try SharedVectors.bytes("kettle/\($0)") }
        }

        /// With an artifact for every subject; the vectors hold none.
        func bundle(_ evidence: [UInt8]) throws -> BundleContents {
            var files = [MadeBundle.file("provenance.json", provenance), MadeBundle.file("evidence.json", evidence)]
            for subject in try Statement(parsing: provenance).subjects {
                files.append(
                    BundleFile(path: "artifacts/\(subject.name)", kind: .regular, size: 1, sha256: subject.sha256))
            }
            return BundleContents(provenance: provenance, evidence: evidence, files: files)
        }
    }

    private static let vectors = SharedVector.all("kettle", check: "kettle")

    @Test func allAreThere() { #expect(Self.vectors.count == 9) }

    @Test(arguments: vectors)
    func factsOfTheProvenanceAreAsIndexed(row: SharedVector) throws {
        let vector = try Vector(row.json)
        let value = try JSONValue(parsing: vector.provenance)
        let statement = try Statement(parsing: vector.provenance)
        let definition = statement.predicate["buildDefinition"]
        let raw = Digest256(of: vector.provenance).hex
        let facts: [String: JSONValue] = [
            "provenance_raw_sha256": .string(raw), "payload_sha256": .string(raw),
            "provenance_compact_sha256": .string(Digest256(of: CompactJSON.bytes(of: vector.provenance)).hex),
            "provenance_pretty_sha256": .string(Digest256(of: PrettyJSON.bytes(of: vector.provenance)).hex),
            "provenance_jcs_sha256": .string(Digest256(of: value.canonicalBytes).hex),
            "key_order": .array(PrettyJSON.keys(of: vector.provenance).map(JSONValue.string)),
            "statement_type": .string(Statement.type), "predicate_type": .string(statement.predicateType),
            "statement_well_formed": true, "slsa_build_type": definition?["buildType"] ?? .null,
            "slsa_builder_id": statement.predicate["runDetails"]?["builder"]?["id"] ?? .null,
            "subjects": .array(
                statement.subjects.map { ["name": .string($0.name), "digest": ["sha256": .string($0.sha256.hex)]] }),
            // No vector brings an artifact along.
            "artifacts": [:],
        ]
        for (key, fact) in facts {
            if let wanted = vector.expected[key] { #expect(fact == wanted, "\(vector.id) \(key)") }
        }
        let ofEvidence: Set = [
            "extra_data_len", "extra_data_tail", "attested_digest", "binding", "bound", "evidence_overall_valid",
            "bundle_valid",
        ]
        #expect(Set(vector.expected.keys).subtracting(facts.keys).isSubset(of: ofEvidence), "\(vector.id)")
        let files = vector.json["sha256"]?.objectValue ?? [:]
        #expect(files.contains { $0.key.hasSuffix("provenance.json") && $0.value == .string(raw) })
    }

    @Test(arguments: vectors)
    func factsOfTheBindingAreAsIndexed(row: SharedVector) throws {
        let vector = try Vector(row.json)
        guard let evidence = vector.evidence else {
            // Nothing binds it, so no bundle can be made of it.
            return #expect(vector.expected["bundle_valid"] == false)
        }
        let quote = try AzureEvidence(EvidenceEnvelope(parsing: evidence).evidence).quote
        let digest = Array(quote.extraData.prefix(32))
        let forms = [
            ("compact", CompactJSON.bytes(of: vector.provenance)), ("raw", vector.provenance),
            ("pretty", PrettyJSON.bytes(of: vector.provenance)),
        ]
        let binding = forms.filter { Digest256(of: $0.1).bytes == digest }.map { JSONValue.string($0.0) }
        let facts: [String: JSONValue] = [
            "extra_data_len": .integer(quote.extraData.count), "attested_digest": .string(Hex.encode(digest)),
            "extra_data_tail": .string(Hex.encode(quote.extraData.dropFirst(32))), "binding": .array(binding),
            "bound": .bool(!binding.isEmpty),
        ]
        for (key, fact) in facts {
            if let wanted = vector.expected[key] { #expect(fact == wanted, "\(vector.id) \(key)") }
        }
    }

    @Test(arguments: vectors)
    func bundlesAreVerifiedAsIndexed(row: SharedVector) throws {
        let vector = try Vector(row.json)
        guard let evidence = vector.evidence else { return }
        var policy = VerificationPolicy()
        policy.appraisal.acceptAnyMeasurementUnsafely = true
        // 2026-06-01, after the builds.
        policy.now = 1_780_272_000
        policy.timeSource = .given
        let report = verify(try vector.bundle(evidence), policy: policy)
        let isValid = vector.expected["bundle_valid"] == true
        #expect(report.exitCode == (isValid ? 0 : 1), "\(vector.id): \(report.text(colour: false))")
        let format = try #require(report.lines.first)
        #expect(format.step == 1 && format.status == .passed, "\(vector.id)")
        let line = try #require(report.lines.first { $0.name == "binding" })
        let binding = (vector.expected["binding"]?.arrayValue ?? []).compactMap(\.stringValue)
        #expect((line.status == .passed) == !binding.isEmpty, "\(vector.id)")
        #expect(line.compared.contains("as it lies there") == binding.contains("raw"), "\(vector.id)")
        #expect(line.compared.contains("in compact form") == binding.contains("compact"), "\(vector.id)")
        let isBoundOnly = report.findings.map(\.code) == [.notBound]
        #expect(isBoundOnly == (binding.isEmpty && vector.expected["evidence_overall_valid"] == true), "\(vector.id)")
        guard isValid else { return }
        #expect(report.lines.contains { $0.name == "nonce" && $0.compared.contains("carries none") }, "\(vector.id)")
        #expect(report.doesNotProve.contains { $0.contains("2026-06-01T00:00:00Z") }, "\(vector.id)")
        #expect(report.buildLevel == .one)
    }
}

/// JSON as serde_json prints it for people: two spaces a level, one member a line.
private enum PrettyJSON {
    static func bytes(of bytes: [UInt8]) -> [UInt8] {
        var pretty: [UInt8] = []
        var depth = 0
        var isInString = false
        var isEscaped = false
        let compact = CompactJSON.bytes(of: bytes)
        for (index, byte) in compact.enumerated() {
            if isInString {
                pretty.append(byte)
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            let next = index + 1 < compact.count ? compact[index + 1] : 0
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                pretty.append(byte)
                depth += 1
                if next != byte + 2 { pretty += newLine(depth) }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if compact[index - 1] != byte - 2 { pretty += newLine(depth) }
                pretty.append(byte)
            case UInt8(ascii: ","): pretty += [byte] + newLine(depth)
            case UInt8(ascii: ":"): pretty += [byte, 0x20]
            default:
                isInString = byte == UInt8(ascii: "\"")
                pretty.append(byte)
            }
        }
        return pretty
    }

    /// The keys of the outermost object, in the order of the text.
    static func keys(of bytes: [UInt8]) -> [String] {
        String(decoding: self.bytes(of: bytes), as: UTF8.self).split(separator: "\n").filter {
            $0.hasPrefix("  \"")
        }.map { String($0.dropFirst(3).prefix { $0 != "\"" }) }
    }

    private static func newLine(_ depth: Int) -> [UInt8] { [0x0A] + [UInt8](repeating: 0x20, count: 2 * depth) }
}
