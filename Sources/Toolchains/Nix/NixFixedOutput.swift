// SPDX-License-Identifier: Apache-2.0

/// What a derivation may fetch from the network, as its hash is known beforehand: a fixed-output derivation's promise.
public struct NixFixedOutput: Hashable, Sendable {
    /// What is hashed.
    public enum Mode: String, Sendable {
        /// The bytes of a single file.
        case flat
        /// The Nix archive of a file tree (see ``NixArchive``).
        case archive = "nar"
    }

    public let mode: Mode
    public let hash: NixHash

    public init(mode: Mode, hash: NixHash) {
        self.mode = mode
        self.hash = hash
    }
}
