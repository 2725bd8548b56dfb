// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import Provenance

/// The outputs of a result, as files and links among the artifacts. One output stands at the top, several each below
/// its name.
package struct NixOutputs: Sendable {
    let store: NixStore
    let outputs: [NixTarget.Output]

    /// - Parameter outputs: names and paths.
    package init(store: NixStore, outputs: [(name: String, path: NixStorePath)]) {
        self.init(store: store, named: outputs.map { NixTarget.Output(name: $0.name, path: $0.path) })
    }

    init(store: NixStore, named outputs: [NixTarget.Output]) {
        self.store = store
        self.outputs = outputs
    }

    /// Throws `ArtifactError` where there is nothing, or a link leads out of the store or nowhere.
    ///
    /// - Parameter needed: all store paths that the outputs name, themselves included.
    package func collect(needed: [NixStorePath]) throws(BuildFailure) -> CollectedFiles {
        var walk = NixOutputWalk(store: store)
        for output in outputs {
            try walk.add(output.path, under: outputs.count == 1 ? "" : output.name)
        }
        guard !walk.artifacts.isEmpty else {
            throw BuildFailure(.artifact, "the package's outputs have no file; an artifact must be one")
        }
        let own = Set(outputs.map(\.path))
        let others = needed.filter { !own.contains($0) }
        return CollectedFiles(
            artifacts: walk.artifacts.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
            links: try walk.usedLinks(), byproducts: Self.byproducts(needed: others), notes: Self.notes(needed: others))
    }

    /// An artifact that only runs beside a store is a surprise to its user, so it is said.
    private static func notes(needed: [NixStorePath]) -> [String] {
        guard !needed.isEmpty else { return [] }
        let shown = needed.prefix(3).map(\.description).joined(separator: ", ")
        return [
            "The artifacts name \(needed.count) store paths, and may need them at run time: \(shown)"
                + (needed.count > 3 ? ", …" : "")
        ]
    }

    private static func byproducts(needed: [NixStorePath]) -> [ResourceDescriptor] {
        needed.isEmpty ? [] : [RuntimeStorePaths.byproduct(needed.map(\.description))]
    }
}

/// Goes through outputs. Links that stay within an output are kept; what a link to another store path leads to is
/// taken in its place, as a store is not there where artifacts are used.
private struct NixOutputWalk {
    /// Files, folders and links, each as often as it is reached.
    private static let maximumVisits = 200_000
    private static let maximumDepth = 64

    let store: NixStore
    private(set) var artifacts: [BuiltArtifact] = []
    private var links: [ArtifactLink] = []
    private var visits = 0

    init(store: NixStore) { self.store = store }

    /// Links that lead to something: an empty folder is no artifact.
    func usedLinks() throws(BuildFailure) -> [ArtifactLink] {
        do {
            let used = try ArtifactLink.leading(links, to: artifacts.map(\.name))
            return used.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        } catch {
            throw BuildFailure(
                .artifact, "the artifacts cannot be stated: \(error); rename what is named so in the build")
        }
    }

    mutating func add(_ output: NixStorePath, under prefix: String) throws(BuildFailure) {
        let place = store.place(of: output)
        guard ProjectFiles.kind(of: place) == .folder else {
            // An output that is a single file, or a link to one, has the output's name.
            let name = prefix.isEmpty ? output.name : "\(prefix)/\(output.name)"
            return try visit(StorePlace(output, []), as: name, within: output, depth: 0)
        }
        try visitFolder(StorePlace(output, []), as: prefix, within: output, depth: 0)
    }

    private mutating func visit(
        _ place: StorePlace, as name: String, within output: NixStorePath, depth: Int
    ) throws(BuildFailure) {
        visits += 1
        guard visits <= Self.maximumVisits else {
            throw BuildFailure(
                .artifact, "the artifacts have more than \(Self.maximumVisits) files, folders and links")
        }
        switch ProjectFiles.kind(of: place.path(in: store)) {
        case .file: addFile(place, as: name)
        case .folder: try visitFolder(place, as: name, within: output, depth: depth)
        case .link: try visitLink(place, as: name, within: output, depth: depth)
        case .other:
            throw BuildFailure(
                .artifact,
                "the artifact '\(shown(name))' is a pipe, socket or device; expected a file, folder or link: let the "
                    + "package not install it")
        }
    }

    private mutating func visitFolder(
        _ place: StorePlace, as name: String, within output: NixStorePath, depth: Int
    ) throws(BuildFailure) {
        guard depth < Self.maximumDepth else {
            throw BuildFailure(.artifact, "the artifacts nest more than \(Self.maximumDepth) folders")
        }
        let entries: [ProjectFiles.Entry]
        do {
            entries = try ProjectFiles.list(place.path(in: store))
        } catch {
            throw BuildFailure(.artifact, "the artifacts in '\(shown(name))' cannot be read: \(error.reason)")
        }
        for entry in entries {
            let child = name.isEmpty ? entry.name : "\(name)/\(entry.name)"
            try visit(place.appending(entry.name), as: child, within: output, depth: depth + 1)
        }
    }

    private mutating func visitLink(
        _ place: StorePlace, as name: String, within output: NixStorePath, depth: Int
    ) throws(BuildFailure) {
        let storeLinks = StoreLinks(store: store)
        let target = try storeLinks.resolve(place, named: name)
        if place.output == output, let text = storeLinks.textWithin(place) {
            return links.append(ArtifactLink(name: name, target: text))
        }
        try visit(target, as: name, within: output, depth: depth + 1)
    }

    private mutating func addFile(_ place: StorePlace, as name: String) {
        let path = place.path(in: store)
        artifacts.append(
            BuiltArtifact(
                name: name, relativePath: "\(NixStore.folder)/store/\(place.text)",
                executable: ProjectFiles.isExecutable(path)))
    }
}
