// SPDX-License-Identifier: Apache-2.0

/// A virtual processor's kind, as far as it is measured: the signature that CPUID gives, with which it starts in RDX.
public struct SNPProcessor: Hashable, Sendable {
    /// QEMU's name, or digits.
    public let name: String
    /// CPUID Fn0000_0001_EAX.
    public let signature: UInt32

    /// Family, model and stepping in one number (AMD 25481, "CPUID Fn0000_0001_EAX").
    ///
    /// - Parameters:
    ///   - family: up to 270; what is above 15 stands in a field of its own.
    ///   - model: up to 255.
    ///   - stepping: up to 15.
    public init(name: String, family: UInt32, model: UInt32, stepping: UInt32) {
        let base = min(family, 15)
        let extended = family - base
        self.name = name
        signature =
            extended << 20 | (model >> 4 & 15) << 16 | base << 8 | (model & 15) << 4 | stepping & 15
    }

    public init(signature: UInt32) {
        name = "0x" + String(signature, radix: 16)
        self.signature = signature
    }

    /// QEMU's model of this name; or a signature, `0x` and hexadecimal digits. `nil` for others.
    public init?(_ text: String) {
        if let known = Self.models.first(where: { $0.name == text }) {
            self = known
        } else if text.hasPrefix("0x"), let signature = UInt32(text.dropFirst(2), radix: 16) {
            self.init(signature: signature)
        } else {
            return nil
        }
    }

    /// QEMU's models (`target/i386/cpu.c`).
    public static let models: [SNPProcessor] =
        ["EPYC", "EPYC-v1", "EPYC-v2", "EPYC-IBPB", "EPYC-v3", "EPYC-v4"].map { .init(name: $0, 23, 1, 2) }
        + ["EPYC-Rome", "EPYC-Rome-v1", "EPYC-Rome-v2", "EPYC-Rome-v3"].map { .init(name: $0, 23, 49, 0) }
        + ["EPYC-Milan", "EPYC-Milan-v1", "EPYC-Milan-v2"].map { .init(name: $0, 25, 1, 1) }
        + ["EPYC-Genoa", "EPYC-Genoa-v1"].map { .init(name: $0, 25, 17, 0) }
        + ["EPYC-Turin"].map { .init(name: $0, 26, 0, 0) }

    private init(name: String, _ family: UInt32, _ model: UInt32, _ stepping: UInt32) {
        self.init(name: name, family: family, model: model, stepping: stepping)
    }
}
