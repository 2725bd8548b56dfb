// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import ByteCoding
public import StrictJSON
internal import StrictTOML

/// What a project asks of its build: `cupel.toml` at the top of the source tree, described in `docs/cupel-toml.md`. The
/// source digest covers it.
///
/// The table of each toolchain is kept as it stands, for that toolchain to read: see ``table(of:)``.
public struct ProjectSettings: Hashable, Sendable {
    public static let fileName = "cupel.toml"
    /// Bytes.
    public static let maximumSize = 1 << 16

    /// The toolchain that builds; `nil` for the first that finds its files.
    public private(set) var toolchain: String?
    /// The project's folder below the top of the source tree; empty for the top itself.
    public private(set) var directory = ""
    /// Which artifacts are kept; empty for all.
    public private(set) var artifacts: [Glob] = []
    /// What stands in the file, for the provenance; `nil` without a file.
    public private(set) var json: JSONValue?
    private var tables: [String: SettingsTable] = [:]

    /// Without a file.
    public init() {}

    /// Throws `SourceError` where the file is malformed, `UnsupportedToolchainError` where it names a toolchain that is
    /// not one of `toolchains`. Whether ``directory`` is there is for ``read(sourceRoot:toolchains:)`` to see.
    ///
    /// - Parameter toolchains: the names of all known ones; each may have a table.
    package init(parsing bytes: [UInt8], toolchains: [String]) throws(BuildFailure) {
        let document: JSONValue
        do {
            document = try TOMLDocument.parse(bytes, name: Self.fileName, limit: Self.maximumSize)
        } catch {
            throw BuildFailure(.source, "\(error)")
        }
        json = document
        var file = try SettingsTable(document, name: "")
        let globs = try file.strings("artifacts")
        let folder = try file.string("directory")
        let name = try file.oneOf("toolchain", toolchains)
        for name in toolchains { tables[name] = try file.table(name) }
        try file.end()
        toolchain = name
        directory = try folder.map { (path) throws(BuildFailure) in try Self.plain(path, in: file) } ?? ""
        guard (globs ?? []).count <= Glob.maximumCount else {
            throw file.malformed("artifacts", "an array of at most \(Glob.maximumCount) globs")
        }
        for text in globs ?? [] { artifacts.append(try Glob(text)) }
    }

    /// What the file says to the toolchain of this name; an empty table where it says nothing.
    public func table(of toolchain: String) -> SettingsTable { tables[toolchain] ?? SettingsTable(name: toolchain) }

    /// ``directory`` and the folders that it lies in, up to the top of the source tree (``directory`` first, the empty
    /// path last): tools look for their own settings in each.
    public var enclosingFolders: [String] {
        let parts = PathParts.names(directory)
        return (0...parts.count).reversed().map { parts.prefix($0).joined(separator: "/") }
    }

    private static func plain(_ path: String, in file: SettingsTable) throws(BuildFailure) -> String {
        guard PathParts.isPlain(path) else {
            throw file.malformed(
                "directory",
                "a folder below the top of the source, written as 'tools/cli', without '.', '..' or slashes at its "
                    + "ends, found '\(shown(path))'; leave the key out for the top")
        }
        return path
    }
}
