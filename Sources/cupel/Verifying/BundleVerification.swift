// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import Verification

/// Verifies one bundle, or several together, and prints what comes out.
struct BundleVerification {
    let policy: VerificationPolicy
    let summary: SummaryOptions
    /// What the summary says of the command line.
    let options: [String]
    let json: Bool
    /// Collateral for one bundle, and whether all of it came with the bundle.
    let collateral: (BundleContents) async throws -> (set: CollateralSet, isOfBundle: Bool)

    /// Throws the exit code where not everything is verified.
    func run(_ paths: [String]) async throws {
        var bundles: [NamedBundle] = []
        for path in paths {
            let contents = try BundleReader.read(path, wantsLog: policy.seenEvents != nil)
            let (set, isOfBundle) = try await collateral(contents)
            bundles.append(
                NamedBundle(name: path, contents: contents, collateral: set, isJudgedAsOfBuild: isOfBundle))
        }
        let exitCode = try bundles.count == 1 ? verifyOne(bundles[0]) : verifyAll(bundles)
        if exitCode != 0 { throw ExitCode(exitCode) }
    }

    private func verifyOne(_ bundle: NamedBundle) throws -> Int32 {
        let report = verify(bundle, policy: policy)
        if json { Console.print(report.json) } else { Console.write(report.text(colour: Console.usesColour(1)), to: 1) }
        try summary.write(report, policy: policy, options: options)
        return report.exitCode
    }

    private func verifyAll(_ bundles: [NamedBundle]) throws -> Int32 {
        let report = verify(bundles, policy: policy)
        if json { Console.print(report.json) } else { Console.write(report.text(colour: Console.usesColour(1)), to: 1) }
        try summary.write(report, policy: policy, options: options)
        return report.exitCode
    }
}
