// SPDX-License-Identifier: Apache-2.0

/// Who shall vouch for this machine, as its user says it.
public enum AttesterChoice: String, CaseIterable, Sendable {
    /// Hardware where this is a confidential machine, a key otherwise.
    case automatic = "auto"
    case snp, tdx
    case azureSNP = "az-snp"
    case azureTDX = "az-tdx"
    case vtpm, software

    /// The attester of a builder. `software` makes the one that has a key.
    ///
    /// A TPM is chosen by name only: on its own it says what was booted, not that nobody looks in. Throws where what is
    /// named is not there, and where this is a confidential machine whose hardware cannot be asked.
    public func builder(
        software: () throws(AttesterError) -> SoftwareAttester
    ) throws(AttesterError) -> HostAttesters.Found {
        try builder(in: HostPlaces(), software: software)
    }

    package func builder(
        tcti: String? = nil, in places: HostPlaces, software: () throws(AttesterError) -> SoftwareAttester
    ) throws(AttesterError) -> HostAttesters.Found {
        switch self {
        case .software: return HostAttesters.Found(try software(), "a key, as asked for")
        case .automatic:
            let host = try HostAttesters(tcti: tcti, in: places)
            if let found = host.confidential { return found }
            return HostAttesters.Found(
                try software(),
                "a key, since no confidential machine was found: \(host.notes.joined(separator: "; "))")
        case .snp, .tdx, .azureSNP, .azureTDX, .vtpm: return try named(tcti, places)
        }
    }

    /// Whatever hardware vouches for this machine: of a confidential machine, else a TPM. Throws where there is none,
    /// and for `software`.
    public func hardware(tcti: String? = nil) throws(AttesterError) -> HostAttesters.Found {
        try hardware(tcti: tcti, in: HostPlaces())
    }

    package func hardware(tcti: String?, in places: HostPlaces) throws(AttesterError) -> HostAttesters.Found {
        guard self == .automatic else { return try named(tcti, places) }
        let host = try HostAttesters(tcti: tcti, in: places)
        guard let found = host.confidential ?? host.tpm else { throw Self.absent("no hardware", host.notes) }
        return found
    }

    private func named(_ tcti: String?, _ places: HostPlaces) throws(AttesterError) -> HostAttesters.Found {
        if self == .vtpm {
            guard let place = places.tpm(tcti) else { throw Self.absent("no TPM", ["no \(TPMPlace.device)"]) }
            return HostAttesters.Found(tpm: place)
        }
        let host = try HostAttesters(tcti: tcti, in: places)
        guard let found = host.confidential, found.attester.platform == rawValue else {
            throw Self.absent(
                "no '\(rawValue)' hardware", host.confidential.map { ["it has \($0.source)"] } ?? host.notes)
        }
        return found
    }

    private static func absent(_ what: String, _ reasons: [String]) -> AttesterError {
        AttesterError(.absent, "\(what) vouches for this machine: \(reasons.joined(separator: "; "))")
    }
}
