// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
internal import Provenance
internal import StrictJSON

/// Step 7: the provenance says all that it must, in the form that it must have.
struct ProvenanceCheck {
    let provenance: BundleProvenance
    let bundle: BundleContents

    func record(in report: inout ReportRecorder) {
        switch provenance {
        case .cupel(let statement, let record): recordCupel(statement, record, in: &report)
        case .kettle(let statement): recordKettle(statement, in: &report)
        case .unsupported(_, let buildType):
            report.obstruct(
                7, "provenance",
                Finding(
                    .unknownBuildType, subject: "buildType", expected: "\(BuildFacts.buildTypeBase)…",
                    found: "'\(buildType)' is no build type that cupel knows",
                    remedy: "verify it with the tools of whoever built it"))
        case .malformed(let error):
            report.fail(
                7, "provenance",
                Finding(
                    .malformedProvenance, subject: BundlePath.provenance,
                    expected: "an in-toto statement with SLSA provenance", found: "\(error)",
                    remedy: "do not trust the bundle"))
        }
    }

    private func recordCupel(_ statement: Statement, _ record: BuildRecord, in report: inout ReportRecorder) {
        report.decide(
            7, "provenance", canonicalFindings(statement),
            passed: "in-toto and SLSA v1 in canonical form (RFC 8785), \(Self.name(ofType: record.buildType))")
        report.decide(7, "inputs", rootFindings(record), passed: Self.shown(record))
    }

    private func recordKettle(_ statement: Statement, in report: inout ReportRecorder) {
        let inputs = statement.predicate["buildDefinition"]?["resolvedDependencies"]?.arrayValue ?? []
        report.decide(
            7, "provenance", inputs.flatMap(Self.unpinned),
            passed: "in-toto and SLSA v1 of Kettle; each of \(inputs.count) dependencies has a digest")
        report.leaveOut(7, "inputs", "not checked: the Merkle root of Kettle's provenance is not computed again")
    }

    private func canonicalFindings(_ statement: Statement) -> [Finding] {
        var findings: [Finding] = []
        if statement.canonicalBytes != bundle.provenance { findings.append(Self.notCanonical(BundlePath.provenance)) }
        if (try? JSONValue(parsing: bundle.evidence))?.canonicalBytes != bundle.evidence {
            findings.append(Self.notCanonical(BundlePath.evidence))
        }
        return findings
    }

    private func rootFindings(_ record: BuildRecord) -> [Finding] {
        let root = InputTree(record).root
        guard root != record.inputMerkleRoot else { return [] }
        return [
            Finding(
                .inputRoot, subject: "input_merkle_root", expected: "\(root), the root of the inputs that are listed",
                found: record.inputMerkleRoot.hex, remedy: "do not trust the bundle: its provenance contradicts itself")
        ]
    }

    private static func unpinned(_ input: JSONValue) -> [Finding] {
        let digests = (input["digest"]?.objectValue ?? [:]).values.map { $0.stringValue ?? "" }
        guard digests.isEmpty || digests.contains("") else { return [] }
        let name = input["uri"]?.stringValue ?? input["name"]?.stringValue ?? "a dependency without a name"
        return [
            Finding(
                .unpinnedInput, subject: name, expected: "a digest", found: "none",
                remedy: "do not trust the bundle: anything could have been built in")
        ]
    }

    private static func notCanonical(_ file: String) -> Finding {
        Finding(
            .notCanonical, subject: file, expected: "canonical JSON (RFC 8785)", found: "another spelling",
            remedy: "fetch the bundle again: a builder of ours does not write this")
    }

    private static func shown(_ record: BuildRecord) -> String {
        let count = record.resolvedDependencies.count + record.tools.count
        return "each of \(count) inputs has a digest; Merkle root \(record.inputMerkleRoot) computed again"
    }

    private static func name(ofType buildType: String) -> String {
        "build type \(buildType.dropFirst(BuildFacts.buildTypeBase.count))"
    }
}

extension Finding.Code {
    /// `provenance.json` is no in-toto statement, or lacks what every build of ours states.
    public static let malformedProvenance = Self(rawValue: "provenance.malformed")
    /// A file that must be canonical is spelt otherwise.
    public static let notCanonical = Self(rawValue: "provenance.not-canonical")
    /// The Merkle root is not that of the inputs.
    public static let inputRoot = Self(rawValue: "provenance.input-root")
    /// An input has no digest.
    public static let unpinnedInput = Self(rawValue: "provenance.unpinned")
    /// The build type is of another builder.
    public static let unknownBuildType = Self(rawValue: "provenance.unknown-build-type")
}
