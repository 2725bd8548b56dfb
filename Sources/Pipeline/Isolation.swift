// SPDX-License-Identifier: Apache-2.0

/// What the provenance says of what keeps a build apart.
package enum Isolation {
    package static let unconfined = "none"

    /// The kind of machine where hardware vouches for it, else how commands are confined. Unconfined is unconfined on any
    /// machine: a build could then do whatever the builder can.
    package static func name(confinement: String, platform: String) -> String {
        guard confinement != unconfined else { return unconfined }
        switch platform {
        case "snp", "az-snp": return "snp"
        case "tdx", "az-tdx": return "tdx"
        case "vtpm": return "vtpm"
        default: return confinement
        }
    }
}
