// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
internal import StrictJSON

/// A derivation: a `.drv` file of a Nix store, checked against its own store path, so that what it says is believed of
/// no tool (Nix manual, "Store Derivation and Deriving Path" and "Derivation ATerm format").
public struct NixDerivation: Hashable, Sendable {
    /// Bytes; larger derivations are refused.
    public static let maximumSize = 16 << 20

    /// What a derivation makes.
    public struct Output: Hashable, Sendable {
        public let name: String
        public let path: NixStorePath
    }

    /// Bytes of its text.
    public let size: Int
    /// Where it stands itself.
    public let path: NixStorePath
    /// Sorted by name; never empty.
    public let outputs: [Output]
    /// What it may fetch; `nil` where it has no network.
    public let fixedOutput: NixFixedOutput?
    /// The derivations that are built first, and which of their outputs it takes; sorted by path.
    public let inputDerivations: [InputDerivation]
    /// The store paths that it takes as they are, sorted.
    public let inputSources: [NixStorePath]
    /// Such as `x86_64-linux`, or `builtin`.
    public let system: String
    /// The program that builds, or `builtin:NAME`.
    public let builder: String
    /// Bytes that are not UTF-8 are shown as U+FFFD, here and in the environment's values.
    public let arguments: [String]
    public let environment: [String: String]

    /// Outputs of another derivation.
    public struct InputDerivation: Hashable, Sendable {
        public let path: NixStorePath
        /// Sorted, never empty.
        public let outputs: [String]
    }

    /// - Parameter path: where the bytes stand; it must be what they give.
    ///
    /// Throws `UnsupportedToolchainError` where the bytes are no derivation of a kind that is known here: outputs whose
    /// path is open until they are built, impure ones and hashes of other kinds are refused. Throws
    /// `InputVerificationError` where the bytes do not belong at `path`, or a fixed output not at its own.
    public init(parsing bytes: [UInt8], at path: NixStorePath) throws(BuildFailure) {
        let text: DerivationText
        do {
            text = try DerivationText(parsing: bytes, directory: path.directory)
        } catch {
            throw Self.unsupported(path, "\(error)")
        }
        size = bytes.count
        self.path = path
        (outputs, fixedOutput) = try Self.outputs(text, path)
        inputDerivations = text.inputDerivations
        inputSources = text.inputSources
        system = text.system
        builder = text.builder
        arguments = text.arguments
        environment = text.environment
        try check(bytes)
    }

    /// The derivation's name: its path's without hash and `.drv`.
    public var name: String { String(path.name.dropLast(4)) }

    /// Whether Nix itself does what it describes, and no program.
    public var isBuiltin: Bool { builder.hasPrefix("builtin:") }

    /// Where its builder fetches from, as its environment says: `url` and `urls`, or those of its structured attributes.
    /// Words, not yet known to be URLs; mirrors as they are written (`mirror://gnu/…`). What a program really does is
    /// its own affair; Nix's own downloads do what is said.
    public var urls: [String] {
        var words: [String] = []
        if isBuiltin {
            // Nix's own download takes this one and no other.
            words = environment["url"].map { [$0] } ?? []
        } else if let text = environment["__json"] {
            let json = try? JSONValue(parsing: Array(text.utf8))
            for value in [json?["url"], json?["urls"]].compactMap({ $0 }) {
                words += (value.arrayValue ?? [value]).compactMap(\.stringValue).flatMap(Self.words)
            }
        } else {
            words = ["url", "urls"].compactMap { environment[$0] }.flatMap(Self.words)
        }
        guard words.count > 1 else { return words }
        var seen: Set<String> = []
        return words.filter { $0.hasBoundedMarks && seen.insert($0).inserted }
    }

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "\t" }).map(String.init)
    }

    /// The bytes are where they belong, and so is a fixed output.
    private func check(_ bytes: [UInt8]) throws(BuildFailure) {
        do {
            let references = inputSources + inputDerivations.map(\.path)
            let own = try NixStorePath(
                ofText: bytes, name: path.name, references: references, directory: path.directory)
            guard own == path else { throw differs("the derivation '\(path.name)'", path, own) }
            guard let fixedOutput, let output = outputs.first else { return }
            let promised = try NixStorePath(ofFixedOutput: fixedOutput, name: name, directory: path.directory)
            guard output.path == promised else { throw differs("the output of '\(path.name)'", output.path, promised) }
        } catch {
            throw error as? BuildFailure ?? Self.unsupported(path, "\(error)")
        }
    }

    private func differs(_ what: String, _ found: NixStorePath, _ expected: NixStorePath) -> BuildFailure {
        BuildFailure(.inputVerification, "\(what) stands at '\(found)', but its content gives '\(expected)'")
    }

    private static func outputs(
        _ text: DerivationText, _ path: NixStorePath
    ) throws(BuildFailure) -> ([Output], NixFixedOutput?) {
        guard path.isDerivation, !text.outputs.isEmpty else { throw unsupported(path, "it has no output") }
        var outputs: [Output] = []
        var fixed: NixFixedOutput?
        for output in text.outputs {
            if !output.algorithm.isEmpty || !output.hash.isEmpty {
                guard text.outputs.count == 1, output.name == "out" else {
                    throw unsupported(path, "an output with a hash is not its only one, named 'out'")
                }
                fixed = try fixedOutput(output, path)
            }
            do {
                guard !output.path.isEmpty else {
                    throw unsupported(path, "where its output '\(shown(output.name))' goes is open until it is built")
                }
                let place = try NixStorePath(output.path, directory: path.directory)
                outputs.append(Output(name: output.name, path: place))
            } catch {
                throw error as? BuildFailure ?? unsupported(path, "\(error)")
            }
        }
        return (outputs, fixed)
    }

    private static func fixedOutput(
        _ output: DerivationText.Output, _ path: NixStorePath
    ) throws(BuildFailure) -> NixFixedOutput {
        let isArchive = output.algorithm.hasPrefix("r:")
        let algorithm = String(output.algorithm.dropFirst(isArchive ? 2 : 0))
        guard output.hash != "impure" else { throw unsupported(path, "it is impure: its output may differ each time") }
        guard !output.hash.isEmpty else {
            throw unsupported(path, "its output's hash is open until it is built (content-addressed derivations)")
        }
        guard let algorithm = NixHash.Algorithm(rawValue: algorithm) else {
            throw unsupported(path, "its output has a hash of the unknown kind '\(shown(output.algorithm))'")
        }
        do {
            let hash = try NixHash(algorithm, bytes: try Hex.decode(output.hash))
            guard hash.hex == output.hash else { throw unsupported(path, "its output's hash has upper-case digits") }
            return NixFixedOutput(mode: isArchive ? .archive : .flat, hash: hash)
        } catch {
            throw error as? BuildFailure ?? unsupported(path, "\(error)")
        }
    }

    private static func unsupported(_ path: NixStorePath, _ reason: String) -> BuildFailure {
        BuildFailure(.unsupportedToolchain, "the derivation '\(path.name)' cannot be built here: \(reason)")
    }
}
