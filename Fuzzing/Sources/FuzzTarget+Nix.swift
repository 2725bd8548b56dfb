// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Provenance
@testable import Toolchains

extension FuzzTarget {
    /// What comes with a source, or out of a store that is not believed.
    static let nix = [
        FuzzTarget("flake-lock", { bytes throws(MalformedBytes) in try lock(bytes) }) { _, lock in
            let names = lock.inputs.flatMap(\.names)
            expect(Set(names).count == names.count, "two inputs have one name")
            expect(lock.rootInputs == lock.rootInputs.sorted(), "the flake's inputs are not sorted")
            for dependency in lock.dependencies {
                expect(dependency.digest["sha256"]?.utf8.count == 64, "a dependency without a digest")
                let again = try? ResourceDescriptor(json: dependency.json)
                expect(again == dependency, "a dependency reads differently")
            }
        },
        FuzzTarget("nix-derivation", { bytes throws(MalformedBytes) in try derivation(bytes) }) { bytes, text in
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try derivation(bytes) }
            // Bytes that are no text are shown as something else.
            guard String(validating: bytes, as: UTF8.self) != nil else { return }
            let written = written(text)
            expect(written == String(decoding: bytes, as: UTF8.self), "the derivation is written differently")
        },
        FuzzTarget("nix-hash", { bytes throws(MalformedBytes) in try NixHash(text(bytes)) }) { _, hash in
            expect((try? NixHash(hash.sri)) == hash, "the hash reads differently")
            expect((try? NixHash(hash.hex, algorithm: hash.algorithm)) == hash, "the hash reads differently")
        },
    ]

    private static func lock(_ bytes: [UInt8]) throws(MalformedBytes) -> FlakeLock {
        do {
            return try FlakeLock(parsing: bytes)
        } catch {
            throw MalformedBytes(format: "flake.lock", offset: 0, reason: error.message)
        }
    }

    private static func derivation(_ bytes: [UInt8]) throws(MalformedBytes) -> DerivationText {
        try DerivationText(parsing: bytes, directory: NixStorePath.standardDirectory)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The one way in which Nix writes a derivation.
    private static func written(_ text: DerivationText) -> String {
        let outputs = text.outputs.map { fields([$0.name, $0.path, $0.algorithm, $0.hash]) }
        let inputs = text.inputDerivations.map { "(\(quoted($0.path.description)),\(list($0.outputs.map(quoted))))" }
        let variables = text.environment.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let parts = [
            list(outputs), list(inputs), list(text.inputSources.map { quoted($0.description) }), quoted(text.system),
            quoted(text.builder), list(text.arguments.map(quoted)), list(variables.map { fields([$0.key, $0.value]) }),
        ]
        return "Derive(" + parts.joined(separator: ",") + ")"
    }

    private static func list(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }
    private static func fields(_ texts: [String]) -> String { "(" + texts.map(quoted).joined(separator: ",") + ")" }

    private static func quoted(_ text: String) -> String {
        let escapes: [Unicode.Scalar: String] = ["\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"]
        return "\"" + text.unicodeScalars.map { escapes[$0] ?? String($0) }.joined() + "\""
    }
}
