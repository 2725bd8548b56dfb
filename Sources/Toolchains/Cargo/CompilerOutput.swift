// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

/// Finds a program where the compiler put it (`deps/NAME-HASH`), before Cargo gave it its final name, by the list of
/// source files beside it.
struct CompilerOutput {
    let workspace: Workspace
    /// The project's folder as commands see it.
    let project: String

    /// The path below the output part; `nil` unless exactly one file fits.
    func original(of artifact: ReportedArtifact, at path: String) -> String? {
        let output = workspace.path(.output)
        let parts = PathParts.names(path)
        guard let name = parts.last, let realOutput = ProjectFiles.realPath(output) else { return nil }
        let folder = (parts.dropLast() + ["deps"]).joined(separator: "/")
        // The build wrote all this: a link instead of a folder is not followed.
        guard let realFolder = ProjectFiles.realPath("\(output)/\(folder)"),
            realFolder.utf8.elementsEqual("\(realOutput)/\(folder)".utf8),
            let entries = try? ProjectFiles.list("\(output)/\(folder)")
        else { return nil }
        // The compiler's crate names have no hyphens.
        let prefix = Self.crateName(name) + "-"
        let candidates = entries.filter { entry in
            entry.kind == .file && !entry.name.contains(".") && Self.crateName(entry.name).hasPrefix(prefix)
                && isMade("\(output)/\(folder)/\(entry.name).d", from: artifact.sourcePath)
        }
        return candidates.count == 1 ? candidates.first.map { "\(folder)/\($0.name)" } : nil
    }

    private static func crateName(_ file: String) -> String {
        guard let hyphen = file.lastIndex(of: "-"), file.distance(from: hyphen, to: file.endIndex) == 17 else {
            return file.replacing("-", with: "_")
        }
        return file[..<hyphen].replacing("-", with: "_") + String(file[hyphen...])
    }

    /// Whether the list of source files (as `make` reads it) holds `source`, absolute or relative to the project.
    private func isMade(_ list: String, from source: String) -> Bool {
        guard ProjectFiles.kind(of: list) == .file, let bytes = try? ProjectFiles.read(list, limit: 1 << 20) else {
            return false
        }
        let relative = PathParts.below(project, source) ?? source
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        return words.contains { $0 == source || $0 == relative }
    }
}
