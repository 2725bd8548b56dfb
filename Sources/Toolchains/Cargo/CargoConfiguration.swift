// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import StrictJSON
internal import StrictTOML

/// What a project's own `.cargo/config.toml` sets, after ``CargoConfigurationPolicy`` let it pass.
struct CargoConfiguration: Hashable, Sendable {
    /// A `[source.NAME]` table.
    struct Source: Hashable, Sendable {
        var replaceWith: String?
        /// Absolute, within the source tree.
        var directory: String?
        /// Absolute, within the source tree.
        var localRegistry: String?
        var registry: String?
        var git: String?
        /// `branch=NAME`, `tag=NAME` or `rev=NAME`, as a lockfile writes it.
        var gitReference: String?
    }

    /// As messages name it: `.cargo/config.toml`.
    private(set) var file = ".cargo/config.toml"
    private(set) var sources: [String: Source] = [:]
    /// Index URLs of `[registries.NAME]`.
    private(set) var registries: [String: String] = [:]
    /// `build.target`.
    private(set) var targets: [String] = []

    /// Without a configuration file.
    init() {}

    /// Reads `.cargo/config` or `.cargo/config.toml` of the project in `folder`; Cargo takes the first that is there, and
    /// both are checked.
    ///
    /// Throws `UnsupportedToolchainError` naming the file and the key, where it changes what the provenance says of
    /// the build; `InputVerificationError` for a path that leads out of the source tree.
    static func read(in folder: String, sourceRoot: String) throws(BuildFailure) -> CargoConfiguration {
        var found: [CargoConfiguration] = []
        for file in [".cargo/config", ".cargo/config.toml"] {
            if let configuration = try read(file, in: folder, sourceRoot) { found.append(configuration) }
        }
        return found.first ?? CargoConfiguration()
    }

    private static func read(
        _ file: String, in folder: String, _ sourceRoot: String
    ) throws(BuildFailure) -> CargoConfiguration? {
        let path = folder + "/" + file
        guard ProjectFiles.exists(path) else {
            guard ProjectFiles.kind(of: path) != .link else { throw unreadable(file, "it is a broken link") }
            return nil
        }
        guard let real = ProjectFiles.confined(path, from: folder, root: sourceRoot) else {
            throw BuildFailure(.inputVerification, "\(file) is a link that leads out of the source tree")
        }
        let document: JSONValue
        do {
            guard let bytes = try ProjectFiles.read(real, limit: 1 << 18) else { return nil }
            document = try TOMLDocument.parse(bytes, name: file)
        } catch let error as MalformedBytes {
            throw unreadable(file, "\(error)")
        } catch {
            throw unreadable(file, (error as? UnreadableFile)?.reason ?? "\(error)")
        }
        try CargoConfigurationPolicy(file: file).check(document)
        try CargoManifests.check(patches: document["patch"], project: folder, sourceRoot: sourceRoot)
        return try CargoConfiguration(document, file: file, folder: folder, sourceRoot: sourceRoot)
    }

    private static func unreadable(_ file: String, _ reason: String) -> BuildFailure {
        BuildFailure(.unsupportedToolchain, "\(file) cannot be read: \(reason)")
    }

    private init(
        _ document: JSONValue, file: String, folder: String, sourceRoot: String
    ) throws(BuildFailure) {
        self.file = file
        for (name, table) in document["source"]?.objectValue ?? [:] {
            sources[name] = try Self.source(
                table, from: folder, root: sourceRoot, place: "'source.\(shown(name))' of \(file)")
        }
        registries = (document["registries"]?.objectValue ?? [:]).compactMapValues { $0["index"]?.stringValue }
        let target = document["build"]?["target"]
        targets = target?.stringValue.map { [$0] } ?? target?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    private static func source(
        _ table: JSONValue, from folder: String, root: String, place: String
    ) throws(BuildFailure) -> Source {
        var source = Source()
        source.replaceWith = table["replace-with"]?.stringValue
        source.directory = try self.folder(table["directory"], from: folder, root: root, place: place)
        source.localRegistry = try self.folder(table["local-registry"], from: folder, root: root, place: place)
        source.registry = table["registry"]?.stringValue
        source.git = table["git"]?.stringValue
        for key in ["branch", "tag", "rev"] {
            if let name = table[key]?.stringValue { source.gitReference = "\(key)=\(name)" }
        }
        return source
    }

    private static func folder(
        _ value: JSONValue?, from project: String, root: String, place: String
    ) throws(BuildFailure) -> String? {
        guard let path = value?.stringValue else { return nil }
        guard let real = ProjectFiles.confined(path, from: project, root: root), ProjectFiles.kind(of: real) == .folder
        else {
            throw BuildFailure(
                .inputVerification,
                "\(place) must name a folder within the source tree, found '\(shown(path))'")
        }
        return real
    }
}

extension CargoConfiguration {
    /// What a locked source is replaced with, at the end of the chain of `replace-with`.
    enum Replacement: Hashable, Sendable {
        case none
        case directory(String)
        case localRegistry(String)
        /// Another registry or repository, at this URL.
        case remote(String)
    }

    /// Throws `UnsupportedToolchainError` where the chain does not end or names what is not there.
    func replacement(of locked: CargoSource) throws(BuildFailure) -> Replacement {
        guard var name = sourceName(of: locked) else { return .none }
        for _ in 0..<16 {
            let source = sources[name]
            guard let next = source?.replaceWith else {
                return try end(of: source, named: name)
            }
            name = next
        }
        throw BuildFailure(
            .unsupportedToolchain, "\(file): 'source.\(shown(name))' is replaced in a circle; remove the circle")
    }

    private func end(of source: Source?, named name: String) throws(BuildFailure) -> Replacement {
        if let folder = source?.directory { return .directory(folder) }
        if let folder = source?.localRegistry { return .localRegistry(folder) }
        if let url = source?.registry ?? source?.git ?? registries[name] { return .remote(url) }
        if name == "crates-io" { return .none }
        throw BuildFailure(
            .unsupportedToolchain,
            "\(file): 'source.\(shown(name))' is the replacement of another source, but says not what it is; give it "
                + "'directory' or 'registry'")
    }

    /// The name under which `[source]` speaks of a locked source; `nil` where it does not.
    private func sourceName(of locked: CargoSource) -> String? {
        switch locked {
        case .cratesIO where sources["crates-io"] != nil: return "crates-io"
        case .registry(let url):
            let named = sources.filter { $0.value.registry.map(Self.withoutPrefix) == Self.withoutPrefix(url) }
            let listed = registries.filter { Self.withoutPrefix($0.value) == Self.withoutPrefix(url) }
            return named.keys.min() ?? listed.keys.sorted().first { sources[$0] != nil }
        case .git(let url, let reference, _):
            return sources.filter { $0.value.git == url && $0.value.gitReference == reference }.keys.min()
        }
    }

    private static func withoutPrefix(_ url: String) -> String {
        for prefix in ["sparse+", "registry+"] where url.hasPrefix(prefix) {
            return String(url.dropFirst(prefix.count))
        }
        return url
    }
}
