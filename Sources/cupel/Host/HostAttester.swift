// SPDX-License-Identifier: Apache-2.0
import Attesters
import BuildServer
import ByteCoding
import Logging

/// Who vouches for this machine when it builds, tried once.
struct HostAttester {
    let attester: any Attester
    /// `nil` where the platform has no such thing.
    let launchMeasurement: [UInt8]?
    private let source: String

    /// The one that the settings name. It is asked for evidence before it is relied on: hardware that does not answer
    /// is found out now, and not after the first build.
    static func choose(
        _ configuration: Configuration, software: () throws(AttesterError) -> SoftwareAttester
    ) throws -> HostAttester {
        guard let choice = AttesterChoice(rawValue: configuration.attester) else {
            throw CommandFailure("attester '\(configuration.attester)' is not known")
        }
        do {
            let found = try choice.builder(software: software)
            let evidence = try found.attester.attest(AttestationRequest(bytes: [0]))
            return HostAttester(
                attester: found.attester, launchMeasurement: try evidence.launchMeasurement, source: found.source)
        } catch {
            throw CommandFailure(
                "\(error)",
                hint: choice == .automatic
                    ? "mend that, or say --attester software: a key then vouches, which proves nothing about the machine"
                    : nil)
        }
    }

    /// For the log.
    var facts: Logger.Metadata {
        var facts: Logger.Metadata = ["attester.platform": "\(attester.platform)", "attester.source": "\(source)"]
        if let software = attester as? SoftwareAttester {
            facts["attester.key"] = "\(Hex.encode(software.publicKey))"
        }
        if let launchMeasurement { facts["attester.measurement"] = "\(Hex.encode(launchMeasurement))" }
        return facts
    }
}
