// SPDX-License-Identifier: Apache-2.0

extension TCGEventLog {
    /// The values that the registers of a bank have if exactly this was measured: each event's digest is appended to
    /// the value before it, and the digest of both is the next value. Registers without an event are missing.
    ///
    /// The first values are zero, but for register 0 where the log says that the TPM was started from another locality
    /// (TCG PC Client Platform Firmware Profile, section 10.4.5.3): its last byte is then the locality.
    public func replayedRegisters(of bank: TPMHashAlgorithm) -> [UInt32: [UInt8]] {
        var registers: [UInt32: [UInt8]] = [:]
        var first = [UInt8](repeating: 0, count: bank.digestSize)
        for event in events {
            if event.type == Self.noAction {
                if let locality = event.startupLocality, registers[0] == nil { first[bank.digestSize - 1] = locality }
                continue
            }
            guard let digest = event.digests[bank] else { continue }
            let zero = [UInt8](repeating: 0, count: bank.digestSize)
            let value = registers[event.register] ?? (event.register == 0 ? first : zero)
            registers[event.register] = bank.digest(of: value + digest)
        }
        return registers
    }
}

extension TCGEventLog.Event {
    fileprivate var startupLocality: UInt8? {
        let signature = Array("StartupLocality\0".utf8)
        guard register == 0, content.count == signature.count + 1, content.starts(with: signature) else { return nil }
        return content.last
    }
}
