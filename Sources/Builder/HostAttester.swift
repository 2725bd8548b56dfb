// SPDX-License-Identifier: Apache-2.0
public import Attesters
public import BuildServer
internal import ByteCoding
public import Logging

/// Who vouches for this machine when it builds, tried once.
public struct HostAttester: Sendable {
    public let attester: any Attester
    /// `nil` where the platform has no such thing.
    public let launchMeasurement: [UInt8]?
    /// What answers, such as "configfs-tsm (sev_guest)".
    public let source: String

    /// The one that the settings name. It is asked for evidence before it is relied on: hardware that does not answer
    /// is found out now, and not after the first build.
    public static func choose(
        _ configuration: Configuration, software: () throws(AttesterError) -> SoftwareAttester
    ) throws(BuilderError) -> HostAttester {
        guard let choice = AttesterChoice(rawValue: configuration.attester) else {
            throw BuilderError("attester '\(configuration.attester)' is not known")
        }
        do {
            return try HostAttester(asking: try choice.builder(software: software))
        } catch {
            throw BuilderError(
                "\(error)",
                hint: choice == .automatic
                    ? "mend that, or say --attester software: a key then vouches, which proves nothing about the machine"
                    : nil)
        }
    }

    /// Hardware only: that of a confidential machine, else a TPM. For machines whose software a TPM has measured.
    public static func hardware() throws(BuilderError) -> HostAttester {
        do {
            return try HostAttester(asking: try AttesterChoice.automatic.hardware())
        } catch {
            throw BuilderError("\(error)")
        }
    }

    private init(asking found: HostAttesters.Found) throws {
        let evidence = try found.attester.attest(AttestationRequest(bytes: [0]))
        attester = found.attester
        launchMeasurement = try evidence.launchMeasurement
        source = found.source
    }

    /// For the log.
    public var facts: Logger.Metadata {
        var facts: Logger.Metadata = ["attester.platform": "\(attester.platform)", "attester.source": "\(source)"]
        if let software = attester as? SoftwareAttester {
            facts["attester.key"] = "\(Hex.encode(software.publicKey))"
        }
        if let launchMeasurement { facts["attester.measurement"] = "\(Hex.encode(launchMeasurement))" }
        return facts
    }
}
