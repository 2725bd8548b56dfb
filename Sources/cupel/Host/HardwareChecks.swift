// SPDX-License-Identifier: Apache-2.0
import Attesters
import Foundation

/// What the processor, the kernel and the firmware offer.
enum HardwareChecks {
    static func digestInstructions() -> HostCheck {
        let flags = words(in: "/proc/cpuinfo", after: "flags") + words(in: "/proc/cpuinfo", after: "Features")
        let hasThem = flags.contains("sha_ni") || flags.contains("sha2")
        return HostCheck(
            name: "SHA-256", state: hasThem ? .present : .absent,
            detail: hasThem ? "the processor has instructions for it" : "no processor instructions: hashing is slower")
    }

    static func snpGuest() -> HostCheck {
        device(
            "SEV-SNP guest", "/dev/sev-guest", "this machine is a confidential guest",
            "run in an SEV-SNP virtual machine")
    }

    static func tdxGuest() -> HostCheck {
        device("TDX guest", "/dev/tdx_guest", "this machine is a confidential guest", "run in a TDX virtual machine")
    }

    static func tpm() -> HostCheck {
        device("TPM", "/dev/tpmrm0", "a TPM 2.0 answers there", "enable the TPM in the firmware")
    }

    /// What `attester = "auto"` would choose.
    static func attester() -> HostCheck {
        let name = "attester"
        do {
            let host = try HostAttesters()
            guard let found = host.confidential ?? host.tpm else {
                return HostCheck(
                    name: name, state: .absent, detail: "no hardware vouches for this machine: evidence is 'software'",
                    remedy: "run in an SEV-SNP or TDX virtual machine")
            }
            let note = host.confidential == nil ? "measured, not confidential; chosen by name only" : "chosen by itself"
            return HostCheck(
                name: name, state: .present, detail: "\(found.attester.platform), by \(found.source): \(note)")
        } catch {
            return HostCheck(
                name: name, state: .absent, detail: "this is a confidential machine that cannot be asked: \(error)",
                remedy: "without it, builds need --attester software, which proves nothing about the machine")
        }
    }

    private static func device(_ name: String, _ path: String, _ meaning: String, _ remedy: String) -> HostCheck {
        guard access(path, F_OK) == 0 else {
            return HostCheck(name: name, state: .absent, detail: "no \(path)", remedy: remedy)
        }
        guard access(path, R_OK | W_OK) == 0 else {
            return HostCheck(
                name: name, state: .absent, detail: "\(path) is there, but this user may not use it",
                remedy: "join the group that owns \(path)")
        }
        return HostCheck(name: name, state: .present, detail: "\(path): \(meaning)")
    }

    private static func words(in path: String, after key: String) -> [Substring] {
        let line = text(of: path).split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
        return line.split(separator: " ")
    }

    private static func text(of path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
