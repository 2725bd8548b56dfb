// SPDX-License-Identifier: Apache-2.0

/// What accepted evidence of Azure's proves, and what a reader might think it proves.
struct AzureStatements {
    let proves: [String]
    let doesNotProve: [String]

    /// - Parameter image: the known image that was launched and booted; `nil` where any was accepted.
    init(hardware: AzureHardware, image: KnownImage?) {
        let processor =
            switch hardware {
            case .snp: "an AMD processor with SEV-SNP"
            case .tdx: "an Intel processor with TDX"
            }
        let paravisor = image == nil ? "an unknown paravisor" : "the paravisor of \(hardware.measurementName)"
        var proves = [
            "\(processor) runs a guest whose first software is \(paravisor), and signed for the key of its vTPM",
            "that vTPM signed a quote with what is bound here",
        ]
        let booted = image.map { $0.registers.keys.filter { $0.hasPrefix("PCR") }.sorted() }
        if let image, let booted {
            proves.append(
                "at that time \(booted.joined(separator: ", ")) held what booting \(image.name) \(image.version) "
                    + "leaves there")
        }
        self.proves = proves
        doesNotProve = [
            "anything against Microsoft's paravisor (HCL), which is thereby trusted: it runs beneath the guest's own "
                + "system, can read and change all of it, and keeps the vTPM with its keys and registers; its source "
                + "as deployed is not open to those who verify",
            "that \(hardware.measurementName) measures the guest's own system: it measures the paravisor, and the "
                + "vTPM's registers measure the rest",
            booted == nil
                ? "which system was booted: no register was compared, as any was accepted"
                : "what the registers that the list does not name hold: they were not compared",
            "when the hardware made its report: it is of the guest's start, and only the quote can be fresh",
            "where the machine stands, and who has it in hand: attacks with access to it are not covered",
        ]
    }
}
