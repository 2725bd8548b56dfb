// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// Step 3: the image that was launched is one that the verifier knows.
package struct MeasurementCheck {
    let platform: Platform
    /// The registers that the evidence proves, by name, the one that says most first.
    let registers: [(name: String, value: [UInt8])]
    /// Registers that an entry must name to be an entry of this platform at all.
    let needed: Set<String>
    let policy: AppraisalPolicy

    package init(
        platform: Platform, registers: [(name: String, value: [UInt8])], needed: Set<String>, policy: AppraisalPolicy
    ) {
        self.platform = platform
        self.registers = registers
        self.needed = needed
        self.policy = policy
    }

    /// Returns the image that was launched, where the verifier knows it.
    @discardableResult
    package func record(in steps: inout ReportRecorder) -> KnownImage? {
        if let image = policy.knownImages.first(where: isLaunched) {
            steps.pass(
                3, EvidenceStep.measurement,
                "\(image.registers.keys.sorted().joined(separator: ", ")) \(image.registers.count == 1 ? "is" : "are") "
                    + "that of \(image.name) \(image.version): \(shown)")
            return image
        }
        if policy.acceptAnyMeasurementUnsafely {
            steps.leaveOut(
                3, EvidenceStep.measurement, "not checked, as any was accepted: \(shown) is of an unknown image")
            return nil
        }
        steps.fail(
            3, EvidenceStep.measurement,
            Finding(
                .unknownImage, subject: registers.first?.name ?? "measurement",
                expected: "an image on the verifier's list, which has \(count)",
                found: "\(shown): genuine hardware, unknown image",
                remedy: "name a list that has this image (--measurements), or accept any with --accept-any-measurement")
        )
        return nil
    }

    /// Whether every register that the entry names holds what it says, and it names those that matter.
    func isLaunched(_ image: KnownImage) -> Bool {
        guard image.platform.family == platform.family, !image.registers.isEmpty,
            needed.isSubset(of: image.registers.keys)
        else { return false }
        return image.registers.allSatisfy { name, value in
            registers.contains { $0.name == name && $0.value == value }
        }
    }

    private var shown: String { registers.first.map { "\($0.name) \(Hex.encode($0.value))" } ?? "no register" }

    private var count: String {
        let count = policy.knownImages.count { $0.platform.family == platform.family }
        return "\(count == 0 ? "none" : String(count)) for '\(platform.rawValue)'"
    }
}

extension Finding.Code {
    /// The launch measurement is on no list of the verifier's.
    public static let unknownImage = Self(rawValue: "measurement.unknown-image")
}
