// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Foundation
internal import StrictJSON
internal import StrictTOML

/// The manifests of a project, followed from the root through workspace members and path dependencies, so that every
/// package that Cargo takes from a path is known to lie in the source tree.
struct CargoManifests {
    private static let limit = 10_000
    private static let dependencyTables = ["dependencies", "dev-dependencies", "build-dependencies"]

    private let root: String
    /// Folders below the root, as absolute paths without links.
    private var visited: Set<String> = []
    private var waiting: [String] = []

    /// Throws `InputVerificationError` for a path that leads out of the source tree, `BuildError` for a manifest that
    /// cannot be read.
    static func check(project: String, sourceRoot: String) throws(BuildFailure) {
        guard let root = ProjectFiles.realPath(sourceRoot), let folder = ProjectFiles.realPath(project) else {
            throw BuildFailure(.internal, "the source folder is not there")
        }
        var manifests = CargoManifests(root: root, first: folder)
        try manifests.visitAll()
    }

    private init(root: String, first: String) {
        self.root = root
        waiting = [first]
    }

    private mutating func visitAll() throws(BuildFailure) {
        while let folder = waiting.popLast() {
            guard visited.insert(folder).inserted else { continue }
            guard visited.count <= Self.limit else {
                throw BuildFailure(.resourceLimit, "the project has more than \(Self.limit) packages")
            }
            if let manifest = try read(folder) { try follow(manifest, in: folder) }
        }
    }

    private func read(_ folder: String) throws(BuildFailure) -> JSONValue? {
        let name = relative(folder + "/Cargo.toml")
        do {
            guard let bytes = try ProjectFiles.read(folder + "/Cargo.toml", limit: 1 << 20) else { return nil }
            return try TOMLDocument.parse(bytes, name: name)
        } catch let error as MalformedBytes {
            throw BuildFailure(.build, "a manifest cannot be read: \(error)")
        } catch {
            let reason = (error as? UnreadableFile)?.reason ?? "\(error)"
            throw BuildFailure(.build, "the manifest \(shown(name)) cannot be read: \(reason)")
        }
    }

    private mutating func follow(_ manifest: JSONValue, in folder: String) throws(BuildFailure) {
        for path in Self.paths(in: manifest) { try add(path, from: folder) }
        if let path = manifest["package"]?["workspace"]?.stringValue { try add(path, from: folder) }
        for pattern in manifest["workspace"]?["members"]?.arrayValue ?? [] {
            try addMembers(pattern.stringValue ?? "", from: folder)
        }
    }

    /// The `path` of every dependency, in whatever table.
    private static func paths(in manifest: JSONValue) -> [String] {
        var tables = dependencyTables.map { manifest[$0] }
        tables.append(manifest["workspace"]?["dependencies"])
        tables.append(manifest["replace"])
        for target in (manifest["target"]?.objectValue ?? [:]).values {
            tables += dependencyTables.map { target[$0] }
        }
        tables += (manifest["patch"]?.objectValue ?? [:]).values.map { $0 }
        return tables.flatMap { ($0?.objectValue ?? [:]).values.compactMap { $0["path"]?.stringValue } }.sorted()
    }

    /// `[patch]` of a configuration file.
    static func check(patches: JSONValue?, project: String, sourceRoot: String) throws(BuildFailure) {
        guard let patches, let root = ProjectFiles.realPath(sourceRoot), let folder = ProjectFiles.realPath(project)
        else { return }
        var manifests = CargoManifests(root: root, first: folder)
        for path in paths(in: ["patch": patches]) { try manifests.add(path, from: folder) }
        try manifests.visitAll()
    }

    private mutating func add(_ path: String, from folder: String) throws(BuildFailure) {
        if let real = ProjectFiles.confined(path, from: folder, root: root) { return waiting.append(real) }
        guard leadsOut(path, from: folder) else { return }
        throw outside(path, from: folder)
    }

    private func outside(_ path: String, from folder: String) -> BuildFailure {
        BuildFailure(
            .inputVerification,
            "\(shown(relative(folder + "/Cargo.toml"))) uses the path '\(shown(path))', which leads out of the source "
                + "tree; a path dependency must lie within it")
    }

    /// Whether something is at the path, or it names a place that is not in the tree. What is missing within the tree
    /// is for Cargo to complain of.
    private func leadsOut(_ path: String, from folder: String) -> Bool {
        if path.hasPrefix("/") || ProjectFiles.exists(folder + "/" + path) { return true }
        var depth = relative(folder).isEmpty ? 0 : relative(folder).split(separator: "/").count
        for part in path.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { return true }
        }
        return false
    }

    /// Members may be patterns.
    private mutating func addMembers(_ pattern: String, from folder: String) throws(BuildFailure) {
        guard pattern.contains(where: { "*?[".contains($0) }) else { return try add(pattern, from: folder) }
        guard !pattern.hasPrefix("/") else { throw outside(pattern, from: folder) }
        var folders = [folder]
        for part in pattern.split(separator: "/") {
            var next: [String] = []
            for place in folders {
                // Nothing outside of the tree is even listed.
                guard ProjectFiles.confined(".", from: place, root: root) != nil || !ProjectFiles.exists(place) else {
                    throw outside(pattern, from: folder)
                }
                next += try Self.matches(String(part), in: place)
            }
            folders = next
            guard folders.count <= Self.limit else {
                throw BuildFailure(.resourceLimit, "'\(shown(pattern))' matches more than \(Self.limit) folders")
            }
        }
        for member in folders { try add(member, from: folder) }
    }

    private static func matches(_ part: String, in folder: String) throws(BuildFailure) -> [String] {
        guard part.contains(where: { "*?[".contains($0) }) else { return [folder + "/" + part] }
        let entries = (try? ProjectFiles.list(folder)) ?? []
        return entries.filter { $0.kind != .file && fnmatch(part, $0.name, FNM_PERIOD) == 0 }
            .map { folder + "/" + $0.name }
    }

    private func relative(_ path: String) -> String {
        path == root ? "" : path.hasPrefix(root + "/") ? String(path.dropFirst(root.count + 1)) : path
    }
}
