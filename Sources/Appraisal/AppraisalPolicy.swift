// SPDX-License-Identifier: Apache-2.0

/// What a verifier wants of a platform. The defaults accept the least.
public struct AppraisalPolicy: Hashable, Sendable {
    /// Accepts the `software` platform, which proves nothing about the machine.
    public var acceptSoftwareUnsafely = false

    public init() {}
}
