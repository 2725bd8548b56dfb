// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Builds
import ByteCoding
import Evidence
import Provenance
import StrictJSON
import Verification

/// A small bundle made from its parts, so that a test can change one of them and have the rest fit: the statement is
/// signed after the changes. `touched` is what an attacker can change without the key.
struct MadeBundle {
    var facts = MadeBundle.facts()
    var artifacts: [String: [UInt8]] = ["probe": Array("probe".utf8), "lib/l.so": Array("library".utf8)]
    var log = Array("   Compiling probe\n".utf8)
    var key = [UInt8](repeating: 7, count: 32)
    /// The nonce that is signed; the one of the facts is stated.
    var signedNonce: [UInt8] = [0xAB, 0xCD]
    /// Changes the statement's text before it is signed.
    var statement: (String) -> String = { $0 }
    /// What the evidence signs the digest of.
    var signedBytes: ([UInt8]) -> [UInt8] = { $0 }
    /// Changes the bundle after it is signed; digests of the two JSON files are then taken again.
    var touched: (inout BundleContents) -> Void = { _ in }

    func contents() throws -> BundleContents {
        var facts = facts
        facts.logDigest = Digest256(of: log)
        facts.subjects = artifacts.map { Subject(name: $0.key, sha256: Digest256(of: $0.value)) }
        let text = String(decoding: try facts.statement().canonicalBytes, as: UTF8.self)
        let provenance = Array(statement(text).utf8)
        let reportData = try ReportData(
            provenanceDigest: Digest256(of: signedBytes(provenance)), nonce: signedNonce)
        let evidence = try SoftwareEvidence(signing: reportData, privateKey: key).envelope.canonicalBytes
        var files = artifacts.map { Self.file("artifacts/" + $0.key, $0.value) } + [Self.file("build.log", log)]
        files += facts.links.map {
            BundleFile(path: "artifacts/" + $0.name, kind: .link(target: $0.target), size: 0, sha256: nil)
        }
        files.append(Self.file("sbom.cdx.json", facts.billOfMaterials()))
        var contents = BundleContents(provenance: provenance, evidence: evidence, files: files)
        contents.files += [Self.file("provenance.json", []), Self.file("evidence.json", [])]
        touched(&contents)
        contents.digestAgain()
        return contents
    }

    func verify(nonce: String? = nil, acceptSoftware: Bool = true) throws -> VerificationReport {
        try Self.verify(contents(), nonce: nonce, acceptSoftware: acceptSoftware)
    }

    static func verify(
        _ contents: BundleContents, nonce: String? = nil, acceptSoftware: Bool = true
    ) throws -> VerificationReport {
        var policy = VerificationPolicy()
        policy.nonce = try nonce.map { try Nonce(hex: $0) }
        policy.appraisal.acceptSoftwareUnsafely = acceptSoftware
        return Verification.verify(contents, policy: policy)
    }

    func verify(policy: VerificationPolicy) throws -> VerificationReport {
        Verification.verify(try contents(), policy: policy)
    }

    static func file(_ path: String, _ bytes: [UInt8]) -> BundleFile {
        BundleFile(path: path, kind: .regular, size: Int64(bytes.count), sha256: Digest256(of: bytes))
    }

    static func facts() -> BuildFacts {
        func input(_ name: String) -> ResourceDescriptor {
            ResourceDescriptor(name: name, digest: ["sha256": Digest256(of: Array(name.utf8)).hex])
        }
        return BuildFacts(
            buildType: BuildFacts.buildTypeBase + "cargo-v1.md",
            source: ResolvedSource(descriptor: input("probe.tar.gz"), externalParameters: ["name": "probe.tar.gz"]),
            nonceHex: "abcd", isolation: "sandbox", internalParameters: [:], tools: [input("cargo"), input("rustc")],
            commandLine: ["cargo"], environment: [:], phases: [], lockfile: input("Cargo.lock"), dependencies: [],
            builderID: "https://example.com/builder", builderVersion: [:], invocationID: "job", attempt: 1,
            startedOn: "2026-01-01T00:00:00Z", finishedOn: "2026-01-01T00:01:00Z", logDigest: Digest256(of: []),
            launchMeasurement: nil, subjects: [])
    }
}

extension MadeBundle {
    /// Of ``key``, unless a test changes it.
    static let publicKey: String = {
        let data = try? ReportData(provenanceDigest: Digest256(of: []), nonce: [])
        let evidence = data.flatMap { try? SoftwareEvidence(signing: $0, privateKey: [UInt8](repeating: 7, count: 32)) }
        return Hex.encode(evidence?.publicKey ?? [])
    }()
}

extension BundleContents {
    /// Lets the list of files agree with the two JSON files, as it does when a changed bundle is read.
    mutating func digestAgain() {
        for index in files.indices where files[index].kind == .regular {
            switch files[index].path {
            case "provenance.json": files[index] = MadeBundle.file("provenance.json", provenance)
            case "evidence.json": files[index] = MadeBundle.file("evidence.json", evidence)
            default: break
            }
        }
    }

    mutating func change(_ path: String, _ change: (inout BundleFile) -> Void) {
        for index in files.indices where files[index].path == path { change(&files[index]) }
    }

    mutating func add(_ path: String) { files.append(MadeBundle.file(path, [0x78])) }

    /// What only builders of ours put into a bundle.
    mutating func removeFilesOfOurs() {
        remove("build.log")
        remove("sbom.cdx.json")
    }

    mutating func remove(_ path: String) { files.removeAll { $0.path == path } }
}
