// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Collateral
import Foundation

/// How the vendors' services are used, on the command line.
struct VendorOptions: ParsableArguments {
    @Flag(help: "Open no connection: what is not at hand is an error that says where it would come from.")
    var offline = false

    @Option(
        help: ArgumentHelp(
            "Where fetched collateral is kept. (default: $XDG_CACHE_HOME/cupel/collateral or ~/.cache/cupel/collateral)",
            valueName: "dir"), completion: .directory)
    var collateralCache: String?

    @Option(help: ArgumentHelp("A mirror of AMD's key distribution service.", valueName: "url", visibility: .hidden))
    var amdKds: String?

    @Option(
        help: ArgumentHelp(
            "A mirror of Intel's provisioning certification service.", valueName: "url", visibility: .hidden))
    var intelPcs: String?

    func configuration() throws -> CollateralFetcher.Configuration {
        var configuration = CollateralFetcher.Configuration()
        configuration.addresses = try VendorAddresses(amdMirror: amdKds, intelMirror: intelPcs)
        configuration.cache = cacheFolder.map { CollateralCache(folder: $0) }
        configuration.isOffline = offline
        configuration.onNote = { Console.warn(Console.plain($0)) }
        return configuration
    }

    /// `nil` where the user has no folder for caches.
    private var cacheFolder: String? {
        if let collateralCache { return collateralCache }
        let environment = ProcessInfo.processInfo.environment
        // Relative ones are to be ignored (XDG Base Directory Specification).
        if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") { return base + "/cupel/collateral" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.cache/cupel/collateral"
    }
}
