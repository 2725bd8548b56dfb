// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

@Suite struct InputProofCheckTests {
    private static func tree(_ bundle: MadeBundle = MadeBundle()) throws -> InputTree {
        InputTree(try BuildRecord(Statement(parsing: bundle.contents().provenance)))
    }

    private static func file(_ index: Int = 1, of tree: InputTree) throws -> InputProofFile {
        let proof = try #require(InputProof(of: index, in: tree))
        return InputProofFile(name: "proof.json", bytes: proof.canonicalBytes)
    }

    private static func report(_ proofs: [InputProofFile], on bundle: MadeBundle = MadeBundle()) throws
        -> VerificationReport
    {
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = true
        policy.inputProofs = proofs
        return try bundle.verify(policy: policy)
    }

    @Test func proofsOfABundleVerifyWithIt() throws {
        let tree = try Self.tree()
        let proofs = try tree.leaves.indices.map { try Self.file($0, of: tree) }
        let report = try Self.report(proofs)
        #expect(report.verdict == .verified)
        let lines = report.lines.filter { $0.name == "input proof" }
        #expect(lines.count == 4 && lines.allSatisfy { $0.step == 7 && $0.status == .passed })
        #expect(lines[1].compared.contains("'Cargo.lock'"))
    }

    @Test func noFlippedBitVerifiesWithTheBundle() throws {
        let good = try Self.file(of: Self.tree()).bytes
        let files = (0..<(good.count * 8)).map { bit in
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            return InputProofFile(name: "\(bit)", bytes: bytes)
        }
        let lines = try Self.report(files).lines.filter { $0.name == "input proof" }
        #expect(lines.count == files.count && lines.allSatisfy { $0.status == .failed })
    }

    /// The text of a proof with one member changed.
    private static func changed(_ change: (inout [String: JSONValue]) -> Void) throws -> InputProofFile {
        var members = try #require(JSONValue(parsing: file(of: tree()).bytes).objectValue)
        change(&members)
        return InputProofFile(name: "proof.json", bytes: JSONValue.object(members).canonicalBytes)
    }

    @Test func eachCheckHasItsCode() throws {
        var other = MadeBundle()
        other.facts.invocationID = "other"
        other.facts.lockfile.annotations = ["a": 1]
        let rows: [(InputProofFile, [String])] = [
            (InputProofFile(name: "x", bytes: [0x78]), ["input-proof.malformed"]),
            (try Self.file(of: Self.tree(other)), ["input-proof.root"]),
            (
                try Self.changed { $0["input"] = ["digest": ["sha256": .string(Digest256(of: []).hex)]] },
                ["input-proof.path"]
            ),
            (try Self.changed { $0["treeSize"] = 3 }, ["input-proof.size"]),
        ]
        for (file, codes) in rows {
            let report = try Self.report([file])
            #expect(report.findings.map(\.code.rawValue) == codes && report.exitCode == 1)
        }
    }

    /// The only check that knows how many inputs there are.
    @Test func anotherSizeIsRefusedWhereThePathStillLeadsToTheRoot() throws {
        var bundle = MadeBundle()
        bundle.facts.dependencies = (1...2).map {
            ResourceDescriptor(uri: "pkg:cargo/a@\($0)", digest: ["sha256": Digest256(of: []).hex])
        }
        let tree = try Self.tree(bundle)
        #expect(tree.leaves.count == 6)
        var members = try #require(JSONValue(parsing: Self.file(of: tree).bytes).objectValue)
        members["treeSize"] = 7
        let file = InputProofFile(name: "x", bytes: JSONValue.object(members).canonicalBytes)
        #expect(try Self.report([file], on: bundle).findings.map(\.code) == [.inputProofSize])
        #expect(verify([file], inputMerkleRoot: tree.root).verdict == .verified)
    }

    @Test func withoutARootNothingIsDecided() throws {
        var bundle = MadeBundle()
        bundle.statement = { $0.replacing("https://github.com/cupel-build/", with: "https://example.com/") }
        bundle.touched = { $0.removeFilesOfOurs() }
        let report = try Self.report([Self.file(of: Self.tree())], on: bundle)
        #expect(report.exitCode == 2)
        #expect(report.obstacles.map(\.code).contains(.noInputRoot))
    }

    @Test func proofsAloneVerifyAgainstTheirRoot() throws {
        let tree = try Self.tree()
        let report = verify([try Self.file(of: tree), try Self.file(3, of: tree)], inputMerkleRoot: tree.root)
        #expect(report.verdict == .verified && report.exitCode == 0)
        #expect(report.inputs.map(\.name) == ["Cargo.lock", "rustc"])
        #expect(report.text(colour: false).contains("not proved"))
        #expect(report.json["inputs"]?.arrayValue?.count == 2 && report.json["verdict"] == "verified")
    }

    @Test func oneBadProofRefusesAll() throws {
        let tree = try Self.tree()
        let bad = InputProofFile(name: "\u{1B}[2J", bytes: [])
        let report = verify([try Self.file(of: tree), bad], inputMerkleRoot: tree.root)
        #expect(report.exitCode == 1 && report.inputs.isEmpty && report.lines.map(\.status) == [.passed, .failed])
        #expect(!report.text(colour: false).contains("\u{1B}"))
        #expect(
            verify([try Self.file(of: tree)], inputMerkleRoot: Digest256(of: [])).findings.map(\.code) == [
                .inputProofRoot
            ])
        #expect(verify([], inputMerkleRoot: tree.root).verdict != .verified)
    }
}
