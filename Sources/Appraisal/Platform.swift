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
}
