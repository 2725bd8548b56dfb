// SPDX-License-Identifier: Apache-2.0

/// Where the builds of a service run.
public enum BuildPlace: String, CaseIterable, Sendable {
    /// In this process's own machine, which is confidential: its hardware vouches.
    case here
    /// Each in a fresh machine of its own.
    case machine = "vm"
    /// On this host, which is no confidential machine.
    case sandbox
}

/// Where the builds of a service run, and why there.
public struct BuildPlaceChoice: Hashable, Sendable {
    public let place: BuildPlace
    /// Half a sentence, for the log.
    public let reason: String

    /// What the settings mean on this machine.
    ///
    /// Throws where they contradict each other or cannot be met: nothing weaker is taken in place of what was asked for.
    /// - Parameter confidential: the platform that vouches for this machine where it is a confidential one. Asked for only
    ///   where the answer matters; what it throws is thrown on.
    public init(
        _ configuration: Configuration, confidential: () throws(ConfigurationError) -> String?
    ) throws(ConfigurationError) {
        let hasImage = configuration.machines.image != "none"
        switch BuildPlace(rawValue: configuration.isolation) {
        case .here:
            guard let platform = try Self.platform(configuration, confidential) else {
                throw ConfigurationError(
                    "isolation = here needs a confidential machine whose hardware vouches, and this is none"
                        + (Self.takesHardware(configuration) ? "" : " by attester = \(configuration.attester)"),
                    hint:
                        "say --isolation sandbox, or --isolation vm with machine.image; 'cupel doctor' shows what is missing"
                )
            }
            self.init(.here, "asked for by name; the hardware is \(platform)")
        case .sandbox: self.init(.sandbox, "asked for by name")
        case .machine:
            guard hasImage else {
                throw ConfigurationError(
                    "isolation = vm needs an image to boot, and machine.image names none",
                    hint: "make one with 'cupel image build', and set machine.image to its folder")
            }
            try Self.refuseUnconfined(configuration, "isolation = vm")
            self.init(.machine, "asked for by name")
        case nil:
            if let platform = try Self.platform(configuration, confidential) {
                self.init(.here, "this is a confidential machine (\(platform))")
            } else if hasImage {
                try Self.refuseUnconfined(
                    configuration, "machine.image is set, so builds get machines of their own, which")
                self.init(.machine, "machine.image is set, and this is no confidential machine")
            } else {
                self.init(.sandbox, "this is no confidential machine, and machine.image is not set")
            }
        }
    }

    private init(_ place: BuildPlace, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    /// Whether the attester may be the hardware of a confidential machine.
    private static func takesHardware(_ configuration: Configuration) -> Bool {
        !["software", "vtpm"].contains(configuration.attester)
    }

    private static func platform(
        _ configuration: Configuration, _ confidential: () throws(ConfigurationError) -> String?
    ) throws(ConfigurationError) -> String? {
        takesHardware(configuration) ? try confidential() : nil
    }

    private static func refuseUnconfined(_ configuration: Configuration, _ what: String) throws(ConfigurationError) {
        guard !configuration.sandbox else { return }
        throw ConfigurationError(
            "\(what) and --no-sandbox contradict each other: a build that has a machine of its own is confined in it too",
            hint: "say --isolation sandbox where builds are to run unconfined on this host")
    }
}
