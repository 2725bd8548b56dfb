// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// What can vouch for this machine.
public struct HostAttesters: Sendable {
    /// An attester, and how it came to be chosen.
    public struct Found: Sendable {
        public let attester: any Attester
        /// What answers, such as "configfs-tsm (sev_guest)".
        public let source: String

        init(_ attester: any Attester, _ source: String) {
            self.attester = attester
            self.source = source
        }

        init(tpm place: TPMPlace) { self.init(TPMAttester(place: place), "the TPM at \(place.tcti)") }
    }

    /// What was looked for and is not there, or does not work: one sentence each.
    public private(set) var notes: [String] = []
    /// The hardware of a confidential machine; `nil` where this is none.
    public private(set) var confidential: Found?
    /// A TPM of a machine that is not confidential; `nil` where there is none that answers.
    public private(set) var tpm: Found?

    /// Looks for them, in this order: configfs-tsm, `/dev/sev-guest`, Azure's virtual TPM, a TPM.
    ///
    /// Throws where this is a confidential machine whose hardware cannot be asked: to go on without it is for the user
    /// to say.
    public init(tcti: String? = nil) throws(AttesterError) { try self.init(tcti: tcti, in: HostPlaces()) }

    package init(tcti: String?, in places: HostPlaces) throws(AttesterError) {
        confidential = try findTSM(places)
        if confidential == nil { confidential = try findSEVGuest(places) }
        guard confidential == nil else { return }
        if places.has(places.tdxGuest) { throw Self.needsTSM(places) }
        guard let place = places.tpm(tcti) else {
            notes.append("no \(TPMPlace.device)")
            return
        }
        do throws(AttesterError) {
            let azure = try AzureVTPMAttester(place: place)
            confidential = Found(azure, "Azure's virtual TPM at \(place.tcti)")
        } catch {
            notes.append(error.message)
            guard error.code != .denied, error.code != .failed else { return }
            tpm = Found(tpm: place)
        }
    }

    private mutating func findTSM(_ places: HostPlaces) throws(AttesterError) -> Found? {
        do throws(AttesterError) {
            let attester = try TSMAttester(folder: places.tsm)
            return Found(attester, "configfs-tsm (\(attester.provider))")
        } catch {
            // A kernel can have the interface without hardware behind it; then this user need not know.
            guard error.code == .absent || !places.isGuest else { throw error }
            notes.append(error.message)
            return nil
        }
    }

    private mutating func findSEVGuest(_ places: HostPlaces) throws(AttesterError) -> Found? {
        guard places.has(places.sevGuest) else {
            notes.append("no \(places.sevGuest)")
            return nil
        }
        guard access(places.sevGuest, R_OK | W_OK) == 0 else {
            throw AttesterError(.denied, "this user may not use \(places.sevGuest): run as root, or join its group")
        }
        return Found(SEVGuestAttester(), places.sevGuest)
    }

    /// `/dev/tdx_guest` hands out a TDREPORT, which only this machine's own processor can check.
    private static func needsTSM(_ places: HostPlaces) -> AttesterError {
        AttesterError(
            .denied,
            "\(places.tdxGuest) alone gives no quote: Linux 6.7 or newer with configfs-tsm is needed "
                + "(modprobe tdx_guest; mount -t configfs none /sys/kernel/config)")
    }
}

/// Where attesters are looked for; others in tests.
package struct HostPlaces: Sendable {
    package var tsm = TSMFolder.configFS
    package var sevGuest = SEVGuestDevice.path
    package var tdxGuest = "/dev/tdx_guest"

    package init() {}

    /// Where the user says, or the kernel's device, where there is one.
    func tpm(_ tcti: String?) -> TPMPlace? {
        tcti.map { TPMPlace(tcti: $0) } ?? (has(TPMPlace.device) ? TPMPlace() : nil)
    }

    func has(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether the kernel knows that it runs in a confidential machine.
    var isGuest: Bool { has(sevGuest) || has(tdxGuest) }
}
