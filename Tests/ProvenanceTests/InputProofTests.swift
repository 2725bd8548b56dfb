// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON
import Testing

@Suite struct InputProofTests {
    private static func tree(dependencies count: Int = 2) throws -> InputTree {
        var facts = Samples.facts()
        facts.dependencies = (0..<count).map { Samples.input("pkg:cargo/d\($0)@1.0.\($0)") }
        return InputTree(try BuildRecord(facts.statement()))
    }

    private static func proof(_ index: Int = 3) throws -> InputProof {
        try #require(InputProof(of: index, in: tree()))
    }

    @Test(arguments: [0, 1, 2, 5, 12])
    func everyInputIsProved(dependencies: Int) throws {
        let tree = try Self.tree(dependencies: dependencies)
        for index in tree.leaves.indices {
            let proof = try #require(InputProof(of: index, in: tree))
            #expect(proof.leadsToItsRoot && proof.inputMerkleRoot == tree.root && proof.input == tree.leaves[index])
            #expect(try InputProof(parsing: proof.canonicalBytes) == proof)
        }
        #expect(InputProof(of: tree.leaves.count, in: tree) == nil && InputProof(of: -1, in: tree) == nil)
    }

    @Test func theTextIsAsDocumented() throws {
        let proof = try Self.proof()
        let path = proof.auditPath.map { "\"\($0)\"" }.joined(separator: ",")
        let digest = Samples.digest("pkg:cargo/d0@1.0.0")
        #expect(
            String(decoding: proof.canonicalBytes, as: UTF8.self) == """
                {"auditPath":[\(path)],"input":{"digest":{"sha256":"\(digest)"},"uri":"pkg:cargo/d0@1.0.0"},\
                "inputMerkleRoot":"\(proof.inputMerkleRoot)","leafIndex":3,"treeSize":7,"type":"cupel input proof",\
                "version":1}
                """)
    }

    private static func changed(_ change: (inout [String: JSONValue]) -> Void) throws -> [UInt8] {
        var members = try #require(JSONValue(parsing: proof().canonicalBytes).objectValue)
        change(&members)
        return JSONValue.object(members).canonicalBytes
    }

    @Test(
        arguments: [
            ("another type", "type", "cupel output proof"),
            ("another version", "version", 2),
            ("a version that is a text", "version", "1"),
            ("an input that is no object", "input", []),
            (
                "an input with an unknown field", "input",
                ["digest": ["sha256": .string(Samples.digest("x").hex)], "x": 1]
            ),
            ("an empty tree", "treeSize", 0),
            ("a size that is not whole", "treeSize", .number(7.5)),
            ("a size beyond what is exact", "treeSize", .number(1e300)),
            ("a negative index", "leafIndex", -1),
            ("an index that is the size", "leafIndex", 7),
            ("an index beyond it", "leafIndex", 700),
            ("an index that is a text", "leafIndex", "3"),
            ("a path that is no list", "auditPath", "00"),
            ("no path", "auditPath", []),
            ("a path of numbers", "auditPath", [1, 2, 3]),
            ("short digests", "auditPath", ["00", "00", "00"]),
            ("a root in upper case", "inputMerkleRoot", .string(Samples.digest("x").hex.uppercased())),
            ("a short root", "inputMerkleRoot", "00"),
            ("an unknown field", "more", 1),
        ] as [(String, String, JSONValue)])
    func everythingElseIsRefused(name: String, field: String, value: JSONValue) throws {
        let bytes = try Self.changed { $0[field] = value }
        #expect(throws: MalformedBytes.self, "\(name)") { try InputProof(parsing: bytes) }
    }

    @Test(arguments: ["type", "version", "input", "leafIndex", "treeSize", "auditPath", "inputMerkleRoot"])
    func everyFieldIsNeeded(field: String) throws {
        let bytes = try Self.changed { $0[field] = nil }
        #expect(throws: MalformedBytes.self) { try InputProof(parsing: bytes) }
    }

    @Test func aPathOfAnotherLengthIsRefused() throws {
        for (index, last) in [(3, 3), (6, 2)] {
            let proof = try Self.proof(index)
            #expect(proof.auditPath.count == last)
            for count in [last - 1, last + 1, 64, 10_000] {
                let path = (0..<count).map { JSONValue.string(proof.auditPath[$0 % last].hex) }
                let bytes = try Self.changed {
                    $0["leafIndex"] = .integer(index)
                    $0["auditPath"] = .array(path)
                }
                #expect(throws: MalformedBytes.self) { try InputProof(parsing: bytes) }
            }
        }
    }

    @Test func onlyTheCanonicalSpellingIsRead() throws {
        let text = String(decoding: try Self.proof().canonicalBytes, as: UTF8.self)
        for other in [text + "\n", " " + text, text + "x", text.replacing("\"version\":1", with: "\"version\":1.0")] {
            #expect(throws: MalformedBytes.self) { try InputProof(parsing: Array(other.utf8)) }
        }
        for length in 0..<text.utf8.count {
            #expect(throws: MalformedBytes.self) { try InputProof(parsing: Array(text.utf8.prefix(length))) }
        }
    }

    /// A root says nothing of how many leaves there are; all else in a proof it does.
    @Test func noFlippedBitShowsAnotherInput() throws {
        let proof = try Self.proof()
        let good = proof.canonicalBytes
        for bit in 0..<(good.count * 8) {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let changed = try? InputProof(parsing: bytes), changed.leadsToItsRoot,
                changed.inputMerkleRoot == proof.inputMerkleRoot
            else { continue }
            #expect(changed.input == proof.input && changed.treeSize != proof.treeSize, "bit \(bit)")
        }
    }

    @Test(arguments: [
        ("pkg:cargo/a@1.2.0", ["pkg:cargo/a@1.2.0"]),
        ("pkg:cargo/a", ["pkg:cargo/a@1.2.0"]),
        ("pkg:cargo/b", ["pkg:cargo/b@1", "pkg:cargo/b@2?vcs_url=git%2Bhttps://example.com/b"]),
        ("pkg:cargo/b@2", ["pkg:cargo/b@2?vcs_url=git%2Bhttps://example.com/b"]),
        ("pkg:npm/%40scope/name", ["pkg:npm/%40scope/name@3"]),
        ("pkg:cargo/", []), ("pkg:cargo", []), ("pkg:cargo/A", []), ("pkg:cargo/a@1", []), ("", []),
        ("Cargo.lock", [nil]), ("rustc", [nil]), ("gitCommit:\(Samples.commit)", ["git+https://example.com/p@main"]),
        ("git+https://example.com/p@main", ["git+https://example.com/p@main", "git+https://example.com/p@main"]),
        ("sha256:\(Samples.digest("lock"))", [nil]), ("sha256:00", []),
    ])
    func inputsAreFoundByWhatTheyAreCalled(text: String, uris: [String?]) throws {
        var facts = Samples.facts()
        facts.dependencies = [
            "pkg:cargo/a@1.2.0", "pkg:cargo/b@1", "pkg:cargo/b@2?vcs_url=git%2Bhttps://example.com/b",
            "pkg:npm/%40scope/name@3",
        ].map(Samples.input)
        let tree = InputTree(try BuildRecord(facts.statement()))
        #expect(tree.leafIndices(named: text).map { tree.leaves[$0].uri } == uris)
    }
}
