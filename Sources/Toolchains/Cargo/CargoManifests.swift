// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Foundation
internal import StrictJSON
internal import StrictTOML

/// The manifests of a project, followed from the root through workspace members and path dependencies, so that every
/// package that Cargo takes from a path is known to lie in the source tree.
///
/// Cargo takes `..` out of a path by its text, where the kernel follows links first. So both places are looked at, and
/// neither may be outside.
struct CargoManifests {
    private static let limit = 10_000
    private static let dependencyTables = [
        "dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies",
    ]

    private let root: String
    /// The bytes of folders: Swift takes some different paths for equal.
    private var visited: Set<[UInt8]> = []
    /// Folders below the root; empty for the root itself.
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
        waiting = [PathParts.below(root, first) ?? ""]
    }

    private mutating func visitAll() throws(BuildFailure) {
        while let folder = waiting.popLast() {
            guard visited.insert(Array(folder.utf8)).inserted else { continue }
            guard visited.count <= Self.limit else {
                throw BuildFailure(.resourceLimit, "the project has more than \(Self.limit) packages")
            }
            if let manifest = try read(folder) { try follow(manifest, in: folder) }
        }
    }

    private func read(_ folder: String) throws(BuildFailure) -> JSONValue? {
        let name = Self.joined(folder, "Cargo.toml")
        do {
            guard let bytes = try ProjectFiles.read(root + "/" + name, limit: 1 << 20) else { return nil }
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
        for table in ["package", "project"] {
            if let path = manifest[table]?["workspace"]?.stringValue { try add(path, from: folder) }
        }
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
        let top = PathParts.below(root, folder) ?? ""
        for path in paths(in: ["patch": patches]) { try manifests.add(path, from: top) }
        try manifests.visitAll()
    }

    /// What is missing within the tree is for Cargo to complain of; what is outside is refused whether or not something
    /// is there on this machine, as something may be where Cargo runs.
    private mutating func add(_ path: String, from folder: String) throws(BuildFailure) {
        guard !PathParts.isAbsolute(path), let names = PathParts.lexical(path, from: PathParts.names(folder)) else {
            throw outside(path, from: folder)
        }
        let plain = names.joined(separator: "/")
        for place in [plain, Self.joined(folder, path)] {
            guard let real = ProjectFiles.confined(place, from: root, root: root) else {
                guard !ProjectFiles.exists(root + "/" + place) else { throw outside(path, from: folder) }
                continue
            }
            waiting.append(PathParts.below(root, real) ?? "")
        }
        waiting.append(plain)
    }

    private func outside(_ path: String, from folder: String) -> BuildFailure {
        BuildFailure(
            .inputVerification,
            "\(shown(Self.joined(folder, "Cargo.toml"))) uses the path '\(shown(path))', which leads out of the source "
                + "tree; a path dependency must lie within it")
    }

    /// Members may be patterns.
    private mutating func addMembers(_ pattern: String, from folder: String) throws(BuildFailure) {
        guard Self.isPattern(pattern) else { return try add(pattern, from: folder) }
        guard !PathParts.isAbsolute(pattern) else { throw outside(pattern, from: folder) }
        /// Seen from `folder`.
        var members = [""]
        for part in PathParts.names(pattern) {
            var next: [String] = []
            for member in members {
                let place = root + "/" + Self.joined(folder, member)
                // Nothing outside of the tree is even listed.
                guard ProjectFiles.confined(".", from: place, root: root) != nil || !ProjectFiles.exists(place) else {
                    throw outside(pattern, from: folder)
                }
                next += Self.matches(part, in: place).map { Self.joined(member, $0) }
                guard next.count <= Self.limit else {
                    throw BuildFailure(
                        .resourceLimit, "'\(shown(pattern))' matches more than \(Self.limit) folders")
                }
            }
            members = next
        }
        for member in members { try add(member, from: folder) }
    }

    private static func isPattern(_ text: String) -> Bool { text.utf8.contains { "*?[".utf8.contains($0) } }

    /// The names in `folder` that a part of a pattern fits, or more: of sets and single characters Cargo has its own
    /// idea, so such a part is taken to fit all. `**` is any number of folders, so that these are paths.
    private static func matches(_ part: String, in folder: String) -> [String] {
        guard part != "**" else { return [""] + below(folder, depth: 0) }
        guard isPattern(part) else { return [part] }
        let isWide = part.utf8.contains { "?[".utf8.contains($0) }
        let entries = (try? ProjectFiles.list(folder)) ?? []
        return entries.filter { $0.kind != .file && (isWide || fnmatch(part, $0.name, FNM_NOESCAPE) == 0) }.map(\.name)
    }

    /// Everything below a folder but files, no link followed; stops soon after the limit.
    private static func below(_ folder: String, depth: Int) -> [String] {
        var found: [String] = []
        for entry in (try? ProjectFiles.list(folder)) ?? [] where entry.kind != .file && found.count <= limit {
            found.append(entry.name)
            guard entry.kind == .folder, depth < 64 else { continue }
            found += below(folder + "/" + entry.name, depth: depth + 1).map { joined(entry.name, $0) }
        }
        return found
    }

    private static func joined(_ folder: String, _ path: String) -> String {
        folder.isEmpty ? path : path.isEmpty ? folder : folder + "/" + path
    }
}
