// SPDX-License-Identifier: Apache-2.0

/// Step 3 where a TPM's registers say which system was booted.
///
/// An entry of a list must name, beside what the platform needs, at least one register that changes with each kernel:
/// 4 (boot applications: a boot loader, or a unified kernel image), 9 (files that the boot loader read), or 11 (the
/// parts of a unified kernel image). An entry that names firmware alone would accept any system.
struct TPMMeasurementCheck {
    /// PCR numbers as TCG's PC Client Platform Firmware Profile, GRUB and systemd-stub use them.
    static let systemRegisters: Set<String> = ["PCR4", "PCR9", "PCR11"]

    let platform: Platform
    /// The registers that the evidence proves, by name, the one that says most first.
    let registers: [(name: String, value: [UInt8])]
    /// Registers that an entry must name to be an entry of this platform at all.
    let needed: Set<String>
    let policy: AppraisalPolicy

    /// Returns the image that was launched, where the verifier knows it.
    func record(in steps: inout ReportRecorder) -> KnownImage? {
        let launched = policy.knownImages.filter(check(against: policy).isLaunched)
        var sufficient = policy
        sufficient.knownImages.removeAll(where: Self.namesNoSystem)
        if let image = launched.first, launched.allSatisfy(Self.namesNoSystem), !policy.acceptAnyMeasurementUnsafely {
            steps.fail(
                3, EvidenceStep.measurement,
                Finding(
                    .systemNotNamed, subject: "\(image.name) \(image.version)",
                    expected: "an entry that names PCR4, PCR9 or PCR11, which say what system was booted",
                    found: "one that names \(image.registers.keys.sorted().joined(separator: ", "))",
                    remedy: "add the registers of the guest's own system to the entry"))
            return nil
        }
        return check(against: sufficient).record(in: &steps)
    }

    private func check(against policy: AppraisalPolicy) -> MeasurementCheck {
        MeasurementCheck(platform: platform, registers: registers, needed: needed, policy: policy)
    }

    private static func namesNoSystem(_ image: KnownImage) -> Bool {
        // A register that nothing was extended into fits every system that leaves it alone.
        !systemRegisters.contains { name in image.registers[name]?.contains { $0 != 0 && $0 != 0xFF } ?? false }
            && [.vtpm, .azureSNP, .azureTDX].contains(image.platform)
    }
}

extension Finding.Code {
    /// The entry that fits names no register of the system that was booted.
    public static let systemNotNamed = Self(rawValue: "measurement.system-not-named")
}
