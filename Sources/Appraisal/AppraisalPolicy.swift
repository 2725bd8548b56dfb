// SPDX-License-Identifier: Apache-2.0

/// What a verifier wants of a platform. The defaults accept no image, and of genuine hardware what its vendor calls
/// sound.
public struct AppraisalPolicy: Hashable, Sendable {
    /// Accepts the `software` platform, which proves nothing about the machine.
    public var acceptSoftwareUnsafely = false
    /// The images that the verifier knows.
    public var knownImages: [KnownImage] = []
    /// Accepts hardware that runs an image which nobody vouches for.
    public var acceptAnyMeasurementUnsafely = false
    public var snp = SNPPolicy()
    public var tdx = TDXPolicy()
    public var tpm = TPMPolicy()

    public init() {}
}
