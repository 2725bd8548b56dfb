// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import Crypto
internal import Evidence

/// What is measured when OVMF starts a unified kernel that QEMU hands to it (`-kernel`), as far as it follows from files
/// alone: TPM registers, and those of TDX to which the same events go (UEFI 2.10, section 38.4.1).
///
/// Not all of it does. PCR 0 depends on the host's memory and processors, PCR 1 on the firmware's build, and RTMR0 on both
/// and on the ACPI tables that the host makes.
public struct MeasuredBoot: Sendable {
    /// The only version of systemd's stub whose measurements were compared with those of a machine.
    public static let stubVersion = 252
    /// The first Linux that measures its command line and its initrd under TDX too (`drivers/firmware/efi/libstub`).
    static let firstMeasuringUnderTDX = (major: 6, minor: 9)

    private let kernel: UnifiedKernel

    /// Throws at other versions of the stub: they measure other sections, in another order.
    public init(_ kernel: UnifiedKernel) throws(MeasurementError) {
        guard kernel.stubVersion == Self.stubVersion else {
            throw MeasurementError(
                "the unified kernel begins with systemd's stub \(kernel.stubVersion), and what it measures is known of "
                    + "\(Self.stubVersion) only")
        }
        self.kernel = kernel
    }

    /// PCR 2 to 7, 9 and 11 to 15 of the SHA-256 bank. The firmware's variables are those that it comes with: no key of
    /// Secure Boot is enrolled.
    public var platformRegisters: [Int: [UInt8]] {
        var boot = BootRegisters(.sha256)
        for variable in BootEvents.secureBootVariables { boot.measure(7, variable) }
        boot.extend(4, kernel.image.authenticodeDigest(SHA256.self))
        boot.measure(4, BootEvents.application)
        for register in 0...7 { boot.measure(register, BootEvents.separator) }
        for name in UnifiedKernel.measured {
            boot.measure(11, Array(name.utf8) + [0])
            boot.measure(11, kernel.content(name))
        }
        boot.extend(4, kernel.innerImage.authenticodeDigest(SHA256.self))
        boot.measure(9, loadOptions)
        boot.measure(9, kernel.initrdBytes)
        for event in BootEvents.exits { boot.measure(5, event) }
        let computed = [2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15]
        return Dictionary(uniqueKeysWithValues: computed.map { ($0, boot.value(of: $0)) })
    }

    /// RTMR1 (PCR 2 to 6), RTMR2 (PCR 8 to 15) and RTMR3, 48 bytes each, by their number.
    ///
    /// This version of the stub measures nothing under TDX; the kernel does, from 6.9 on. RTMR3 is left to the system
    /// that is started, which does not touch it.
    ///
    /// Throws at older kernels: neither initrd nor command line would be in any register.
    public func runtimeRegisters() throws(MeasurementError) -> [Int: [UInt8]] {
        let first = Self.firstMeasuringUnderTDX
        guard (kernel.kernel.major, kernel.kernel.minor) >= (first.major, first.minor) else {
            throw MeasurementError(
                "Linux \(kernel.kernel.release) does not measure its command line under TDX; \(first.major).\(first.minor) "
                    + "and later do")
        }
        var boot = BootRegisters(.sha384)
        boot.extend(1, kernel.image.authenticodeDigest(SHA384.self))
        boot.measure(1, BootEvents.application)
        boot.measure(1, BootEvents.separator)
        boot.extend(1, kernel.innerImage.authenticodeDigest(SHA384.self))
        for event in BootEvents.exits { boot.measure(1, event) }
        boot.measure(2, loadOptions)
        boot.measure(2, kernel.initrdBytes)
        return Dictionary(uniqueKeysWithValues: (1...3).map { ($0, boot.value(of: $0)) })
    }

    /// The command line as the stub hands it to the kernel: UTF-16, with a zero.
    private var loadOptions: [UInt8] {
        var writer = ByteWriter()
        for unit in kernel.commandLine.utf16 { writer.littleEndian(unit) }
        writer.littleEndian(UInt16(0))
        return writer.bytes
    }
}
