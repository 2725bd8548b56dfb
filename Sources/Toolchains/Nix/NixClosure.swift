// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import ByteCoding

/// What a store path of this machine needs to run, found as Nix finds it: by the names of other store paths in its
/// files ("Nix Manual", "Store Object", references).
package enum NixClosure {
    private static let maximumPaths = 2000
    private static let maximumFile = 1 << 30

    /// The names of all paths that are reached from `name`, itself included, each with those that it names.
    package static func references(
        from name: String, store: String = NixStorePath.standardDirectory
    ) throws(BuildFailure) -> [String: [String]] {
        let names: [String]
        do {
            names = try ProjectFiles.list(store).map(\.name)
        } catch {
            throw unreadable(store, error)
        }
        let known = names.compactMap { try? NixStorePath("\(store)/\($0)", directory: store) }
        let references = StoreReferences(known: known, store: store)
        var found: [String: [String]] = [:]
        var waiting = [name]
        while let next = waiting.popLast() {
            guard found[next] == nil else { continue }
            guard found.count < maximumPaths else {
                throw BuildFailure(.resourceLimit, "Nix itself needs more than \(maximumPaths) store paths")
            }
            var scan = ReferenceScan(references: references)
            try scan.visit("\(store)/\(next)", depth: 0)
            let named = scan.found.map(\.baseName).sorted()
            found[next] = named
            waiting += named
        }
        return found
    }

    fileprivate static func unreadable(_ path: String, _ error: UnreadableFile) -> BuildFailure {
        BuildFailure(.unsupportedToolchain, "'\(path)' of this server's Nix cannot be read: \(error.reason)")
    }

    private struct ReferenceScan {
        let references: StoreReferences
        var found: Set<NixStorePath> = []

        mutating func visit(_ path: String, depth: Int) throws(BuildFailure) {
            do {
                switch ProjectFiles.kind(of: path) {
                case .file: found.formUnion(references.find(in: try ProjectFiles.read(path, limit: maximumFile) ?? []))
                case .link: found.formUnion(references.find(in: Array((ProjectFiles.linkTarget(path) ?? "").utf8)))
                case .folder:
                    guard depth < NixArchive.maximumDepth else { throw UnreadableFile(reason: "it nests too deep") }
                    for entry in try ProjectFiles.list(path) { try visit("\(path)/\(entry.name)", depth: depth + 1) }
                case .other: throw UnreadableFile(reason: "it is no file, folder or link")
                }
            } catch {
                throw (error as? BuildFailure) ?? (error as? UnreadableFile).map { unreadable(path, $0) }
                    ?? BuildFailure(.internal, "\(error)")
            }
        }
    }
}
