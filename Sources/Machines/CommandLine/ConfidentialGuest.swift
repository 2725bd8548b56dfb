// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding
internal import StrictJSON

/// What makes a machine one that its host cannot look into, as a value. The kinds have options of their own; none has a
/// place where variables of the firmware are kept, none a TPM.
///
/// The host's data is the digest of `image.json`: hardware signs it as "the host says so". It tells a person which image
/// a host meant to start. No verifier needs it, since the measurement says what did start.
package enum ConfidentialGuest: Hashable, Sendable {
    /// AMD SEV-SNP (QEMU, "AMD Secure Encrypted Virtualization", `sev-snp-guest`; QEMU 9.1). `hostData` has 32 bytes.
    case snp(hostData: [UInt8])
    /// Intel TDX (QEMU, "Intel Trusted Domain eXtension", `tdx-guest`; QEMU 10.1). `configuration` has 48 bytes.
    case tdx(configuration: [UInt8], quotes: QuoteGeneration)

    /// Where the host's quoting service listens.
    package enum QuoteGeneration: Hashable, Sendable {
        case unix(path: String)
        case vsock(port: Int)
    }

    /// The guest policy (AMD 56860, "Guest Policy"): bit 17 must be 1, bit 16 allows SMT; no debugging, no migration.
    static let policy = "0x30000"

    /// Properties of `-machine`.
    var machine: [(String, String)] {
        switch self {
        case .snp:
            [
                ("confidential-guest-support", "guest"), ("memory-backend", "ram"), ("vmport", "off"), ("smm", "off"),
            ]
        case .tdx:
            [
                ("confidential-guest-support", "guest"), ("memory-backend", "ram"), ("kernel-irqchip", "split"),
                ("smm", "off"), ("pic", "off"), ("hpet", "off"),
            ]
        }
    }

    /// The objects: the memory, of which the guest makes parts its own, and the guest.
    func objects(memory: Int64) -> [String] {
        switch self {
        case .snp(let hostData):
            let ram = OptionValue("memory-backend-memfd").with("id", "ram").with("size", memory).with("share", "on")
                .with("reserve", "off")
            // Where a page's encryption bit is, on every processor with SEV-SNP.
            let guest = OptionValue("sev-snp-guest").with("id", "guest").with("cbitpos", 51)
                .with("reduced-phys-bits", 1).with("policy", Self.policy).with("kernel-hashes", "on")
                .with("host-data", Base64.encode(hostData))
            return [ram.text, guest.text]
        case .tdx(let configuration, let quotes):
            let ram = OptionValue("memory-backend-ram").with("id", "ram").with("size", memory)
            let guest: JSONValue = [
                "qom-type": "tdx-guest", "id": "guest", "sept-ve-disable": true,
                "mrconfigid": .string(Base64.encode(configuration)), "quote-generation-socket": quotes.json,
            ]
            return [ram.text, String(decoding: guest.canonicalBytes, as: UTF8.self)]
        }
    }
}

extension ConfidentialGuest.QuoteGeneration {
    /// QEMU's `SocketAddress`. The number 2 is the host's.
    var json: JSONValue {
        switch self {
        case .unix(let path): ["type": "unix", "path": .string(path)]
        case .vsock(let port): ["type": "vsock", "cid": "2", "port": .string("\(port)")]
        }
    }
}
