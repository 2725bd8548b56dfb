// SPDX-License-Identifier: Apache-2.0

/// The platforms whose evidence has a name, whether or not it can be appraised.
public enum Platform: String, CaseIterable, Sendable {
    case snp, tdx, vtpm, software
    case googleSNP = "gcp-snp"
    case googleTDX = "gcp-tdx"
    case azureSNP = "az-snp"
    case azureTDX = "az-tdx"

    /// The platform that signs the same things by the same keys, whose images are therefore the same: nothing signs
    /// the difference between `snp` and `gcp-snp`.
    public var family: Platform {
        switch self {
        case .googleSNP: .snp
        case .googleTDX: .tdx
        case .snp, .tdx, .vtpm, .software, .azureSNP, .azureTDX: self
        }
    }

    /// What a machine is of which there is such evidence, at best and where the evidence is accepted.
    public var machine: String {
        switch self {
        case .snp, .tdx, .googleSNP, .googleTDX, .azureSNP, .azureTDX: "confidential"
        case .vtpm: "measured, not confidential"
        case .software: "neither measured nor confidential"
        }
    }
}
