// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Provenance
import StrictJSON
import Testing
import Verification

/// One change to a good bundle, and the only reasons that it may be refused for: each check has a row that no other
/// check refuses.
struct Tampering: Sendable, CustomTestStringConvertible {
    let name: String
    let codes: [String]
    let nonce: String?
    let exitCode: Int32
    let change: @Sendable (inout MadeBundle) throws -> Void

    init(
        _ name: String, _ codes: String..., nonce: String? = "abcd", exits exitCode: Int32 = 1,
        _ change: @escaping @Sendable (inout MadeBundle) throws -> Void
    ) {
        self.name = name
        self.codes = codes
        self.nonce = nonce
        self.exitCode = exitCode
        self.change = change
    }

    var testDescription: String { name }

    static let evidence = [
        Tampering("evidence that is no JSON", "evidence.malformed", "provenance.not-canonical") {
            $0.touched = { $0.evidence = [0x78] }
        },
        Tampering("evidence with a field too many", "evidence.malformed") {
            $0.touched = { $0.evidence = edited($0.evidence, "{\"evidence\":{", "{\"evidence\":{\"a\":1,") }
        },
        Tampering("an unknown platform", "evidence.unknown-platform", exits: 2) {
            $0.touched = { $0.evidence = edited($0.evidence, "\"software\"", "\"sgx\"") }
        },
        Tampering("evidence signed by another key", "software.signature") {
            $0.touched = {
                let data = try? ReportData(provenanceDigest: Digest256(of: $0.provenance), nonce: [0xAB, 0xCD])
                guard let data,
                    let other = try? SoftwareEvidence(signing: data, privateKey: [UInt8](repeating: 8, count: 32)),
                    let mine = try? EvidenceEnvelope(parsing: $0.evidence), let good = try? SoftwareEvidence(mine)
                else { return }
                $0.evidence =
                    SoftwareEvidence(
                        reportData: data, publicKey: good.publicKey, signature: other.signature
                    ).envelope.canonicalBytes
            }
        },
        Tampering("evidence with white space", "provenance.not-canonical") {
            $0.touched = { $0.evidence.append(0x0A) }
        },
    ]

    static let binding = [
        Tampering("the provenance of another build", "binding.provenance") {
            var other = MadeBundle()
            other.facts.invocationID = "other"
            let provenance = try other.contents().provenance
            $0.touched = { $0.provenance = provenance }
        },
        Tampering("provenance bound without its white space", "binding.provenance", "provenance.not-canonical") {
            $0.statement = { $0 + "\n" }
            $0.signedBytes = { Array($0.dropLast()) }
        },
        Tampering("evidence with another nonce than the provenance", "binding.nonce", nonce: nil) {
            $0.signedNonce = [0xAB, 0xCE]
        },
        Tampering("evidence with a longer nonce than the provenance", "binding.nonce", nonce: nil) {
            $0.signedNonce = [0xAB, 0xCD, 0x01]
        },
        Tampering("evidence without a nonce", "binding.nonce", nonce: nil) { $0.signedNonce = [] },
        Tampering("a stated nonce that is none", "binding.nonce", nonce: nil) { $0.facts.nonceHex = "" },
        Tampering("another nonce than the one asked for", "binding.freshness", nonce: "abce") { _ in },
        Tampering("a longer nonce than the one asked for", "binding.freshness", nonce: "ab") { _ in },
        Tampering("a shorter nonce than the one asked for", "binding.freshness", nonce: "abcdef") { _ in },
        Tampering("a nonce that only its zeros tell from the one asked for", "binding.freshness", nonce: "ab") {
            $0.facts.nonceHex = "ab00"
            $0.signedNonce = [0xAB, 0x00]
        },
    ]

    static let files = [
        Tampering("a changed artifact", "file.digest") {
            $0.touched = { $0.change("artifacts/probe") { $0.sha256 = Digest256(of: [0]) } }
        },
        Tampering("an artifact that could not be read", "file.digest") {
            $0.touched = { $0.change("artifacts/probe") { $0.sha256 = nil } }
        },
        Tampering("a missing artifact", "file.missing") { $0.touched = { $0.remove("artifacts/lib/l.so") } },
        Tampering("an artifact that is a pipe", "file.kind") {
            $0.touched = { $0.change("artifacts/probe") { $0.kind = .other } }
        },
        Tampering("an artifact that is a link", "file.kind") {
            $0.touched = { $0.change("artifacts/probe") { $0.kind = .link(target: "lib/l.so") } }
        },
        Tampering("an artifact that is there twice", "file.twice") { $0.touched = { $0.add("artifacts/probe") } },
        Tampering("an artifact in the wrong place", "file.missing", "file.unnamed") {
            $0.touched = { $0.change("artifacts/probe") { $0.path = "probe" } }
        },
        Tampering("an artifact under a name that only looks the same", "file.missing", "file.unnamed") {
            $0.artifacts = ["caf\u{E9}": [1]]
            $0.touched = { $0.change("artifacts/caf\u{E9}") { $0.path = "artifacts/cafe\u{301}" } }
        },
        Tampering("an artifact more", "file.unnamed") { $0.touched = { $0.add("artifacts/more") } },
        Tampering("a hidden artifact", "file.unnamed") { $0.touched = { $0.add("artifacts/.hidden") } },
        Tampering("a file more", "file.unnamed") { $0.touched = { $0.add("README") } },
        Tampering("a link more", "file.unnamed") {
            $0.touched = {
                $0.add("link")
                $0.change("link") { $0.kind = .link(target: "artifacts/probe") }
            }
        },
        Tampering("a changed log", "file.digest") {
            $0.touched = { $0.change("build.log") { $0.sha256 = Digest256(of: [0]) } }
        },
        Tampering("a changed bill of materials", "file.digest") {
            $0.touched = { $0.change("sbom.cdx.json") { $0.sha256 = Digest256(of: [0]) } }
        },
        Tampering("no bill of materials", "file.missing") { $0.touched = { $0.remove("sbom.cdx.json") } },
        Tampering("a bill of materials that is not named", "file.unnamed") {
            $0.statement = { $0.replacing("\"sbom.cdx.json\"", with: "\"other\"") }
        },
        Tampering("no log", "file.missing") { $0.touched = { $0.remove("build.log") } },
        Tampering("a log that is a link", "file.kind") {
            $0.touched = { $0.change("build.log") { $0.kind = .other } }
        },
        Tampering("provenance behind a link", "file.kind") {
            $0.touched = { $0.change("provenance.json") { $0.kind = .other } }
        },
        Tampering("evidence behind a link", "file.kind") {
            $0.touched = { $0.change("evidence.json") { $0.kind = .other } }
        },
        Tampering("provenance that is not among the files", "file.missing") {
            $0.touched = { $0.remove("provenance.json") }
        },
    ]

    static let provenance = [
        Tampering("an artifact that leads elsewhere", "provenance.unsafe-name") {
            $0.statement = { $0.replacing("\"probe\"", with: "\"../probe\"") }
            $0.touched = { $0.change("artifacts/probe") { $0.path = "artifacts/../probe" } }
        },
        Tampering("provenance that is not canonical", "provenance.not-canonical") { $0.statement = { " " + $0 } },
        Tampering("provenance with an escape too many", "provenance.not-canonical") {
            $0.statement = { $0.replacing("\"job\"", with: "\"j\\u006fb\"") }
        },
        Tampering("another Merkle root", "provenance.input-root") {
            $0.statement = { replaced($0, "pkg:cargo/a@1", "pkg:cargo/b@1") }
            $0.facts.dependencies = [
                ResourceDescriptor(uri: "pkg:cargo/a@1", digest: ["sha256": Digest256(of: []).hex])
            ]
        },
        Tampering("another tool than the Merkle root has", "provenance.input-root") {
            $0.statement = { replaced($0, "\"name\":\"rustc\"", "\"name\":\"rustd\"") }
        },
        Tampering("no nonce", "provenance.malformed", nonce: nil) {
            $0.statement = { replaced($0, "\"nonce\":\"abcd\",", "") }
        },
        Tampering("a dependency without a digest", "provenance.malformed") {
            $0.statement = { replaced($0, "\"resolvedDependencies\":[", "\"resolvedDependencies\":[{\"uri\":\"a\"},") }
        },
        Tampering("no subject", "provenance.malformed") {
            $0.statement = { $0.text(before: "\"subject\"") + "\"subject\":[]}" }
        },
        Tampering("another predicate", "provenance.malformed") {
            $0.statement = { replaced($0, "slsa.dev/provenance/v1", "slsa.dev/provenance/v2") }
        },
        Tampering("no JSON", "provenance.malformed") { $0.statement = { _ in "x" } },
        Tampering("nothing", "provenance.malformed") { $0.statement = { _ in "" } },
        Tampering("another builder's provenance", "provenance.unknown-build-type", exits: 2) {
            $0.statement = { replaced($0, BuildFacts.buildTypeBase, "https://example.com/") }
            $0.touched = { $0.removeFilesOfOurs() }
        },
    ]

    private static func edited(_ bytes: [UInt8], _ old: String, _ new: String) -> [UInt8] {
        Array(replaced(String(decoding: bytes, as: UTF8.self), old, new).utf8)
    }

    private static func replaced(_ text: String, _ old: String, _ new: String) -> String {
        #expect(text.contains(old))
        return text.replacing(old, with: new)
    }
}

extension String {
    /// What stands before `mark`; everything where it is not there.
    fileprivate func text(before mark: String) -> String {
        firstRange(of: mark).map { String(self[..<$0.lowerBound]) } ?? self
    }
}

@Suite struct TamperTests {
    @Test(arguments: Tampering.evidence + Tampering.binding + Tampering.files + Tampering.provenance)
    func aChangedBundleIsRefusedForThatReason(tampering: Tampering) throws {
        var bundle = MadeBundle()
        try tampering.change(&bundle)
        let report = try bundle.verify(nonce: tampering.nonce)
        #expect((report.findings + report.obstacles).map(\.code.rawValue) == tampering.codes)
        #expect(report.exitCode == tampering.exitCode)
        #expect(report.proves.isEmpty && report.doesNotProve.isEmpty)
    }

    /// Every byte, by every single bit.
    @Test func noFlippedBitVerifies() throws {
        let good = try MadeBundle().contents()
        for bit in 0..<(good.provenance.count * 8) {
            var changed = good
            changed.provenance[bit / 8] ^= 1 << UInt8(bit % 8)
            changed.digestAgain()
            #expect(try MadeBundle.verify(changed).exitCode != 0, "provenance.json bit \(bit)")
        }
        for bit in 0..<(good.evidence.count * 8) {
            var changed = good
            changed.evidence[bit / 8] ^= 1 << UInt8(bit % 8)
            changed.digestAgain()
            #expect(try MadeBundle.verify(changed).exitCode != 0, "evidence.json bit \(bit)")
        }
    }

    @Test func noTruncatedOrLengthenedFileVerifies() throws {
        let good = try MadeBundle().contents()
        for path in [\BundleContents.provenance, \.evidence] {
            for length in good[keyPath: path].indices {
                var changed = good
                changed[keyPath: path].removeLast(good[keyPath: path].count - length)
                changed.digestAgain()
                #expect(try MadeBundle.verify(changed).exitCode != 0)
            }
            for byte in UInt8.min...UInt8.max {
                var changed = good
                changed[keyPath: path].append(byte)
                changed.digestAgain()
                #expect(try MadeBundle.verify(changed).exitCode != 0)
            }
        }
    }

    @Test func noBundleWithoutOneOfItsFilesVerifies() throws {
        let good = try MadeBundle().contents()
        #expect(good.files.count == 6)
        for index in good.files.indices {
            var changed = good
            changed.files.remove(at: index)
            #expect(try MadeBundle.verify(changed).exitCode == 1)
        }
    }
}
