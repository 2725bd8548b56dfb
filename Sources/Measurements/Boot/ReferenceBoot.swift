// SPDX-License-Identifier: Apache-2.0
public import Evidence

/// The event log of a machine that was started once to see what does not follow from files: PCR 0 and 1, or RTMR0.
///
/// Nothing signs such a log. Whoever takes one believes the machine that it is from.
public struct ReferenceBoot: Sendable {
    public enum Source: Sendable {
        /// A TPM: `binary_bios_measurements`.
        case tpm
        /// TDX: ACPI's CCEL.
        case tdx
    }

    public let source: Source
    /// By name: PCR0 and PCR1, 32 bytes; or RTMR0, 48 bytes.
    public let registers: [String: [UInt8]]
    private let replayed: [UInt32: [UInt8]]

    /// The registers that are the same for all images of a firmware: those of the log must be as computed.
    private static let common = [2, 3, 5, 6, 7]

    /// Throws at logs with neither SHA-256 nor SHA-384, and at those without an event of the registers in question.
    public init(_ log: TCGEventLog) throws(MeasurementError) {
        let names: [(name: String, index: UInt32)]
        if log.banks.contains(.sha256) {
            (source, replayed) = (.tpm, log.replayedRegisters(of: .sha256))
            names = [("PCR0", 0), ("PCR1", 1)]
        } else if log.banks.contains(.sha384) {
            (source, replayed) = (.tdx, log.replayedRegisters(of: .sha384))
            names = [("RTMR0", 1)]
        } else {
            throw MeasurementError("the event log has neither SHA-256 digests, of a TPM, nor SHA-384 ones, of TDX")
        }
        var registers: [String: [UInt8]] = [:]
        for (name, index) in names {
            guard let value = replayed[index] else { throw MeasurementError("the event log has no event of \(name)") }
            registers[name] = value
        }
        self.registers = registers
    }

    /// Throws where a TPM's log has other values of registers that do not depend on the image: such a machine would
    /// never report what was computed.
    public func check(_ computed: [Int: [UInt8]]) throws(MeasurementError) {
        guard source == .tpm else { return }
        for register in Self.common where replayed[UInt32(register)] != computed[register] {
            throw MeasurementError(
                "the machine of the event log measured something else to PCR\(register) than OVMF does with variables "
                    + "as it comes with, and a kernel that QEMU hands to it")
        }
    }
}
