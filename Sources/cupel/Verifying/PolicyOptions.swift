// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import Builds
import Verification

/// What a verifier wants of a bundle, on the command line: whom and what it believes, and what is said beside that.
struct PolicyOptions: ParsableArguments {
    @OptionGroup var trust: TrustOptions

    @Flag(help: "Accept the software platform, which proves nothing about the machine.")
    var allowSoftware = false

    @Option(
        help: ArgumentHelp(
            "The nonce that the evidence must carry. (default: freshness is not checked)", valueName: "hex"))
    var nonce: String?

    /// Reads the files that are named. Dates are judged by this machine's clock unless the caller sets another time.
    func verificationPolicy() throws -> VerificationPolicy {
        var wanted = try trust.verificationPolicy()
        wanted.nonce = try nonce.map { try Nonce(hex: $0) }
        if allowSoftware { wanted.appraisal.acceptSoftwareUnsafely = true }
        return wanted
    }

    /// Whether nothing is asked for.
    var isEmpty: Bool { trust.isEmpty && changes.isEmpty }

    /// The options that change what a policy file says, for ``VerificationSummary``.
    var changes: [String] {
        trust.changes + (allowSoftware ? ["--allow-software"] : []) + (nonce.map { ["--nonce \($0)"] } ?? [])
    }
}
