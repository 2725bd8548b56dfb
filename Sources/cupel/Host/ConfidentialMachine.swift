// SPDX-License-Identifier: Apache-2.0
import Attesters
import BuildServer

/// Whether this process is in a confidential machine.
enum ConfidentialMachine {
    /// The platform that vouches for it; `nil` where this is none. Throws where it is one that cannot be asked.
    static func platform() throws(ConfigurationError) -> String? {
        do throws(AttesterError) {
            return try HostAttesters().confidential?.attester.platform
        } catch {
            throw ConfigurationError(
                "\(error)",
                hint:
                    "mend that, or say --attester software: a key then vouches, which proves nothing about the machine")
        }
    }
}
