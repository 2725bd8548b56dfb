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
        var known: [String: String] = [:]
        do {
            for entry in try ProjectFiles.list(store)
            where (try? NixStorePath("\(store)/\(entry.name)", directory: store)) != nil {
                known[String(entry.name.prefix(32))] = entry.name
            }
        } catch {
            throw unreadable(store, error)
        }
        var found: [String: [String]] = [:]
        var waiting = [name]
        while let next = waiting.popLast() {
            guard found[next] == nil else { continue }
            guard found.count < maximumPaths else {
                throw BuildFailure(.resourceLimit, "Nix itself needs more than \(maximumPaths) store paths")
            }
            var scan = ReferenceScan(store: store, known: known)
            try scan.visit("\(store)/\(next)", depth: 0)
            found[next] = scan.found.sorted()
            waiting += scan.found
        }
        return found
    }

    fileprivate static func unreadable(_ path: String, _ error: UnreadableFile) -> BuildFailure {
        BuildFailure(.unsupportedToolchain, "'\(path)' of this server's Nix cannot be read: \(error.reason)")
    }

    private struct ReferenceScan {
        let store: String
        /// From hash part to name.
        let known: [String: String]
        let prefix: [UInt8]
        var found: Set<String> = []

        init(store: String, known: [String: String]) {
            self.store = store
            self.known = known
            prefix = Array((store + "/").utf8)
        }

        mutating func visit(_ path: String, depth: Int) throws(BuildFailure) {
            do {
                switch ProjectFiles.kind(of: path) {
                case .file: look(in: try ProjectFiles.read(path, limit: maximumFile) ?? [])
                case .link: look(in: Array((ProjectFiles.linkTarget(path) ?? "").utf8))
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

        private mutating func look(in bytes: [UInt8]) {
            let length = prefix.count + 32
            guard bytes.count >= length, let last = prefix.last else { return }
            bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
                for end in prefix.count - 1..<bytes.count - 32 where bytes[end] == last {
                    let start = end + 1 - prefix.count
                    guard bytes[start..<end].elementsEqual(prefix.dropLast()) else { continue }
                    let hash = String(decoding: bytes[end + 1..<start + length], as: UTF8.self)
                    if let name = known[hash] { found.insert(name) }
                }
            }
        }
    }
}
