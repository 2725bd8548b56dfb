// SPDX-License-Identifier: Apache-2.0

/// What Intel says of a TCB level (Intel PCS API version 4, `tcbStatus`; the last two are the outcome of appraisal
/// alone: Intel's quote verification library, TD relaunch).
public enum TCBStatus: String, CaseIterable, Sendable {
    case upToDate = "UpToDate"
    case swHardeningNeeded = "SWHardeningNeeded"
    case configurationNeeded = "ConfigurationNeeded"
    case configurationAndSWHardeningNeeded = "ConfigurationAndSWHardeningNeeded"
    case outOfDate = "OutOfDate"
    case outOfDateConfigurationNeeded = "OutOfDateConfigurationNeeded"
    case revoked = "Revoked"
    /// The TDX module was updated after the TD was launched: launching it again makes it up to date.
    case relaunchAdvised = "TDRelaunchAdvised"
    case relaunchAdvisedConfigurationNeeded = "TDRelaunchAdvisedConfigurationNeeded"

    /// The status of the whole where a part of it, the TDX module or the quoting enclave, has this one.
    func merged(withPart part: TCBStatus) -> TCBStatus {
        switch (part, self) {
        case (.revoked, _): .revoked
        case (.outOfDate, .upToDate), (.outOfDate, .swHardeningNeeded): .outOfDate
        case (.outOfDate, .configurationNeeded), (.outOfDate, .configurationAndSWHardeningNeeded):
            .outOfDateConfigurationNeeded
        default: self
        }
    }

    /// Whether a setting of the machine, its firmware's as a rule, must be changed.
    var needsConfiguration: Bool {
        switch self {
        case .configurationNeeded, .configurationAndSWHardeningNeeded, .outOfDateConfigurationNeeded,
            .relaunchAdvisedConfigurationNeeded:
            true
        case .upToDate, .swHardeningNeeded, .outOfDate, .revoked, .relaunchAdvised: false
        }
    }
}
