// SPDX-License-Identifier: Apache-2.0
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
            id.hasPrefix("path+file://"), let target = message["target"], message["profile"]?["test"] != true
        else { return [] }
        let kinds = Set(target["kind"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        let source = target["src_path"]?.stringValue ?? ""
        let package = packageName(id)
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

    /// From a package id specification: `path+file:///folder#name@version`, or `path+file:///name#version`.
    private static func packageName(_ id: String) -> String {
        let parts = id.split(separator: "#", maxSplits: 1)
        let fragment = parts.count > 1 ? parts[1] : ""
        let name = fragment.contains("@") ? fragment.prefix { $0 != "@" } : parts[0].split(separator: "/").last ?? ""
        let safe = name.filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        return safe.isEmpty ? "package" : String(safe)
    }
}
