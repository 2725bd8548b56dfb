// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Provenance
import StrictJSON
import Testing
import Verification

@Suite struct KeptLinkTests {
    private static func bundle(_ touched: @escaping (inout BundleContents) -> Void = { _ in }) -> MadeBundle {
        var bundle = MadeBundle()
        bundle.facts.links = [
            ArtifactLink(name: "lib64", target: "lib"), ArtifactLink(name: "lib/now", target: "../probe"),
        ]
        bundle.touched = touched
        return bundle
    }

    @Test func statedLinksArePartOfABundle() throws {
        let report = try Self.bundle().verify()
        #expect(report.verdict == .verified)
        #expect(report.lines.contains { $0.step == 6 && $0.name == "links" && $0.status == .passed })
        #expect(report.links.map(\.name) == ["lib/now", "lib64"])
        #expect(report.json["links"]?.arrayValue?.first == ["name": "lib/now", "target": "../probe"])
    }

    @Test func withoutLinksThereIsNoLineOfThem() throws {
        #expect(try !MadeBundle().verify().lines.contains { $0.name == "links" })
    }

    private static let link = "artifacts/lib64"

    static let changes: [(name: String, codes: [String], change: @Sendable (inout BundleContents) -> Void)] = [
        ("a stated link is missing", ["file.missing"], { $0.remove(link) }),
        ("a stated link leads elsewhere", ["file.link"], { $0.change(link) { $0.kind = .link(target: "./lib") } }),
        ("a stated link is a file", ["file.link"], { $0.change(link) { $0 = MadeBundle.file(link, [1]) } }),
        ("a stated link is a pipe", ["file.link"], { $0.change(link) { $0.kind = .other } }),
        ("a stated link is there twice", ["file.twice"], { $0.files += $0.files.filter { $0.path == link } }),
        (
            "a stated link is a folder", ["file.missing", "file.unnamed"],
            { $0.change(link) { $0 = MadeBundle.file(link + "/l.so", [1]) } }
        ),
        (
            "a link more", ["file.unnamed"],
            { $0.files.append(BundleFile(path: "artifacts/x", kind: .link(target: "probe"), size: 0, sha256: nil)) }
        ),
        (
            "a link that looks the same", ["file.link"],
            { $0.change("artifacts/lib/now") { $0.kind = .link(target: "../prob\u{435}") } }
        ),
        (
            "collateral that is a link", ["file.kind"],
            { $0.files.append(BundleFile(path: "collateral/x", kind: .link(target: "y"), size: 0, sha256: nil)) }
        ),
    ]

    @Test(arguments: changes.indices)
    func changedLinksAreRefused(index: Int) throws {
        let row = Self.changes[index]
        let report = try Self.bundle(row.change).verify()
        #expect(report.findings.map(\.code.rawValue) == row.codes, "\(row.name)")
        #expect(report.verdict == .refused, "\(row.name)")
    }

    @Test func linksThatLeadOutAreMalformedProvenance() throws {
        var bundle = Self.bundle()
        let (good, bad) = ("\"lib64\":\"lib\"", "\"lib64\":\"..\"")
        let (old, new) = ("{\"lib/now\":\"../probe\",\(good)}", "{\"lib/now\":\"../probe\",\(bad)}")
        bundle.statement = {
            $0.replacing(old, with: new)
                .replacing(Digest256(of: Array(old.utf8)).hex, with: Digest256(of: Array(new.utf8)).hex)
        }
        bundle.touched = { $0.change(Self.link) { $0.kind = .link(target: "..") } }
        let codes = try bundle.verify().findings.map(\.code.rawValue)
        #expect(codes.contains("provenance.malformed"))
    }

    @Test func bundlesWithOtherLinksHoldOtherArtifacts() throws {
        var other = Self.bundle()
        other.facts.links[0] = ArtifactLink(name: "lib64", target: "./lib")
        var policy = VerificationPolicy()
        policy.appraisal.acceptSoftwareUnsafely = true
        let bundles = [Self.bundle(), other, MadeBundle()].map { try? $0.contents() }.map {
            NamedBundle(name: "a", contents: $0 ?? BundleContents(provenance: [], evidence: [], files: []))
        }
        #expect(verify([bundles[0], bundles[0]], policy: policy).verdict == .verified)
        for bundle in bundles.dropFirst() {
            #expect(verify([bundles[0], bundle], policy: policy).findings.map(\.code) == [.joinSubjects])
        }
    }
}
