// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import Foundation

/// Appraises the same evidence many times in one process, so that the slope between two counts is the time of one:
///
///     verify-many tdx QUOTE COLLATERAL.json SECONDS-SINCE-1970 COUNT cold|cached
///     verify-many snp REPORT VCEK           SECONDS-SINCE-1970 COUNT cold|cached
///
/// `cold` does everything each time. `cached` verifies collateral, or the chain, once before.
@main
enum VerifyMany {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 6, let now = Int64(arguments[4]), let count = Int(arguments[5]),
            let isCached = ["cold": false, "cached": true][arguments[6]]
        else { throw Failure("usage: verify-many tdx|snp EVIDENCE COLLATERAL SECONDS COUNT cold|cached") }
        let (evidence, collateral) = (try read(arguments[2]), try read(arguments[3]))
        let appraise =
            switch arguments[1] {
            case "tdx": try tdx(evidence, collateral, now: now, isCached: isCached)
            case "snp": try snp(evidence, collateral, now: now, isCached: isCached)
            default: throw Failure("'\(arguments[1])' is neither tdx nor snp")
            }
        for _ in 0..<count {
            let result = try appraise()
            guard result.lines.contains(where: { $0.step == 2 && $0.status == .passed }) else {
                throw Failure("the signatures do not verify: \(result.lines)")
            }
        }
    }

    private static func tdx(
        _ quote: [UInt8], _ json: [UInt8], now: Int64, isCached: Bool
    ) throws -> () throws -> AppraisalResult {
        let collateral = try IntelCollateral(parsing: json)
        var appraiser = TDXAppraiser(policy: policy, collateral: CollateralSet(intel: [collateral]), now: now)
        if isCached {
            guard case .verified(let verified) = VerifiedIntelCollateral.verify(collateral) else {
                throw Failure("the collateral does not verify")
            }
            appraiser = TDXAppraiser(policy: policy, verified: [verified], now: now)
        }
        return { [appraiser] in
            appraiser.appraise(TDXEvidence(quote: try IntelQuote(decoding: quote)), platform: "tdx")
        }
    }

    private static func snp(
        _ report: [UInt8], _ certificate: [UInt8], now: Int64, isCached: Bool
    ) throws -> () throws -> AppraisalResult {
        let trusted = isCached ? [try SNPTrustedEndorsement(certificate: certificate)] : []
        let appraiser = SNPAppraiser(policy: policy, now: now, trusted: trusted)
        return {
            let evidence = SNPEvidence(report: try SNPReport(decoding: report), endorsementKey: certificate)
            return appraiser.appraise(evidence, platform: "snp")
        }
    }

    private static let policy: AppraisalPolicy = {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        return policy
    }()

    private static func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
