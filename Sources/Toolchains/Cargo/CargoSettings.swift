// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding

/// The table `[cargo]` of `cupel.toml`: what of a project Cargo builds, and how (The Cargo Book, "cargo build").
public struct CargoSettings: Hashable, Sendable {
    /// Packages of the workspace, as `NAME` or `NAME@VERSION`; empty for those that Cargo takes by itself.
    public private(set) var packages: [String] = []
    /// As `FEATURE` or `PACKAGE/FEATURE`.
    public private(set) var features: [String] = []
    public private(set) var allFeatures = false
    public private(set) var defaultFeatures = true
    /// The target triple; `nil` for the host, or what `.cargo/config.toml` says.
    public private(set) var target: String?
    public private(set) var profile = "release"
    /// Checked, with the values of options as arguments of their own.
    public private(set) var arguments: [String] = []

    /// Without a table.
    public init() {}

    /// Throws `SourceError` for unknown keys and wrong types, `UnsupportedToolchainError` for values that are not
    /// allowed.
    public init(_ table: SettingsTable) throws(BuildFailure) {
        var table = table
        allFeatures = try table.bool("all-features") ?? false
        arguments = try Self.allowedArguments.read("arguments", from: &table)
        defaultFeatures = try table.bool("default-features") ?? true
        features = try table.strings("features") ?? []
        packages = try table.strings("packages") ?? []
        profile = try table.string("profile") ?? "release"
        target = try table.string("target")
        try table.end()
        try check(table)
    }

    /// What follows `cargo build --locked --offline`.
    public var buildArguments: [String] { selection + arguments }

    /// The same, with one compiler at a time.
    var serialBuildArguments: [String] {
        var others = arguments
        if let jobs = others.firstIndex(of: "--jobs") { others.removeSubrange(jobs...(jobs + 1)) }
        return selection + others + ["--jobs", "1"]
    }

    private var selection: [String] {
        var all = profile == "release" ? ["--release"] : ["--profile", profile]
        if let target { all += ["--target", target] }
        for package in packages { all += ["--package", package] }
        if !features.isEmpty { all += ["--features", features.joined(separator: ",")] }
        if allFeatures { all.append("--all-features") }
        if !defaultFeatures { all.append("--no-default-features") }
        return all
    }

    /// The targets that are built for instead of those of `.cargo/config.toml`; empty where that file decides. Their
    /// standard libraries are a part of the toolchain.
    public var targets: [String] { target.map { [$0] } ?? [] }

    private func check(_ table: SettingsTable) throws(BuildFailure) {
        for package in packages where !Self.isPackage(package) {
            throw table.unsupported("packages", "hold names as 'app' or 'app@1.2.3', found '\(shown(package))'")
        }
        for feature in features where !Self.isFeature(feature) {
            throw table.unsupported("features", "hold names as 'tls' or 'package/tls', found '\(shown(feature))'")
        }
        if let target, !isPlainName(target, others: "_.-") || target.hasSuffix(".json") {
            throw table.unsupported(
                "target", "be the triple of a target, as 'x86_64-unknown-linux-musl', found '\(shown(target))'")
        }
        try checkProfile(table)
        guard !arguments.contains("--exclude") || arguments.contains("--workspace") else {
            throw table.unsupported("arguments", "hold '--workspace' where they hold '--exclude'")
        }
    }

    /// Names that Cargo refuses are refused here too where another was meant; the rest is for Cargo to say.
    private func checkProfile(_ table: SettingsTable) throws(BuildFailure) {
        guard profile != "debug" else { throw table.unsupported("profile", "be 'dev' for what lies in target/debug") }
        guard isPlainName(profile, others: "_-") else {
            throw table.unsupported(
                "profile", "be a name of letters, digits, '_' and '-', found '\(shown(profile))'")
        }
    }
}

extension CargoSettings {
    /// For the tests of the documentation.
    package static var argumentNames: [String] { allowedArguments.names }

    private static let allowedArguments = CheckedArguments(
        flags: [
            "--bins", "--ignore-rust-version", "--keep-going", "--lib", "--verbose", "--workspace", "-v", "-vv",
        ],
        options: [
            "--bin": .init(expected: "the name of a program", allows: { isPlainName($0, others: "_.+-") }),
            "--exclude": .init(expected: "the name of a package", allows: isPackage),
            "--jobs": .number(1...1024),
        ],
        keys: [
            "--all-features": "all-features", "--features": "features", "-F": "features",
            "--manifest-path": "directory", "--no-default-features": "default-features", "--package": "packages",
            "-p": "packages", "--profile": "profile", "--release": "profile", "-r": "profile", "--target": "target",
        ])

    private static func isPackage(_ text: String) -> Bool {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        return isPlainName(halves[0], others: "_-") && (halves.count == 1 || isPlainName(halves[1], others: "_.+-"))
    }

    private static func isFeature(_ text: String) -> Bool {
        let halves = PathParts.all(text)
        guard halves.count <= 2, let feature = halves.last, isPlainName(feature, others: "_.+-") else { return false }
        return halves.count == 1 || isPlainName(halves[0], others: "_-")
    }
}
