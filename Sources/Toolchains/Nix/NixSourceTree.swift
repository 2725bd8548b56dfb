// SPDX-License-Identifier: Apache-2.0
package import Builds
package import ByteCoding

/// The source tree, asked which sources of derivations are only parts of it: its own digest covers those.
package struct NixSourceTree {
    let root: String
    /// Files, folders and links; a larger tree is not searched.
    private let maximumEntries: Int
    /// All places below the root by their last name, when they have been listed.
    private var places: [String: [String]]?

    package init(root: String, maximumEntries: Int = 500_000) {
        self.root = root
        self.maximumEntries = maximumEntries
    }

    /// Whether something in the tree has this name and this archive. Throws `ResourceLimitError` where the tree has too
    /// many entries to search, `SourceError` where it cannot be read.
    package mutating func hasPart(named name: String, _ digest: Digest256) throws(BuildFailure) -> Bool {
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
            count += entries.count
            guard count <= maximumEntries else {
                throw BuildFailure(
                    .resourceLimit,
                    "the source has more than \(maximumEntries) files and folders, too many to look for parts of it; "
                        + "expected fewer: leave out what is not needed")
            }
            for entry in entries {
                found[entry.name, default: []].append("\(folder)/\(entry.name)")
                if entry.kind == .folder { waiting.append("\(folder)/\(entry.name)") }
            }
        }
        places = found
        return found
    }
}
