// SPDX-License-Identifier: Apache-2.0
public import Appraisal
internal import ByteCoding
internal import Provenance

/// Step 6: every artifact is the one that was built, and nothing else is in the bundle.
struct FileCheck {
    private let provenance: BundleProvenance
    private let bundle: BundleContents
    /// By the bytes of the path: names that merely look equal are different files.
    private let files: [[UInt8]: [BundleFile]]

    init(_ bundle: BundleContents, _ provenance: BundleProvenance) {
        self.provenance = provenance
        self.bundle = bundle
        files = Dictionary(grouping: bundle.files) { Array($0.path.utf8) }
    }

    func record(in report: inout ReportRecorder) {
        guard let statement = provenance.statement else {
            return report.giveUp(6, "artifacts", because: "provenance.json does not parse, so no artifact is named")
        }
        report.decide(
            6, "artifacts", statement.subjects.flatMap(findings),
            passed: Self.shown(statement.subjects) + " present, with the SHA-256 that provenance.json names")
        let links = provenance.record?.links ?? []
        if !links.isEmpty {
            report.decide(
                6, "links", links.flatMap(findings),
                passed: "\(links.count) stated, each leading to where it should, within the artifacts")
        }
        let bound = boundFiles()
        let named = bound.map(\.path) + statement.subjects.map(Self.path) + links.map(Self.path)
        report.decide(
            6, "other files",
            bound.flatMap { findings(at: $0.path, sha256: $0.sha256) }
                + unnamed(but: Set(named.map { Array($0.utf8) })),
            passed: otherFilesShown)
        recordCollateral(in: &report)
    }

    private var otherFilesShown: String {
        guard let record = provenance.record else { return "nothing is there that is not named" }
        return record.billOfMaterialsDigest == nil
            ? "build.log is the one named; nothing else is there"
            : "build.log and \(BundlePath.billOfMaterials) are those named; nothing else is there"
    }

    private func recordCollateral(in report: inout ReportRecorder) {
        let collateral = bundle.files.filter { Self.isCollateral($0.path) }
        guard !collateral.isEmpty else { return }
        let findings = collateralFindings(collateral)
        guard findings.isEmpty else { return report.decide(6, "collateral", findings, passed: "") }
        report.leaveOut(
            6, "collateral",
            "\(collateral.count) file(s) in \(BundleContents.collateralFolder), which nothing names: each counts only where its "
                + "vendor's signature holds")
    }

    private static func isCollateral(_ path: String) -> Bool {
        Array(path.utf8).starts(with: BundleContents.collateralFolder.utf8)
    }

    private func collateralFindings(_ collateral: [BundleFile]) -> [Finding] {
        var findings = collateral.filter { $0.kind != .regular }.map {
            Finding(
                .fileKind, subject: $0.path, expected: "a regular file", found: "a link or another special file",
                remedy: "remove it: collateral is made of plain files")
        }
        findings += collateral.filter { $0.size > Int64(BundleContents.maximumCollateralSize) }.map {
            Finding(
                .collateralSize, subject: $0.path, expected: "at most \(BundleContents.maximumCollateralSize) bytes",
                found: "\($0.size)", remedy: "remove it: no certificate and no list is that large")
        }
        if collateral.count > BundleContents.maximumCollateralFiles {
            findings.append(
                Finding(
                    .collateralCount, subject: BundleContents.collateralFolder,
                    expected: "at most \(BundleContents.maximumCollateralFiles) files", found: "\(collateral.count)",
                    remedy: "remove what is not collateral of this bundle"))
        }
        return findings
    }

    private static func path(of subject: Subject) -> String { BundlePath.artifacts + subject.name }
    private static func path(of link: ArtifactLink) -> String { BundlePath.artifacts + link.name }

    private static func shown(_ subjects: [Subject]) -> String {
        subjects.count == 1 ? "the 1 artifact is" : "all \(subjects.count) artifacts are"
    }

    /// What is bound otherwise than as an artifact.
    private func boundFiles() -> [(path: String, sha256: Digest256)] {
        var bound = [
            (path: BundlePath.evidence, sha256: Digest256(of: bundle.evidence)),
            (path: BundlePath.provenance, sha256: Digest256(of: bundle.provenance)),
        ]
        if let record = provenance.record { bound.append((path: BundlePath.log, sha256: record.logDigest)) }
        if let digest = provenance.record?.billOfMaterialsDigest {
            bound.append((path: BundlePath.billOfMaterials, sha256: digest))
        }
        return bound
    }

    /// The provenance's own check has found that the link stays within the artifacts.
    private func findings(_ link: ArtifactLink) -> [Finding] {
        let path = Self.path(of: link)
        let entries = files[Array(path.utf8)] ?? []
        guard entries.count == 1, let file = entries.first else { return [Self.notOne(path, entries.count)] }
        if case .link(let target) = file.kind, target.utf8.elementsEqual(link.target.utf8) { return [] }
        return [
            Finding(
                .fileLink, subject: path, expected: "a symbolic link to '\(link.target)'", found: Self.shown(file.kind),
                remedy: "do not use the bundle: somebody has changed what the build left")
        ]
    }

    private static func shown(_ kind: BundleFile.Kind) -> String {
        switch kind {
        case .regular: "a file"
        case .link(let target): "a symbolic link to '\(target)'"
        case .other: "another special file"
        }
    }

    private static func notOne(_ path: String, _ count: Int) -> Finding {
        Finding(
            count == 0 ? .fileMissing : .fileTwice, subject: path, expected: "one file",
            found: count == 0 ? "none" : String(count), remedy: "fetch the bundle again, whole")
    }

    private func findings(_ subject: Subject) -> [Finding] {
        guard subject.isPlainPath else {
            return [
                Finding(
                    .unsafeName, subject: "subject '\(subject.name)'", expected: "a plain relative path",
                    found: "a name that leads elsewhere", remedy: "do not unpack the bundle")
            ]
        }
        return findings(at: Self.path(of: subject), sha256: subject.sha256)
    }

    private func findings(at path: String, sha256: Digest256) -> [Finding] {
        let entries = files[Array(path.utf8)] ?? []
        guard entries.count == 1, let file = entries.first else { return [Self.notOne(path, entries.count)] }
        guard file.kind == .regular else {
            return [
                Finding(
                    .fileKind, subject: path, expected: "a regular file", found: "a link or another special file",
                    remedy: "do not use the bundle: what a link leads to can change after the check")
            ]
        }
        guard file.sha256 != sha256 else { return [] }
        return [
            Finding(
                .fileDigest, subject: path, expected: "SHA-256 \(sha256)",
                found: "\(file.sha256?.hex ?? "none") (\(file.size) bytes)",
                remedy: "do not use the file: it is not the one that the provenance describes")
        ]
    }

    private func unnamed(but named: Set<[UInt8]>) -> [Finding] {
        let collateral = Array(BundleContents.collateralFolder.utf8)
        let others = files.keys.filter { !named.contains($0) && !$0.starts(with: collateral) }
        return others.sorted { $0.lexicographicallyPrecedes($1) }.map { path in
            Finding(
                .fileUnnamed, subject: String(decoding: path, as: UTF8.self),
                expected: "no file that the provenance does not name", found: "an unnamed file",
                remedy: "remove it: nothing says where it comes from")
        }
    }
}

extension Finding.Code {
    /// A named file is not there.
    public static let fileMissing = Self(rawValue: "file.missing")
    /// A path stands twice in the bundle.
    public static let fileTwice = Self(rawValue: "file.twice")
    /// A named file is a link or another special file.
    public static let fileKind = Self(rawValue: "file.kind")
    /// A link that the provenance states is a file, or leads elsewhere.
    public static let fileLink = Self(rawValue: "file.link")
    /// A named file has another digest.
    public static let fileDigest = Self(rawValue: "file.digest")
    /// A file is there that nothing names.
    public static let fileUnnamed = Self(rawValue: "file.unnamed")
    /// A file in `collateral/` is larger than any certificate or list.
    public static let collateralSize = Self(rawValue: "file.collateral-size")
    /// There are more files in `collateral/` than any evidence needs.
    public static let collateralCount = Self(rawValue: "file.collateral-count")
    /// The provenance names an artifact that would lie outside of `artifacts/`.
    public static let unsafeName = Self(rawValue: "provenance.unsafe-name")
}
