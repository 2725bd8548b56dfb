// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import StrictJSON

/// Which keys a project's `.cargo/config.toml` may set: those that leave compiler, linker and sources what the
/// provenance says that they are. All others are refused, known or not (The Cargo Book, "Configuration").
struct CargoConfigurationPolicy {
    let file: String

    /// Tables that say nothing of how a build is made.
    private static let harmlessTables: Set<String> = [
        "cache", "cargo-new", "doc", "future-incompat-report", "install", "resolver", "term",
    ]
    private static let httpKeys: Set<String> = ["low-speed-limit", "multiplexing", "timeout"]
    private static let netKeys: Set<String> = ["git-fetch-with-cli", "offline", "retry"]
    private static let buildKeys: Set<String> = [
        "incremental", "jobs", "rustdocflags", "rustflags", "target", "target-dir", "warnings",
    ]
    private static let sourceKeys: Set<String> = [
        "branch", "directory", "git", "local-registry", "registry", "replace-with", "rev", "tag",
    ]
    /// Commands of Cargo itself, and its own short names of them.
    private static let commands: Set<String> = [
        "add", "b", "bench", "build", "c", "check", "clean", "config", "d", "doc", "fetch", "fix",
        "generate-lockfile", "help", "info", "init", "install", "locate-project", "login", "logout", "metadata", "new",
        "owner", "package", "pkgid", "publish", "r", "remove", "report", "rm", "run", "rustc", "rustdoc", "search", "t",
        "test", "tree", "uninstall", "update", "vendor", "verify-project", "version", "yank",
    ]

    /// Throws `UnsupportedToolchainError` at the first key, in order of their names, that may not be set.
    func check(_ document: JSONValue) throws(BuildFailure) {
        for (table, value) in sorted(document) where !Self.harmlessTables.contains(table) {
            switch table {
            case "alias": try checkAliases(value)
            case "build": try checkBuild(value)
            case "env": try checkEnvironment(value)
            case "http": try allow(Self.httpKeys, in: value, table, "changes how and from where Cargo downloads")
            case "net": try allow(Self.netKeys, in: value, table, "changes how Cargo reaches the network")
            case "patch": try checkPatches(value)
            case "profile": try checkProfiles(value, "profile")
            case "registries": try checkRegistries(value)
            case "registry": try allow(["default"], in: value, table, "hands out or replaces credentials")
            case "source": try checkSources(value)
            case "target": try checkTargets(value)
            default: throw refused(table, "is not among the keys that an attested build allows")
            }
        }
    }

    private func checkAliases(_ value: JSONValue) throws(BuildFailure) {
        for (name, _) in sorted(value) where Self.commands.contains(name) {
            throw refused("alias.\(name)", "replaces a command of Cargo itself")
        }
    }

    private func checkBuild(_ value: JSONValue) throws(BuildFailure) {
        try allow(Self.buildKeys, in: value, "build", "replaces a program of the build, or where it writes")
        for key in ["rustflags", "rustdocflags"] { try checkFlags(value[key], "build.\(key)") }
        let targets = value["target"].map { $0.arrayValue ?? [$0] } ?? []
        for target in targets where !isTriple(target.stringValue ?? "") {
            throw refused("build.target", "must name targets of the toolchain, no files")
        }
    }

    private func isTriple(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) }
            && !text.hasSuffix(".json") && !text.hasPrefix(".")
    }

    private func checkTargets(_ value: JSONValue) throws(BuildFailure) {
        for (target, table) in sorted(value) {
            let place = "target.\(target)"
            try allow(
                ["rustdocflags", "rustflags"], in: table, place,
                "replaces the linker, the runner or a build script")
            for key in ["rustflags", "rustdocflags"] { try checkFlags(table[key], "\(place).\(key)") }
        }
    }

    private func checkProfiles(_ value: JSONValue, _ place: String) throws(BuildFailure) {
        for (key, inner) in sorted(value) {
            if ["codegen-backend", "rustflags"].contains(key) {
                throw refused("\(place).\(key)", "changes the compiler behind the profile")
            }
            if inner.objectValue != nil { try checkProfiles(inner, "\(place).\(key)") }
        }
    }

    private func checkRegistries(_ value: JSONValue) throws(BuildFailure) {
        for (name, table) in sorted(value) {
            try allow(["index", "protocol"], in: table, "registries.\(name)", "hands out or replaces credentials")
            try checkURL(table["index"], "registries.\(name).index")
        }
    }

    private func checkSources(_ value: JSONValue) throws(BuildFailure) {
        for (name, table) in sorted(value) {
            try allow(Self.sourceKeys, in: table, "source.\(name)", "is no known way to replace a source")
            for key in ["git", "registry"] { try checkURL(table[key], "source.\(name).\(key)") }
        }
    }

    /// Paths in `[patch]` are checked with those of the manifests.
    private func checkPatches(_ value: JSONValue) throws(BuildFailure) {
        for (source, table) in sorted(value) {
            for (name, patch) in sorted(table) where patch.objectValue == nil && patch.stringValue == nil {
                throw refused("patch.\(source).\(name)", "is no dependency")
            }
        }
    }

    private func checkURL(_ value: JSONValue?, _ key: String) throws(BuildFailure) {
        guard let value else { return }
        guard let url = value.stringValue, RemoteAddress(url) != nil else {
            throw refused(key, "must be an https:// or http:// URL without user name and password")
        }
    }

    private func allow(
        _ keys: Set<String>, in value: JSONValue, _ table: String, _ consequence: String
    ) throws(BuildFailure) {
        guard let members = value.objectValue else { throw refused(table, "must be a table") }
        if let key = members.keys.sorted().first(where: { !keys.contains($0) }) {
            throw refused("\(table).\(key)", consequence)
        }
    }

    private func sorted(_ value: JSONValue) -> [(key: String, value: JSONValue)] {
        (value.objectValue ?? [:]).sorted { $0.key < $1.key }
    }

    func refused(_ key: String, _ consequence: String) -> BuildFailure {
        BuildFailure(
            .unsupportedToolchain, "\(file) sets '\(shown(key))', which \(consequence); remove it from the project")
    }
}
