// SPDX-License-Identifier: Apache-2.0
import Measurements

/// The processors of a guest of SEV-SNP, as the command line names them.
struct SNPProcessors {
    let kinds: [SNPProcessor]
    let counts: [Int]
    let features: UInt64
    let hypervisor: SNPHypervisor

    init(_ command: Image.Measure) throws {
        let models = command.vcpuModel.isEmpty ? ["EPYC-v4"] : command.vcpuModel
        kinds = try models.map { model in
            guard let kind = SNPProcessor(model) else {
                throw CommandFailure(
                    "'\(Console.plain(model))' is no model of QEMU's whose signature is known",
                    hint: "one of \(SNPProcessor.models.map(\.name).joined(separator: ", ")), or 0x and the signature")
            }
            return kind
        }
        counts = try Self.counts(command.vcpus)
        guard !counts.isEmpty else {
            throw CommandFailure(
                "how many processors has the guest? SEV-SNP measures each", hint: "--vcpus 2, or 1,2,4")
        }
        features = try Self.features(command.guestFeatures)
        guard let hypervisor = SNPHypervisor(rawValue: command.hypervisor ?? "qemu") else {
            throw CommandFailure("--hypervisor is qemu, ec2 or gce")
        }
        self.hypervisor = hypervisor
    }

    static func counts(_ lists: [String]) throws -> [Int] {
        try lists.flatMap { list in
            try list.split(separator: ",", omittingEmptySubsequences: false).map { text in
                guard let count = Int(text), (1...SNPLaunch.maximumProcessors).contains(count) else {
                    throw CommandFailure(
                        "'\(Console.plain(String(text)))' is no number of processors",
                        hint: "1 to \(SNPLaunch.maximumProcessors), with commas between several")
                }
                return count
            }
        }
    }

    /// Bit 0 is SEV-SNP itself: without it there is no such guest.
    private static func features(_ text: String?) throws -> UInt64 {
        guard let text else { return 1 }
        let digits = text.hasPrefix("0x") ? String(text.dropFirst(2)) : text
        guard let features = UInt64(digits, radix: 16), features & 1 == 1 else {
            throw CommandFailure("--guest-features is a hexadecimal number whose lowest bit is set, such as 0x1")
        }
        return features
    }
}
