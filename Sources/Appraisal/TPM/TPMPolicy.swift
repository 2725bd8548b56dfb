// SPDX-License-Identifier: Apache-2.0

/// What a verifier wants of a machine that a TPM measured.
public struct TPMPolicy: Hashable, Sendable {
    public init() {}
}
