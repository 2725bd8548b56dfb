// SPDX-License-Identifier: Apache-2.0
package import Builds
package import ByteCoding
package import Provenance
internal import StrictJSON

/// Everything in the store that the build phase will read: compared with what was promised, and described.
package struct NixInputs: Sendable {
    let plan: NixPlan
    let store: NixStore
    /// What the store had after the evaluation: sources, and what the evaluation fetched.
    let evaluated: Set<NixStorePath>
    /// What came from a cache.
    let substituted: [NixStorePath: Digest256]
    let lock: FlakeLock?
    let project: Project
    let caches: [String]

    package init(
        plan: NixPlan, store: NixStore, evaluated: Set<NixStorePath>, substituted: [NixStorePath: Digest256],
        lock: FlakeLock?, project: Project, caches: [String]
    ) {
        self.plan = plan
        self.store = store
        self.evaluated = evaluated
        self.substituted = substituted
        self.lock = lock
        self.project = project
        self.caches = caches
    }

    /// Throws `InputVerificationError` naming what is missing or differs, `UnpinnedDependencyError` for a hash that
    /// pins nothing. Blocks while it reads files.
    package func verify() throws(BuildFailure) -> [ResourceDescriptor] {
        let realised = plan.realised(beside: Set(substituted.keys).union(store.given))
        let known = try flakeSources()
        var inputs: [ResourceDescriptor] = []
        inputs += try downloads(of: realised)
        inputs += try sources(of: realised, but: known)
        for (path, digest) in substituted.sorted(by: { $0.key < $1.key }) {
            guard try NixArchive.digest(of: store.place(of: path)) == digest else {
                throw BuildFailure(.inputVerification, "\(path) is not any more what came from the cache")
            }
            var input = described(path, digest, as: "substituted")
            input.annotations["substituters"] = .array(caches.map(JSONValue.string))
            inputs.append(input)
        }
        return inputs
    }

    /// What derivations read as it is, and whatever else the evaluation brought into the store.
    private func sources(
        of realised: Set<NixStorePath>, but known: Set<NixStorePath>
    ) throws(BuildFailure) -> [ResourceDescriptor] {
        let present = StoreReferences(known: evaluated.union(store.given))
        var tree = NixSourceTree(root: project.sourceRoot)
        let read = Set(plan.sources(of: realised)).subtracting(store.given)
        var inputs: [ResourceDescriptor] = []
        for path in read.union(evaluated).subtracting(known).sorted() {
            let found = try store.verifySource(path, among: present)
            // A text is what the evaluation wrote itself, from what is listed.
            guard read.contains(path) || found.kind != .text else { continue }
            let names = path.name == Self.flakeSource ? [path.name] + folderNames : [path.name]
            var isPart = false
            for name in names where !isPart { isPart = try tree.hasPart(named: name, found.digest) }
            guard !isPart else { continue }
            inputs.append(described(path, found.digest, as: "source", isArchive: found.kind != .file))
        }
        return inputs
    }

    /// The store paths of the source tree itself and of the lockfile's inputs, which are listed as such.
    private func flakeSources() throws(BuildFailure) -> Set<NixStorePath> {
        var known: Set<NixStorePath> = []
        for folder in Set([project.sourceRoot, project.folder]) {
            let own = try NixArchive.digest(of: folder)
            guard let path = NixStore.sourcePath(own, name: Self.flakeSource) else { continue }
            if store.has(path) { _ = try store.verifySource(path, among: StoreReferences(known: [])) }
            known.insert(path)
        }
        for input in lock?.inputs ?? [] {
            // A folder of the tree is no input of its own, whatever its hash is said to be.
            guard input.pin != nil, let promised = input.narHash else { continue }
            known.insert(try place(of: input, promised))
        }
        return known
    }

    /// Where an input of the lockfile is, which Nix was told to fetch. A single file stands elsewhere than a tree with
    /// the same archive.
    private func place(of input: FlakeInput, _ promised: Digest256) throws(BuildFailure) -> NixStorePath {
        let name = input.names.joined(separator: "', '")
        if let path = NixStore.sourcePath(promised, name: Self.flakeSource), store.has(path) {
            let found = try NixArchive.digest(of: store.place(of: path))
            guard found == promised else {
                throw BuildFailure(
                    .inputVerification,
                    "the input '\(name)' has an archive with the SHA-256 \(found), flake.lock promises \(promised)")
            }
            return path
        }
        for path in evaluated.sorted() where path.name == Self.flakeSource {
            if try NixArchive.digest(of: store.place(of: path)) == promised { return path }
        }
        throw BuildFailure(
            .inputVerification,
            "the input '\(name)' is not in the store after it was fetched: nothing there has an archive with the SHA-256 "
                + "\(promised) that flake.lock promises")
    }

    /// What the folders of the tree are called that are inputs of the flake.
    private var folderNames: [String] {
        let paths = (lock?.inputs ?? []).compactMap { input in
            if case .folder(let path) = input.origin { return path }
            return nil
        }
        return paths.compactMap { $0.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } }
    }

    /// The name that Nix gives to what it fetches for flakes.
    static let flakeSource = "source"

    /// One for each output: derivations that differ otherwise may promise the same.
    private func downloads(of realised: Set<NixStorePath>) throws(BuildFailure) -> [ResourceDescriptor] {
        var found: [NixStorePath: ResourceDescriptor] = [:]
        for path in plan.fixed(among: realised) {
            guard let derivation = plan.derivations[path], let promise = derivation.fixedOutput,
                let output = derivation.outputs.first?.path
            else { throw BuildFailure(.internal, "\(path) is no fixed-output derivation") }
            guard found[output] == nil else { continue }
            try verify(derivation, output, promise)
            found[output] = described(derivation, output, promise)
        }
        return Array(found.values)
    }

    private func verify(
        _ derivation: NixPlan.Derivation, _ output: NixStorePath, _ promise: NixFixedOutput
    ) throws(BuildFailure) {
        let algorithm = promise.hash.algorithm
        guard algorithm == .sha256 || algorithm == .sha512 else {
            throw BuildFailure(
                .unpinnedDependency,
                "the download '\(shown(derivation.name))' is named by a hash of \(algorithm.rawValue), of which a second "
                    + "file can be made; name it by its SHA-256")
        }
        guard store.has(output) else {
            throw BuildFailure(.inputVerification, "the download '\(shown(derivation.name))' is not in the store")
        }
        let found = try NixArchive.output(at: store.place(of: output), like: promise)
        guard found == promise else {
            throw BuildFailure(
                .inputVerification,
                "the download '\(shown(derivation.name))' has the \(algorithm.rawValue) \(found.hash.hex), its "
                    + "derivation promises \(promise.hash.hex)")
        }
    }

    private func described(
        _ derivation: NixPlan.Derivation, _ output: NixStorePath, _ promise: NixFixedOutput
    ) -> ResourceDescriptor {
        let url = derivation.urls.first
        var qualifiers = ["checksum=\(promise.hash.algorithm.rawValue):\(promise.hash.hex)"]
        if let url { qualifiers.append("download_url=\(PercentEncoding.encode(url, keeping: ":/"))") }
        var annotations: [String: JSONValue] = [
            "kind": "fixedOutput", "hashMode": .string(promise.mode.rawValue),
            "derivation": .string(derivation.path.description), "storePath": .string(output.description),
            "fetcher": derivation.isBuiltin ? "builtin" : "program",
        ]
        if derivation.urls.count > 1 { annotations["urls"] = .array(derivation.urls.map(JSONValue.string)) }
        return ResourceDescriptor(
            name: output.name,
            uri: "pkg:generic/\(PercentEncoding.encode(output.name))?\(qualifiers.joined(separator: "&"))",
            digest: [promise.hash.algorithm.rawValue: promise.hash.hex],
            mediaType: promise.mode == .archive ? ResourceDescriptor.nixArchiveType : nil, downloadLocation: url,
            annotations: annotations)
    }

    private func described(
        _ path: NixStorePath, _ digest: Digest256, as kind: String, isArchive: Bool = true
    ) -> ResourceDescriptor {
        ResourceDescriptor(
            name: path.name,
            uri: "pkg:generic/\(PercentEncoding.encode(path.name))?nix_store_path="
                + PercentEncoding.encode(path.description, keeping: "/"),
            digest: ["sha256": digest.hex], mediaType: isArchive ? ResourceDescriptor.nixArchiveType : nil,
            annotations: ["kind": .string(kind), "storePath": .string(path.description)])
    }
}
