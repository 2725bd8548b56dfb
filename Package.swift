// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

/// How the program that is shipped is linked: with Swift's libraries in it, since joining 14 shared ones at each start
/// costs more than a verification. lld, as it does not mind the order of static libraries.
let shipped: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-static-stdlib", "-use-ld=lld", "-lCoreFoundation", "-l_FoundationCShims", "-l_FoundationCollections",
            "-l_FoundationICU", "-Xlinker", "--no-export-dynamic",
        ], .when(platforms: [.linux], configuration: .release))
]

/// A target of ours: the same strict settings everywhere.
func module(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: strict)
}

let package = Package(
    name: "cupel",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "cupel", targets: ["cupel"]),
        .executable(name: "cupel-guest", targets: ["cupel-guest"]),
        .library(name: "CupelVerification", targets: ["Verification"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "CArchive"),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "CSEVGuest"),
        .target(name: "CTSS2"),
        .target(name: "CProcess"),
        module("ByteCoding", [crypto]),
        module("StrictJSON", ["ByteCoding"]),
        module("StrictTOML", ["ByteCoding", "StrictJSON"]),
        module("Builds", ["ByteCoding", "StrictJSON"]),
        module("Provenance", ["ByteCoding", "StrictJSON", "Builds"]),
        module("Evidence", ["ByteCoding", "StrictJSON", crypto]),
        module("Measurements", ["ByteCoding", "StrictJSON", "Evidence", crypto]),
        module("Appraisal", ["ByteCoding", "StrictJSON", "Evidence", crypto, cryptoExtras, asn1]),
        module(
            "Verification",
            ["ByteCoding", "StrictJSON", "Builds", "Provenance", "Evidence", "Appraisal", yaml, crypto]),
        module(
            "Collateral",
            ["ByteCoding", "StrictJSON", "Evidence", "Appraisal", httpClient, nioCore, nioHTTP1]),
        module("Inspection", ["ByteCoding", "StrictJSON", "Evidence", "Appraisal", crypto, asn1]),
        module("Archives", ["ByteCoding", "Builds", "CArchive"]),
        module("SourceTrees", ["ByteCoding", "StrictJSON", "Builds", "Provenance", "Archives", crypto]),
        module(
            "Toolchains",
            ["ByteCoding", "StrictJSON", "StrictTOML", "Builds", "Provenance", "SourceTrees", crypto]),
        module("Processes", ["CProcess"]),
        module("Sandbox", ["StrictJSON", "Builds", "Processes", "CProcess", "CSeccomp"]),
        module("Attesters", ["ByteCoding", "StrictJSON", "Evidence", "CSEVGuest", "CTSS2", crypto]),
        module(
            "Pipeline",
            [
                "ByteCoding", "StrictJSON", "Builds", "Provenance", "Evidence", "Archives", "SourceTrees", "Toolchains",
                "Sandbox", "Attesters", logging,
            ]),
        module("Storage", ["ByteCoding", "StrictJSON", "Builds", grdb, logging, nioCore, nioPosix]),
        module(
            "BuildServer",
            [
                "ByteCoding", "StrictJSON", "StrictTOML", "Builds", "Archives", "SourceTrees", "Storage", hummingbird,
                hummingbirdCore, lifecycle, unixSignals, httpTypes, logging, nioCore, nioHTTP1, nioPosix, crypto,
            ]),
        module("BuildClient", ["ByteCoding", "StrictJSON", "Builds", httpClient, nioCore, nioHTTP1]),
        module(
            "Machines",
            [
                "ByteCoding", "StrictJSON", "Builds", "Evidence", "Measurements", "Archives", "BuildClient",
                "Processes", "CProcess", httpClient, crypto, logging, nioCore, nioHTTP1, nioPosix,
            ], resources: [.embedInCode("Image/guest-packages.txt")]),
        module(
            "Builder",
            [
                "ByteCoding", "StrictJSON", "Builds", "Evidence", "SourceTrees", "Toolchains", "Sandbox", "Attesters",
                "Pipeline", "Storage", "BuildServer", logging,
            ]),
        module("Guest", ["Builds", "BuildServer", "Processes"]),
        .executableTarget(
            name: "cupel-guest",
            dependencies: [
                "Builds", "Toolchains", "Attesters", "Pipeline", "Storage", "BuildServer", "Builder", "Guest",
                argumentParser, logging,
            ],
            swiftSettings: strict, linkerSettings: shipped),
        .executableTarget(
            name: "cupel",
            dependencies: [
                "BuildClient", "ByteCoding", "StrictJSON", "Builds", "Provenance", "Evidence", "Appraisal",
                "Verification", "Collateral", "Inspection", "Archives",
                "SourceTrees", "Toolchains", "Sandbox", "Attesters", "Pipeline", "Storage", "BuildServer",
                "Measurements", "Machines", "Builder", "Guest",
                argumentParser, httpClient, nioCore, logging, crypto, lifecycle, hummingbird,
            ], swiftSettings: strict, linkerSettings: shipped),
        .target(name: "TestVectors", dependencies: ["StrictJSON"], path: "Tests/TestVectors", swiftSettings: strict),
        .target(
            name: "TestServers", dependencies: ["BuildClient", nioCore, nioPosix], path: "Tests/TestServers",
            swiftSettings: strict),
        tests("ByteCoding", [crypto]),
        tests("BuildClient", ["TestServers", "ByteCoding", "StrictJSON", "Builds"]),
        tests("StrictJSON", ["TestVectors", "ByteCoding"]),
        tests("StrictTOML", ["ByteCoding", "StrictJSON"]),
        tests("Builds", ["ByteCoding", "StrictJSON"]),
        tests("Provenance", ["TestVectors", "ByteCoding", "StrictJSON", "Builds"]),
        tests("Evidence", ["TestVectors", "ByteCoding", "StrictJSON", crypto]),
        tests("Measurements", ["TestVectors", "ByteCoding", "StrictJSON", "Evidence", crypto]),
        tests("Appraisal", ["TestVectors", "ByteCoding", "StrictJSON", "Evidence", crypto, cryptoExtras, asn1]),
        tests(
            "Verification",
            ["TestVectors", "ByteCoding", "StrictJSON", "Builds", "Provenance", "Evidence", "Appraisal", yaml, crypto]),
        tests(
            "Collateral",
            ["TestVectors", "ByteCoding", "StrictJSON", "Evidence", "Appraisal", nioCore, nioPosix, nioHTTP1]),
        tests("Inspection", ["TestVectors", "ByteCoding", "StrictJSON", "Evidence", "Appraisal"]),
        tests("Archives", ["ByteCoding", "Builds", "CArchive"]),
        tests("SourceTrees", ["ByteCoding", "StrictJSON", "Builds", "Provenance", "Archives", crypto]),
        tests("Toolchains", ["ByteCoding", "StrictJSON", "Builds", "Provenance", "SourceTrees", crypto]),
        tests("Processes", []),
        tests("Sandbox", ["ByteCoding", "StrictJSON", "Builds", "CSeccomp"]),
        tests("Attesters", ["TestVectors", "ByteCoding", "StrictJSON", "Evidence", "CProcess", crypto]),
        tests(
            "Pipeline",
            [
                "ByteCoding", "StrictJSON", "Builds", "Provenance", "Evidence", "Archives", "SourceTrees", "Toolchains",
                "Sandbox", "Attesters", logging,
            ]),
        tests(
            "Machines",
            [
                "TestVectors", "TestServers", "ByteCoding", "StrictJSON", "Builds", "Evidence", "Appraisal",
                "Attesters", "Measurements", "Archives", "BuildClient", "Processes", "Storage", "BuildServer",
                "CProcess", crypto, lifecycle, logging, nioCore, nioPosix,
            ]),
        tests("Guest", ["Builds", "BuildServer"]),
        tests("Storage", ["ByteCoding", "StrictJSON", "Builds", grdb, logging, nioCore]),
        tests(
            "BuildServer",
            [
                "ByteCoding", "StrictJSON", "Builds", "Archives", "SourceTrees", "Storage", hummingbird,
                hummingbirdCore, lifecycle,
                unixSignals, httpTypes, logging, nioCore, nioPosix, crypto,
            ]),
    ]
)
