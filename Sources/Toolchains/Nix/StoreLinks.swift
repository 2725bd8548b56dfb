// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Foundation

/// A place within a store path.
struct StorePlace: Hashable {
    let output: NixStorePath
    /// Names below it; none for the store path itself.
    let parts: [String]

    init(_ output: NixStorePath, _ parts: [String]) {
        self.output = output
        self.parts = parts
    }

    func appending(_ name: String) -> StorePlace { StorePlace(output, parts + [name]) }

    /// `nil` for the store path itself.
    var parent: StorePlace? { parts.isEmpty ? nil : StorePlace(output, parts.dropLast()) }

    /// Below the store.
    var text: String { ([output.baseName] + parts).joined(separator: "/") }

    func path(in store: NixStore) -> String { "\(store.root)/\(text)" }
}

/// Where links in a build's store lead. The store is elsewhere on this machine than the links say, so that the system
/// cannot be asked.
struct StoreLinks {
    /// Links that are followed on the way to one place.
    private static let maximumLinks = 40

    let store: NixStore

    /// Where `place` leads in the end: to a file or a folder, without links on the way.
    ///
    /// - Parameter name: the artifact, for the message.
    func resolve(_ place: StorePlace, named name: String) throws(BuildFailure) -> StorePlace {
        var followed = 0
        var current = StorePlace(place.output, [])
        /// Names that are still to be gone through, the next one last.
        var waiting = Array(place.parts.reversed())
        while true {
            switch ProjectFiles.kind(of: current.path(in: store)) {
            case .other: throw Self.dangling(name)
            case .link:
                followed += 1
                guard followed <= Self.maximumLinks else { throw Self.dangling(name) }
                let (base, parts) = try target(of: current, named: name)
                current = base
                waiting += parts.reversed()
                // The new place may be a link itself.
                continue
            case .file, .folder: break
            }
            guard let part = waiting.popLast() else { return current }
            guard part == ".." else {
                current = current.appending(part)
                continue
            }
            guard let parent = current.parent else { throw Self.outside(name) }
            current = parent
        }
    }

    /// From where the text of the link at `place` counts, and its parts.
    private func target(of place: StorePlace, named name: String) throws(BuildFailure) -> (StorePlace, [String]) {
        guard let text = ProjectFiles.linkTarget(place.path(in: store)) else { throw Self.dangling(name) }
        let parts = PathParts.names(text).filter { $0 != "." }
        guard PathParts.isAbsolute(text) else {
            guard let folder = place.parent else { throw Self.outside(name) }
            return (folder, parts)
        }
        guard let output = NixStore.path(containing: text) else { throw Self.outside(name) }
        // What follows `/nix/store/HASH-NAME`.
        return (StorePlace(output, []), Array(parts.dropFirst(3)))
    }

    /// The text of the link at `place`, made relative, where it leads to within the same store path by its text alone.
    func textWithin(_ place: StorePlace) -> String? {
        guard let text = ProjectFiles.linkTarget(place.path(in: store)), !place.parts.isEmpty else { return nil }
        guard PathParts.isAbsolute(text) else {
            return PathParts.lexical(text, from: place.parts.dropLast()) == nil ? nil : text
        }
        guard NixStore.path(containing: text) == place.output, let parts = PathParts.lexical(text, from: []) else {
            return nil
        }
        return Self.relative(from: place.parts, to: Array(parts.dropFirst(3)))
    }

    /// The text of a link at `from` that leads to `to`.
    static func relative(from: [String], to: [String]) -> String {
        let folder = from.dropLast()
        let common = zip(folder, to).prefix { $0 == $1 }.count
        let parts = Array(repeating: "..", count: folder.count - common) + to.dropFirst(common)
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    private static func outside(_ name: String) -> BuildFailure {
        BuildFailure(
            .artifact,
            "the artifact '\(shown(name))' is a link that leads out of the store; an artifact must be there itself")
    }

    private static func dangling(_ name: String) -> BuildFailure {
        BuildFailure(.artifact, "the artifact '\(shown(name))' is a link that leads nowhere; remove it in the build")
    }
}
