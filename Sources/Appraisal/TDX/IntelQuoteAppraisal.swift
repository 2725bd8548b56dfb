// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import Evidence

/// Whether a quote, of TDX or SGX, is genuine, and what Intel says of its platform: what no policy has a say in.
package struct IntelQuoteAppraisal: Sendable {
    package let pck: PCKCertificate
    /// Why the quote is not genuine, or no collateral that fits it is good.
    package let findings: [Finding]
    /// Why Intel's word could not be asked for: no collateral fits.
    package let obstacle: Finding?
    package let collateral: VerifiedIntelCollateral?
    /// `nil` where no collateral that fits verifies.
    package let tcb: TCBAppraisal?

    /// - Parameter verified: collateral that was verified before; it goes before `collateral`.
    ///
    /// Throws where the chain in the quote does not decode.
    package init(
        _ quote: IntelQuote, collateral: [IntelCollateral], verified: [VerifiedIntelCollateral] = [], now: Int64,
        root: IntelRoot = .intel
    ) throws(MalformedBytes) {
        let chain = try PCKChain(of: quote)
        let leaf = chain.leaf
        let choice = IntelCollateralChoice(
            for: IntelPlatform(fmspc: leaf.fmspc, tee: quote.tee, authority: leaf.authority), from: collateral,
            verified: verified, now: now, root: root)
        let check = TDXQuoteCheck(
            quote, chain, authorities: choice.chosen?.authorities ?? IntelAuthorities(root: root))
        findings =
            check.findings(at: now) + (choice.chosen.map { check.revocationFindings($0) } ?? []) + choice.findings
        pck = leaf
        obstacle = choice.obstacle
        self.collateral = choice.chosen
        tcb = choice.chosen.map { TCBAppraisal(quote, leaf, $0) }
    }

    /// One sentence for where there is no finding.
    var description: String {
        "signed by a key that Intel's quoting enclave made on a platform of FMSPC \(Hex.encode(pck.fmspc)), whose PCK "
            + "certificate chains to the Intel SGX Root CA and is not revoked; collateral in force until "
            + (collateral.map { CivilTime(secondsSince1970: $0.validity.notAfter).rfc3339 } ?? "")
    }
}

/// Chooses the collateral that fits a quote: of those for its platform the newest one that is good.
private struct IntelCollateralChoice {
    private(set) var chosen: VerifiedIntelCollateral?
    /// Why the chosen one is not good, or there is none.
    private(set) var findings: [Finding] = []
    private(set) var obstacle: Finding?

    init(
        for platform: IntelPlatform, from collateral: [IntelCollateral], verified: [VerifiedIntelCollateral],
        now: Int64, root: IntelRoot
    ) {
        var second: VerifiedIntelCollateral?
        for known in verified.filter({ $0.root == root && $0.tcbInfo.fits(platform) })
            .sorted(by: { $0.tcbInfo.isNewer(than: $1.tcbInfo) })
        {
            guard !known.isGood(for: platform, at: now) else {
                chosen = known
                return
            }
            second = second ?? known
        }
        var refused: [Finding] = []
        var malformed: [Finding] = []
        for (set, info) in Self.fitting(platform, collateral, &malformed) {
            switch VerifiedIntelCollateral.verify(set, tcbInfo: info, root: root) {
            case .refused(let reasons): refused = refused.isEmpty ? reasons : refused
            case .verified(let found):
                guard !found.isGood(for: platform, at: now) else {
                    chosen = found
                    return
                }
                second = second ?? found
            }
        }
        chosen = second
        findings = second?.dateFindings(at: now) ?? (refused.isEmpty ? malformed : refused)
        if second == nil, findings.isEmpty { obstacle = Self.missing(platform) }
    }

    /// The newest first.
    private static func fitting(
        _ platform: IntelPlatform, _ collateral: [IntelCollateral], _ malformed: inout [Finding]
    ) -> [(IntelCollateral, TCBInfo)] {
        var fitting: [(IntelCollateral, TCBInfo)] = []
        for set in collateral {
            do throws(MalformedBytes) {
                let info = try TCBInfo(set.tcbInfo)
                if info.fits(platform) { fitting.append((set, info)) }
            } catch {
                malformed.append(.malformedCollateral("tcb_info", error))
            }
        }
        return fitting.sorted { $0.1.isNewer(than: $1.1) }
    }

    private static func missing(_ platform: IntelPlatform) -> Finding {
        Finding(
            .tdxNoCollateral, subject: "collateral",
            expected: "Intel's \(platform.tee == .tdx ? "TDX" : "SGX") TCB info, QE identity and revocation lists for "
                + "FMSPC \(Hex.encode(platform.fmspc))",
            found: "none", remedy: "let it be fetched, or name it with --collateral")
    }
}

extension TCBInfo {
    fileprivate func fits(_ platform: IntelPlatform) -> Bool { fmspc == platform.fmspc && tee == platform.tee }

    fileprivate func isNewer(than other: TCBInfo) -> Bool {
        (evaluationDataNumber, validity.notBefore) > (other.evaluationDataNumber, other.validity.notBefore)
    }
}

extension VerifiedIntelCollateral {
    fileprivate func isGood(for platform: IntelPlatform, at now: Int64) -> Bool {
        pckAuthority.name == platform.authority.name && validity.contains(now)
    }
}

extension Finding.Code {
    /// No collateral fits the quote.
    public static let tdxNoCollateral = Self(rawValue: "tdx.collateral.missing")
}
