// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// What Intel says of the platform, the TDX module and the quoting enclave behind a quote (Intel SGX and TDX PCS API
/// version 4, "Get TDX TCB Info"; Intel's quote verification library decides likewise).
package struct TCBAppraisal: Hashable, Sendable {
    /// `nil` where no level of Intel's is reached: Intel then knows nothing of such a platform.
    package let platform: TCBJudgement?
    /// "TDX_03"; `nil` for a module of the first generation, which the platform's level covers.
    package let moduleIdentity: String?
    package let module: TCBJudgement?
    package let qe: TCBJudgement?
    /// Of all three; `nil` where one is missing.
    package let status: TCBStatus?
    /// Those of all three, sorted.
    package let advisories: [String]
    package let findings: [Finding]

    init(_ quote: IntelQuote, _ pck: PCKCertificate, _ collateral: VerifiedIntelCollateral) {
        var walk = TCBWalk(quote: quote, pck: pck, info: collateral.tcbInfo, identity: collateral.qeIdentity)
        walk.appraisePlatform()
        if case .trustDomain(let report) = quote.body { walk.appraiseModule(of: report) }
        walk.appraiseQE()
        platform = walk.platform?.judgement
        moduleIdentity = walk.moduleIdentity
        module = walk.module?.judgement
        qe = walk.qe
        status = walk.status
        advisories = Set([platform, module, qe].flatMap { $0?.advisories ?? [] }).sorted()
        findings = walk.findings
    }
}

/// Finds the levels that a quote reaches.
private struct TCBWalk {
    let quote: IntelQuote
    let pck: PCKCertificate
    let info: TCBInfo
    let identity: QEIdentity
    private(set) var findings: [Finding] = []
    private(set) var platform: TCBInfo.Level?
    private(set) var moduleIdentity: String?
    private(set) var module: ISVLevel?
    private(set) var qe: TCBJudgement?

    init(quote: IntelQuote, pck: PCKCertificate, info: TCBInfo, identity: QEIdentity) {
        self.quote = quote
        self.pck = pck
        self.info = info
        self.identity = identity
    }

    mutating func appraisePlatform() {
        if pck.fmspc != info.fmspc || pck.pceID != info.pceID || quote.tee != info.tee {
            findings.append(
                .collateral(
                    .tdxCollateralPlatform, "TCB info",
                    expected: "FMSPC \(Hex.encode(pck.fmspc)), PCE-ID \(Hex.encode(pck.pceID)), "
                        + "\(quote.tee == .tdx ? "TDX" : "SGX")",
                    found: "FMSPC \(Hex.encode(info.fmspc)), PCE-ID \(Hex.encode(info.pceID)), "
                        + "\(info.tee == .tdx ? "TDX" : "SGX")"))
        }
        platform = info.levels.first { isPCKAtLeast($0) && isTDXAtLeast($0) }
        guard platform == nil else { return }
        findings.append(
            Self.unsupported(
                "TCB", "a level of Intel's TCB info that the platform reaches",
                "components \(Hex.encode(pck.componentSVNs)), PCESVN \(pck.pceSVN), TEE_TCB_SVN "
                    + "\(teeTCBSVN.map { Hex.encode($0) } ?? "none"), below all of them"))
    }

    mutating func appraiseModule(of report: TDReport) {
        let version = report.teeTCBSVN[1]
        guard version > 0 else {
            if let module = info.module { check(report, signedAs: module) }
            return
        }
        guard let identity = info.moduleIdentity(version: version) else {
            findings.append(
                Self.unsupported(
                    "TDX module", "a module that the TCB info knows", "generation \(version), which it does not"))
            return
        }
        moduleIdentity = identity.id
        check(report, signedAs: identity)
        module = identity.levels.first { UInt16(report.teeTCBSVN[0]) >= $0.isvSVN }
        if module == nil {
            findings.append(
                Self.unsupported(
                    "TDX module", "a level of \(identity.id) that the module reaches",
                    "ISVSVN \(report.teeTCBSVN[0]), below all of them"))
        }
    }

    mutating func appraiseQE() {
        let report = quote.signature.qeReport
        let mismatches = [
            ("MRSIGNER", identity.mrSigner, report.mrSigner),
            (
                "ISVPRODID", [UInt8(identity.isvProductID >> 8), UInt8(identity.isvProductID & 0xFF)],
                [UInt8(report.isvProductID >> 8), UInt8(report.isvProductID & 0xFF)]
            ),
            ("MISCSELECT", identity.miscSelect, zip(report.miscSelect, identity.miscSelectMask).map { $0 & $1 }),
            ("ATTRIBUTES", identity.attributes, zip(report.attributes, identity.attributesMask).map { $0 & $1 }),
        ].filter { $0.1 != $0.2 }
        findings += mismatches.map { name, expected, found in
            Finding(
                .tdxQEIdentity, subject: "QE \(name)", expected: Hex.encode(expected), found: Hex.encode(found),
                remedy: "do not trust the evidence: the quoting enclave is not Intel's")
        }
        if identity.tee != quote.tee {
            findings.append(
                .collateral(
                    .tdxCollateralTEE, "QE identity", expected: "that of a quoting enclave for this kind of quote",
                    found: "that of the other kind"))
        }
        qe = identity.levels.first { report.isvSVN >= $0.isvSVN }?.judgement
        if qe == nil {
            findings.append(
                Self.unsupported(
                    "QE ISVSVN", "a level that the quoting enclave reaches", "\(report.isvSVN), below all of them"))
        }
    }

    /// Of platform, module and quoting enclave, as Intel merges them.
    var status: TCBStatus? {
        guard let platform, let qe, moduleIdentity == nil || module != nil else { return nil }
        var status = platform.judgement.status
        if let module { status = status.merged(withPart: module.judgement.status) }
        if isRelaunchAdvised(status) {
            let isConfigured = ![sgxStatus ?? status, status].contains(where: \.needsConfiguration)
            status = isConfigured ? .relaunchAdvised : .relaunchAdvisedConfigurationNeeded
        }
        return status.merged(withPart: qe.status)
    }

    private var teeTCBSVN: [UInt8]? {
        if case .trustDomain(let report) = quote.body { report.teeTCBSVN } else { nil }
    }

    private func isPCKAtLeast(_ level: TCBInfo.Level) -> Bool {
        pck.pceSVN >= level.pceSVN && zip(pck.componentSVNs, level.sgxComponents).allSatisfy { $0 >= $1 }
    }

    /// The first two components are the module's; from its second generation on it has levels of its own.
    private func isTDXAtLeast(_ level: TCBInfo.Level) -> Bool {
        guard let versions = teeTCBSVN else { return true }
        guard level.tdxComponents.count == versions.count else { return false }
        let first = versions[1] > 0 ? 2 : 0
        return zip(versions, level.tdxComponents).dropFirst(first).allSatisfy { $0 >= $1 }
    }

    private mutating func check(_ report: TDReport, signedAs module: TCBInfo.Module) {
        guard
            report.mrSignerSeam != module.mrSigner || report.seamAttributes != 0
                || report.seamAttributes & module.attributesMask != module.attributes
        else { return }
        findings.append(
            Finding(
                .tdxModuleIdentity, subject: "TDX module",
                expected: "MRSIGNERSEAM \(Hex.encode(module.mrSigner)), SEAMATTRIBUTES \(module.attributes)",
                found: "MRSIGNERSEAM \(Hex.encode(report.mrSignerSeam)), SEAMATTRIBUTES \(report.seamAttributes)",
                remedy: "do not trust the evidence: the TDX module is not Intel's, or one for debugging"))
    }

    private var sgxStatus: TCBStatus? { info.levels.first(where: isPCKAtLeast)?.judgement.status }

    /// Whether only the module was out of date, and a newer one runs now (TEE_TCB_SVN_2).
    private func isRelaunchAdvised(_ status: TCBStatus) -> Bool {
        guard case .trustDomain(let report) = quote.body, let current = report.extended?.teeTCBSVN2,
            status == .outOfDate || status == .outOfDateConfigurationNeeded, module?.judgement.status == .outOfDate,
            let sgxStatus, sgxStatus.merged(withPart: .outOfDate) != sgxStatus, sgxStatus != .revoked,
            qe?.status != .outOfDate, qe?.status != .revoked, let newest = info.levels.first,
            newest.tdxComponents.count == 16, current[2] >= newest.tdxComponents[2]
        else { return false }
        guard current[1] > 0 else { return current[0] >= newest.tdxComponents[0] }
        guard let newest = info.moduleIdentity(version: current[1])?.levels.first else { return false }
        return UInt16(current[0]) >= newest.isvSVN
    }

    private static func unsupported(_ subject: String, _ expected: String, _ found: String) -> Finding {
        Finding(
            .tdxNoLevel, subject: subject, expected: expected, found: found,
            remedy: "update the host's firmware; Intel says nothing of such a platform, so neither can a policy")
    }
}

extension Finding.Code {
    /// The collateral is of another platform than the quote.
    public static let tdxCollateralPlatform = Self(rawValue: "tdx.collateral.platform")
    /// The platform, the TDX module or the quoting enclave is below every level of Intel's.
    public static let tdxNoLevel = Self(rawValue: "tdx.tcb.no-level")
    /// The TDX module is not signed as Intel's are.
    public static let tdxModuleIdentity = Self(rawValue: "tdx.module.identity")
    /// The quoting enclave is not Intel's.
    public static let tdxQEIdentity = Self(rawValue: "tdx.qe.identity")
}
