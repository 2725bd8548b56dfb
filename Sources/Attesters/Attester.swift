// SPDX-License-Identifier: Apache-2.0
public import Evidence

/// Something that vouches for this machine: hardware, or a key that plays its part.
///
/// Calls may take seconds, block their thread, and come from several threads at once.
public protocol Attester: Sendable {
    /// The platform that the evidence names.
    var platform: String { get }

    /// Evidence over what is asked for. What is returned carries it: conformances look at what the hardware answered,
    /// and throw where that is something else.
    func attest(_ request: AttestationRequest) throws(AttesterError) -> EvidenceEnvelope
}
