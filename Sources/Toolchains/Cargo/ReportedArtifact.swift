// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// One file of a `compiler-artifact` message (The Cargo Book, "External tools").
struct ReportedArtifact: Hashable, Sendable {
    /// The package's name.
    let package: String
    let packageID: String
    /// As Cargo saw it.
    let file: String
    /// The target's main source file, as Cargo saw it.
    let sourcePath: String
    let executable: Bool

    private static let librarySuffixes = [".so", ".dylib", ".dll", ".wasm"]
    private static let archiveSuffixes = [".a", ".lib"]

    /// The programs and libraries that a message reports; none for other messages, for packages that are no part of
    /// the source tree, and for examples, tests, build scripts and what only the compiler reads.
    static func all(in message: JSONValue) -> [ReportedArtifact] {
        guard message["reason"] == "compiler-artifact", let id = message["package_id"]?.stringValue,
            let package = localPackage(id), let target = message["target"], message["profile"]?["test"] != true
        else { return [] }
        let kinds = Set(target["kind"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        let source = target["src_path"]?.stringValue ?? ""
        if kinds.contains("bin") {
            guard let file = message["executable"]?.stringValue else { return [] }
            return [
                ReportedArtifact(package: package, packageID: id, file: file, sourcePath: source, executable: true)
            ]
        }
        let suffixes =
            (kinds.isDisjoint(with: ["cdylib", "dylib"]) ? [] : librarySuffixes)
            + (kinds.contains("staticlib") ? archiveSuffixes : [])
        let files = message["filenames"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return files.filter { file in suffixes.contains { file.hasSuffix($0) } }.map {
            ReportedArtifact(package: package, packageID: id, file: $0, sourcePath: source, executable: false)
        }
    }

    /// The name of a package of the source tree; `nil` for others.
    ///
    /// Cargo writes ids as package id specifications, `path+file:///folder#name@version` or
    /// `path+file:///name#version`; before 1.77 as `name version (path+file:///folder)`.
    private static func localPackage(_ id: String) -> String? {
        let name: String?
        if id.hasPrefix("path+file://") {
            let parts = id.split(separator: "#", maxSplits: 1)
            let fragment = parts.count > 1 ? parts[1] : ""
            name = fragment.contains("@") ? String(fragment.prefix { $0 != "@" }) : PathParts.last(parts[0])
        } else {
            let words = id.split(separator: " ", maxSplits: 2)
            guard words.count == 3, words[2].hasPrefix("(path+file://") else { return nil }
            name = String(words[0])
        }
        // One by one: to Swift a letter may hold the slash behind it.
        let safe = (name ?? "").unicodeScalars.filter {
            $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "-" || $0 == "_"
        }
        return safe.isEmpty ? "package" : String(safe)
    }
}
