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
                "\(Self.names(image.registers.keys)) \(image.registers.count == 1 ? "is" : "are") "
                    + "that of \(image.name) \(image.version): \(shown(of: image))")
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
                found: "\(nearest ?? shown): \(platform == .vtpm ? "" : "genuine hardware, ")unknown image",
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

    /// Of the registers that the entry names, the one that says most.
    private func shown(of image: KnownImage) -> String {
        registers.first { image.registers[$0.name] != nil }.map { "\($0.name) \(Hex.encode($0.value))" } ?? shown
    }

    private var shown: String { registers.first.map { "\($0.name) \(Hex.encode($0.value))" } ?? "no register" }

    /// Where entries name several registers: the entry that agrees in most of them, and in which it does not.
    private var nearest: String? {
        let values = Dictionary(registers.map { ($0.name, $0.value) }) { first, _ in first }
        let entries = policy.knownImages.filter { $0.platform.family == platform.family && $0.registers.count > 1 }
        func agreeing(_ image: KnownImage) -> Int { image.registers.count { values[$0.key] == $0.value } }
        guard let image = entries.max(by: { agreeing($0) < agreeing($1) }), agreeing(image) > 0 else { return nil }
        let others = image.registers.filter { values[$0.key] != $0.value }.keys
        let differing = Self.names(others.filter { values[$0] != nil })
        let missing = Self.names(others.filter { values[$0] == nil })
        guard !differing.isEmpty || !missing.isEmpty else { return nil }
        return [
            differing.isEmpty ? nil : "other \(differing)", missing.isEmpty ? nil : "no \(missing), not quoted,",
        ].compactMap(\.self).joined(separator: " and ") + " than in the nearest, \(image.name) \(image.version)"
    }

    /// "PCR4, PCR11": by number where they have one.
    static func names(_ names: some Sequence<String>) -> String {
        names.sorted { ($0.count, $0) < ($1.count, $1) }.joined(separator: ", ")
    }

    private var count: String {
        let count = policy.knownImages.count { $0.platform.family == platform.family }
        return "\(count == 0 ? "none" : String(count)) for '\(platform.rawValue)'"
    }
}

extension Finding.Code {
    /// The launch measurement is on no list of the verifier's.
    public static let unknownImage = Self(rawValue: "measurement.unknown-image")
}
