// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Verification

/// The files of a bundle as they are found.
struct BundleParts {
    /// The two files that are read whole.
    static let documents: Set<String> = ["provenance.json", "evidence.json"]

    private var files: [BundleFile] = []
    private var provenance: [UInt8]?
    private var evidence: [UInt8]?
    private var collateral: [String: [UInt8]] = [:]
    /// Whether the log's lines are wanted too.
    let wantsLog: Bool
    private var log: LogSummary?

    init(wantsLog: Bool) { self.wantsLog = wantsLog }

    mutating func add(document path: String, _ bytes: [UInt8]) {
        if path == "provenance.json" { provenance = bytes } else { evidence = bytes }
        add(path, sha256: Digest256(of: bytes), size: Int64(bytes.count))
    }

    /// Whether a file is read whole as collateral: within the limits, beyond which the bundle is refused.
    func takesCollateral(_ path: String, size: Int64) -> Bool {
        path.hasPrefix(BundleContents.collateralFolder) && size <= Int64(BundleContents.maximumCollateralSize)
            && collateral.count < BundleContents.maximumCollateralFiles
    }

    mutating func add(collateral path: String, _ bytes: [UInt8]) {
        collateral[String(path.dropFirst(BundleContents.collateralFolder.count))] = bytes
        add(path, sha256: Digest256(of: bytes), size: Int64(bytes.count))
    }

    mutating func add(_ path: String, sha256: Digest256, size: Int64) {
        files.append(BundleFile(path: path, kind: .regular, size: size, sha256: sha256))
    }

    /// Whether a file is the log, of which more than its digest is wanted.
    func takesLog(_ path: String) -> Bool { wantsLog && path == "build.log" }

    mutating func add(log path: String, _ log: LogSummary, size: Int64) {
        self.log = log
        add(path, sha256: log.digest, size: size)
    }

    mutating func add(link path: String, to target: String) {
        files.append(BundleFile(path: path, kind: .link(target: target), size: 0, sha256: nil))
    }

    /// A hard link, device or whatever else is no file of its own.
    mutating func addOther(_ path: String) {
        files.append(BundleFile(path: path, kind: .other, size: 0, sha256: nil))
    }

    /// Throws where one of the documents is missing: then there is nothing to check.
    func contents(of place: String) throws -> BundleContents {
        guard let provenance, let evidence else {
            let missing = provenance == nil ? "provenance.json" : "evidence.json"
            throw CommandFailure(
                "\(place) is no bundle: it has no \(missing)",
                hint: "a bundle is the folder that holds provenance.json, evidence.json and artifacts/")
        }
        return BundleContents(
            provenance: provenance, evidence: evidence, files: files, collateral: collateral, log: log)
    }
}
