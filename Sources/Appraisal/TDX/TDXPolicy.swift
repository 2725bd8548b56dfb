// SPDX-License-Identifier: Apache-2.0

/// What a verifier wants of a trust domain.
public struct TDXPolicy: Hashable, Sendable {
    public init() {}
}
