// SPDX-License-Identifier: Apache-2.0
internal import Evidence

/// Registers that are only ever extended: the next value is the digest of the last one and what is measured.
struct BootRegisters {
    private let bank: TPMHashAlgorithm
    private var values: [Int: [UInt8]] = [:]

    init(_ bank: TPMHashAlgorithm) { self.bank = bank }

    /// All zero where nothing was measured.
    func value(of register: Int) -> [UInt8] { values[register] ?? [UInt8](repeating: 0, count: bank.digestSize) }

    mutating func extend(_ register: Int, _ digest: [UInt8]) {
        values[register] = bank.digest(of: value(of: register) + digest)
    }

    mutating func measure(_ register: Int, _ content: [UInt8]) { extend(register, bank.digest(of: content)) }
}
