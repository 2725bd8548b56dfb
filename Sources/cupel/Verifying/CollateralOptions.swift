// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import Evidence
import Foundation

/// Where a verifier's collateral comes from, and as of when it is judged, on the command line.
struct CollateralOptions: ParsableArguments {
    @Option(
        name: .customLong("collateral"),
        help: ArgumentHelp(
            "Certificates and lists of the vendors, from a file or a folder; repeat it for more. See docs/collateral.md.",
            valueName: "file | dir"),
        completion: .file())
    var places: [String] = []

    @Flag(help: "Open no connection: what is not at hand is an error that says where it would come from.")
    var offline = false

    @Option(
        help: ArgumentHelp(
            "As of when dates are judged: RFC 3339 in UTC, 'now' or 'build'. (default: now; build where all collateral came with the bundle)",
            valueName: "time"))
    var at: String?

    @Option(
        help: ArgumentHelp("Where fetched collateral is kept. (default: ~/.cache/cupel/collateral)", valueName: "dir"),
        completion: .directory)
    var collateralCache: String?

    @Option(help: ArgumentHelp("A mirror of AMD's key distribution service.", valueName: "url", visibility: .hidden))
    var amdKds: String?

    @Option(
        help: ArgumentHelp(
            "A mirror of Intel's provisioning certification service.", valueName: "url", visibility: .hidden))
    var intelPcs: String?

    /// The collateral that `envelopes` need, from where it is found first: the files that are named, those that came
    /// with the bundle, the cache, the vendors. Throws where something is missing that appraisal cannot do without.
    ///
    /// - Parameter bundled: the files of the bundle's `collateral/`, by their names.
    func collateral(
        for envelopes: [EvidenceEnvelope], bundled: [String: [UInt8]] = [:]
    ) async throws -> GatheredCollateral {
        GatheredCollateral(set: CollateralSet(), isAllBundled: false)
    }

    /// As of when dates are judged.
    func time(for collateral: GatheredCollateral) throws -> JudgedMoment {
        JudgedMoment.now(Int64(Date().timeIntervalSince1970))
    }
}

/// Collateral, and where it came from.
struct GatheredCollateral {
    let set: CollateralSet
    /// Whether there is some, all of it from the bundle's own folder: then dates are judged as of the build.
    let isAllBundled: Bool
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
