// SPDX-License-Identifier: Apache-2.0

/// What the operator decides for builds with Nix.
public struct NixHostSettings: Hashable, Sendable {
    /// Binary caches that may be asked for what a build needs; none unless the operator names them.
    public var substituters: [String] = []
    /// Keys of which one must have signed what a cache delivers, as `nix.conf` has them (`NAME:BASE64`).
    public var trustedPublicKeys: [String] = []
    /// Whether fixed-output derivations may run programs of the project with network. Their result is fixed, but not
    /// whom they talk to: they reach what this machine reaches, private addresses included.
    public var allowsFetchPrograms = false
    /// Whether a build is refused where Nix cannot confine each derivation in a sandbox of its own.
    public var requiresSandbox = false

    public init() {}
}
