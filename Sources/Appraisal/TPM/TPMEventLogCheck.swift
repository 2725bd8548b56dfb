// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Evidence

/// Whether replaying an event log gives what was quoted. Registers that the log has no event of are left to the
/// quote: what runs after the firmware and boot loader extends them, and writes no log of this kind.
struct TPMEventLogCheck {
    let log: TCGEventLog
    let covered: Set<TPMRegister>
    let values: TPMPCRValues

    func findings() -> [Finding] {
        guard replayed.keys.contains(where: { $0.bank == best }) else {
            return [
                finding(
                    "Digests", "events of registers of the bank \(best), which the quote covers",
                    "banks \(log.banks.map(\.description).joined(separator: ", ")), and no event of such a register")
            ]
        }
        return replayed.sorted { ($0.key.bank.rawValue, $0.key.register) < ($1.key.bank.rawValue, $1.key.register) }
            .filter { values[$0.key.bank, $0.key.register] != $0.value }
            .map { register, value in
                finding(
                    "\(register.bank) PCR \(register.register)",
                    "\(Hex.encode(values[register.bank, register.register] ?? [])), as quoted",
                    "\(Hex.encode(value)) by replaying the log")
            }
    }

    /// What the log explains.
    var explained: String { TPMRegister.text(Set(replayed.keys)) }

    /// What the log leaves to the quote: registers into which something was extended that it has no event of.
    var rest: String {
        let more = covered.subtracting(replayed.keys).filter { register in
            // What was never extended is zero, or all ones (registers 17 to 22).
            Set(values[register.bank, register.register] ?? []).subtracting([0, 0xFF]).isEmpty == false
        }
        return more.isEmpty ? "" : "; it says nothing of \(TPMRegister.text(more))"
    }

    /// The bank that measurements are compared in, where it is quoted: a log of SHA-1 alone, for which collisions can be
    /// made, explains nothing there.
    private var best: TPMHashAlgorithm {
        let banks = Set(covered.map(\.bank))
        return banks.contains(.sha256) ? .sha256 : banks.max { $0.digestSize < $1.digestSize } ?? .sha256
    }

    private var replayed: [TPMRegister: [UInt8]] {
        var values: [TPMRegister: [UInt8]] = [:]
        for bank in log.banks {
            for (number, value) in log.replayedRegisters(of: bank) {
                let register = TPMRegister(bank: bank, register: Int(number))
                if covered.contains(register) { values[register] = value }
            }
        }
        return values
    }

    private func finding(_ subject: String, _ expected: String, _ found: String) -> Finding {
        Finding(
            .tpmEventLog, subject: subject, expected: expected, found: found,
            remedy: "do not believe the log: events are missing, or were changed; leave it out where software that "
                + "writes no log extends these registers")
    }
}

extension Finding.Code {
    /// Replaying the event log does not give the quoted values.
    public static let tpmEventLog = Self(rawValue: "tpm.event-log")
}
