// SPDX-License-Identifier: Apache-2.0

/// What the operator decides for toolchains.
public struct ToolchainSettings: Hashable, Sendable {
    public var nix = NixHostSettings()

    public init() {}
}
