// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

extension CollateralSet {
    /// A set of more files is refused.
    public static let maximumFiles = 64
    /// A larger file is refused, in bytes.
    public static let maximumFileSize = 2 << 20

    /// Reads files of collateral, each recognised by its content whatever its name is.
    ///
    /// | content | form |
    /// |---|---|
    /// | Intel's collateral | JSON: ``IntelCollateral/init(parsing:)`` |
    /// | AMD's certificates and revocation lists | DER, or PEM with one or several |
    /// | intermediate certificates of makers of TPMs | DER, or PEM with one or several |
    ///
    /// Throws at anything else, and beyond the limits. What stands in several files is taken once.
    ///
    /// - Parameter files: contents by name, which is shown where a file is refused.
    public init(files: [String: [UInt8]]) throws(MalformedBytes) {
        self.init()
        guard files.count <= Self.maximumFiles else {
            throw MalformedBytes(
                format: "collateral", offset: 0, reason: "\(files.count) files, at most \(Self.maximumFiles)")
        }
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            do {
                for part in try CollateralPart.parts(of: bytes) { add(part) }
            } catch {
                throw MalformedBytes(format: error.format, field: name, offset: error.offset, reason: error.reason)
            }
        }
    }

    /// The same as files, which ``init(files:)`` reads: `amd-cert-….der`, `amd-crl-….der`, `intel-….json` and
    /// `tpm-cert-….der`, where the dots stand for the first 16 digits of the content's SHA-256. Equal sets have equal
    /// files.
    public var files: [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        func add(_ kind: String, _ suffix: String, _ bytes: [UInt8]) {
            files["\(kind)-\(Digest256(of: bytes).hex.prefix(16)).\(suffix)"] = bytes
        }
        for bytes in amdCertificates { add("amd-cert", "der", (try? Certificate(bytes).der) ?? bytes) }
        for bytes in amdRevocationLists { add("amd-crl", "der", CollateralPart.der(ofList: bytes)) }
        for collateral in intel { add("intel", "json", collateral.json) }
        for bytes in tpmCertificates { add("tpm-cert", "der", (try? Certificate(bytes).der) ?? bytes) }
        return files
    }

    public var isEmpty: Bool { self == CollateralSet() }

    /// Takes in what another set has and this one has not.
    public mutating func formUnion(_ other: CollateralSet) {
        amdCertificates += other.amdCertificates.filter { !amdCertificates.contains($0) }
        amdRevocationLists += other.amdRevocationLists.filter { !amdRevocationLists.contains($0) }
        intel += other.intel.filter { !intel.contains($0) }
        tpmCertificates += other.tpmCertificates.filter { !tpmCertificates.contains($0) }
    }

    private mutating func add(_ part: CollateralPart) {
        switch part {
        case .amdCertificate(let der): formUnion(CollateralSet(amdCertificates: [der]))
        case .amdRevocationList(let der): formUnion(CollateralSet(amdRevocationLists: [der]))
        case .intel(let collateral): formUnion(CollateralSet(intel: [collateral]))
        case .tpmCertificate(let der): formUnion(CollateralSet(tpmCertificates: [der]))
        }
    }
}
