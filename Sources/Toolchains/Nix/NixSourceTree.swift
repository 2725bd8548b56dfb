// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding

/// The source tree, asked which sources of derivations are only parts of it: its own digest covers those.
struct NixSourceTree {
    private static let maximumEntries = 500_000

    let root: String
    /// All places below the root by their last name, when they have been listed.
    private var places: [String: [String]]?

    init(root: String) { self.root = root }

    /// Whether something in the tree has this name and this archive.
    mutating func hasPart(named name: String, _ digest: Digest256) throws(BuildFailure) -> Bool {
        for place in try listed()[name] ?? [] where try NixArchive.digest(of: place) == digest { return true }
        return false
    }

    private mutating func listed() throws(BuildFailure) -> [String: [String]] {
        if let places { return places }
        var found: [String: [String]] = [:]
        var count = 0
        var waiting = [root]
        while let folder = waiting.popLast() {
            let entries: [ProjectFiles.Entry]
            do {
                entries = try ProjectFiles.list(folder)
            } catch {
                throw BuildFailure(.source, "the source's folder '\(shown(folder))' cannot be read: \(error.reason)")
            }
            for entry in entries where count < Self.maximumEntries {
                count += 1
                found[entry.name, default: []].append("\(folder)/\(entry.name)")
                if entry.kind == .folder { waiting.append("\(folder)/\(entry.name)") }
            }
        }
        places = found
        return found
    }
}
