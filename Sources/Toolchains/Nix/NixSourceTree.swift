// SPDX-License-Identifier: Apache-2.0
package import Builds
package import ByteCoding

/// The source tree, asked which sources of derivations are only parts of it: its own digest covers those.
///
/// Whatever is asked, each place is hashed once at most, so that the work is bounded by the tree's bytes times its depth.
package struct NixSourceTree {
    package static let maximumEntries = 500_000

    private struct Folder {
        /// `nil` for the root.
        let parent: Int?
        let name: String
    }

    private struct Place: Hashable {
        let folder: Int
        let name: String
    }

    private let maximumEntries: Int
    /// The root first. Whole paths of all would be gigabytes where names are long.
    private var folders: [Folder]
    /// In which folders each name stands, when they have been listed.
    private var places: [String: [Int]]?
    private var digests: [Place: Digest256] = [:]

    /// - Parameter maximumEntries: files, folders and links that the tree may have.
    package init(root: String, maximumEntries: Int = maximumEntries) {
        self.maximumEntries = maximumEntries
        folders = [Folder(parent: nil, name: root)]
    }

    /// Whether something in the tree has this name and this archive.
    ///
    /// Throws `ResourceLimitError` where the tree has too many entries, `SourceError` where a folder cannot be read,
    /// `InputVerificationError` where something of this name cannot be.
    package mutating func hasPart(named name: String, _ digest: Digest256) throws(BuildFailure) -> Bool {
        for folder in try listed()[name] ?? [] {
            if try self.digest(of: Place(folder: folder, name: name)) == digest { return true }
        }
        return false
    }

    private mutating func digest(of place: Place) throws(BuildFailure) -> Digest256 {
        if let known = digests[place] { return known }
        let digest = try NixArchive.digest(of: "\(path(of: place.folder))/\(place.name)")
        digests[place] = digest
        return digest
    }

    private func path(of folder: Int) -> String {
        var names: [String] = []
        var next: Int? = folder
        while let current = next {
            names.append(folders[current].name)
            next = folders[current].parent
        }
        return names.reversed().joined(separator: "/")
    }

    private mutating func listed() throws(BuildFailure) -> [String: [Int]] {
        if let places { return places }
        var found: [String: [Int]] = [:]
        var count = 0
        var waiting = [0]
        while let folder = waiting.popLast() {
            let entries = try entries(of: path(of: folder))
            count += entries.count
            guard count <= maximumEntries else {
                throw BuildFailure(
                    .resourceLimit,
                    "the source has more than \(maximumEntries) files, folders and links, too many to tell which the build "
                        + "takes; build from a smaller source")
            }
            for entry in entries {
                found[entry.name, default: []].append(folder)
                guard entry.kind == .folder else { continue }
                folders.append(Folder(parent: folder, name: entry.name))
                waiting.append(folders.count - 1)
            }
        }
        places = found
        return found
    }

    private func entries(of folder: String) throws(BuildFailure) -> [ProjectFiles.Entry] {
        do {
            return try ProjectFiles.list(folder)
        } catch {
            throw BuildFailure(.source, "the source's folder '\(shown(folder))' cannot be read: \(error.reason)")
        }
    }
}
