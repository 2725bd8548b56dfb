// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import Collateral
import Evidence
import Verification

/// Where a verifier's collateral comes from, and as of when it is judged, on the command line.
struct CollateralOptions: ParsableArguments {
    @Option(
        name: .customLong("collateral"),
        help: ArgumentHelp(
            "Certificates and lists of the vendors, from a file or a folder; repeat it for more. See docs/collateral.md.",
            valueName: "file | dir"),
        completion: .file())
    var places: [String] = []

    @Option(
        help: ArgumentHelp(
            "As of when dates are judged: RFC 3339 in UTC, 'now' or 'build'. (default: now; build where all collateral came with the bundle, and no nonce is asked for)",
            valueName: "time"))
    var at: String?

    @OptionGroup var vendors: VendorOptions

    func validate() throws { _ = try chosenMoment() }

    /// The collateral that `envelopes` need, each thing from the first place that has it: the files that are named,
    /// those that came with the bundle, the cache, the vendors. Throws where something is missing that appraisal cannot
    /// do without.
    ///
    /// - Parameters:
    ///   - bundled: the files of the bundle's `collateral/`, by their names.
    ///   - isFresh: see ``time(for:isFresh:)``.
    func collateral(
        for envelopes: [EvidenceEnvelope], bundled: [String: [UInt8]] = [:], isFresh: Bool = false
    ) async throws -> GatheredCollateral {
        let given = try CollateralSet(files: CollateralFiles.read(places))
        var bundled = try CollateralSet(files: bundled)
        // What has expired since the build is worth nothing to somebody who wants to know about now.
        if case .now(let now)? = try moment(isFresh) { bundled = bundled.inForce(at: now) }
        let gathering = CollateralGathering(given: given, bundled: bundled)
        return try await CollateralFetcher.with(try vendors.configuration()) {
            try await gathering.gather(for: envelopes, with: $0)
        }
    }

    /// As of when dates are judged.
    ///
    /// - Parameter isFresh: whether the evidence must carry a nonce. Then it was made for this verifier, and the present
    ///   is the time to judge by, whatever end the build states.
    func time(for collateral: GatheredCollateral, isFresh: Bool = false) throws -> JudgedMoment {
        try moment(isFresh) ?? (collateral.isAllBundled ? .build : .now(Clock.now))
    }

    private func moment(_ isFresh: Bool) throws -> JudgedMoment? {
        try chosenMoment() ?? (isFresh ? .now(Clock.now) : nil)
    }

    /// What the line of commands says of time and collateral, for summaries.
    var changes: [String] { places.map { "--collateral \($0)" } + (at.map { ["--at \($0)"] } ?? []) }

    /// What `--at` says; `nil` where it is not given.
    func chosenMoment() throws -> JudgedMoment? {
        switch at {
        case nil: return nil
        case "now": return .now(Clock.now)
        case "build": return .build
        case let text?:
            guard let time = BuildTime.seconds(text) else {
                throw ValidationError("--at needs a time such as 2026-03-17T10:00:00Z, 'now' or 'build', not '\(text)'")
            }
            return .given(time)
        }
    }
}

/// A time at which dates are judged, and whose it is.
enum JudgedMoment: Equatable {
    /// Seconds since 1970 by this machine's clock.
    case now(Int64)
    /// Seconds since 1970 that the user gave.
    case given(Int64)
    /// The end of the build, as its provenance has it.
    case build
}
