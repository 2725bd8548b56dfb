// SPDX-License-Identifier: Apache-2.0
internal import Builds

extension NixPlan {
    /// What is kept of a derivation: not its environment nor its arguments, which may be megabytes.
    package struct Derivation: Hashable, Sendable {
        /// Where it stands itself.
        package let path: NixStorePath
        package let name: String
        package let system: String
        /// Whether Nix itself does what it describes, and no program.
        package let isBuiltin: Bool
        package let outputs: [NixDerivation.Output]
        /// What it may fetch; `nil` where it has no network.
        package let fixedOutput: NixFixedOutput?
        /// The derivations that are built first, sorted by path.
        package let inputDerivations: [Input]
        /// The store paths that it takes as they are, sorted.
        package let inputSources: [NixStorePath]
        /// Where it fetches from; empty where it has no network.
        package let urls: [String]

        package struct Input: Hashable, Sendable {
            package let path: NixStorePath
        }

        /// - Parameter paths: all that are known already. Equal ones share their memory.
        init(_ derivation: NixDerivation, paths: inout Set<NixStorePath>) {
            path = paths.insert(derivation.path).memberAfterInsert
            name = derivation.name
            system = derivation.system
            isBuiltin = derivation.isBuiltin
            outputs = derivation.outputs
            fixedOutput = derivation.fixedOutput
            inputDerivations = derivation.inputDerivations.map {
                Input(path: paths.insert($0.path).memberAfterInsert)
            }
            inputSources = derivation.inputSources.map { paths.insert($0).memberAfterInsert }
            urls = derivation.fixedOutput == nil ? [] : derivation.urls
        }

        /// Outputs, inputs and addresses together.
        var entries: Int { outputs.count + inputDerivations.count + inputSources.count + urls.count }

        /// Bytes of texts whose length nothing else bounds.
        var textSize: Int { urls.reduce(system.utf8.count) { $0 + $1.utf8.count } }
    }

    /// How much a plan may hold, so that no flake exhausts the memory of whoever reads it. The derivations of a whole
    /// operating system are a third of it.
    package struct Limits: Hashable, Sendable {
        /// Derivations.
        package var derivations = 100_000
        /// Bytes of all derivations together.
        package var size = 512 << 20
        /// Outputs, inputs and addresses of all derivations together.
        package var entries = 2_000_000
        /// Bytes of all addresses and names of systems together.
        package var textSize = 64 << 20
        /// Times that downloads wait for what other downloads brought.
        package var downloadStages = 32
        /// Derivations of one stage: longer ones are cut.
        package var stageSize = NixPlan.batchSize

        package init() {}
    }

    /// What of ``Limits`` is used up.
    struct Usage {
        private let limits: Limits
        private var derivations = 0
        private var size = 0
        private var entries = 0
        private var textSize = 0

        init(_ limits: Limits) { self.limits = limits }

        /// Throws `ResourceLimitError` before a derivation more than may be is read.
        mutating func addDerivation() throws(BuildFailure) {
            derivations += 1
            try check(derivations, limits.derivations, "derivations")
        }

        /// Throws `ResourceLimitError` where it is too much with all those before it.
        mutating func add(_ derivation: Derivation, size bytes: Int) throws(BuildFailure) {
            size += bytes
            entries += derivation.entries
            textSize += derivation.textSize
            try check(size, limits.size, "bytes of derivations")
            try check(entries, limits.entries, "outputs, inputs and addresses of derivations")
            try check(textSize, limits.textSize, "bytes of addresses in derivations")
        }

        private func check(_ count: Int, _ limit: Int, _ what: String) throws(BuildFailure) {
            guard count <= limit else { throw NixPlan.tooMuch(limit, what) }
        }
    }

    static func tooMuch(_ limit: Int, _ what: String) -> BuildFailure {
        BuildFailure(.resourceLimit, "the build needs more than \(limit) \(what); build less of the flake at once")
    }
}
