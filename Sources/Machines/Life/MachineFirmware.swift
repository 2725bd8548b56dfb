// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// The UEFI firmware of a machine (edk2's OVMF). It is the first that is measured.
public struct MachineFirmware: Hashable, Sendable {
    /// Absolute path of the code.
    public let code: String
    /// Absolute path of its pristine variables; each machine gets a copy. `nil` for kinds that keep none.
    public let variables: String?

    /// Where Debian's packages ovmf, ovmf-amdsev and ovmf-inteltdx have theirs.
    private static let installed: [MachineKind: String] = [
        .vtpm: "/usr/share/OVMF/OVMF_CODE_4M.fd", .snp: "/usr/share/ovmf/OVMF.amdsev.fd",
        .tdx: "/usr/share/ovmf/OVMF.inteltdx.fd",
    ]
    private static let packages: [MachineKind: String] = [
        .vtpm: "ovmf", .snp: "ovmf-amdsev", .tdx: "ovmf-inteltdx",
    ]

    /// The firmware of a kind: the one at `path`, or the one that is installed. Beside `OVMF_CODE….fd` of the kind vtpm
    /// lies `OVMF_VARS….fd`. Throws `unusable` where a file is missing.
    public init(for kind: MachineKind, path: String? = nil) throws(MachineError) {
        code = path ?? Self.installed[kind] ?? ""
        variables = kind == .vtpm ? Self.variables(of: code) : nil
        guard code.hasPrefix("/") else {
            throw MachineError(.unusable, "the firmware must be an absolute path, not '\(code)' (machine.firmware)")
        }
        for file in [code, variables].compactMap(\.self) where access(file, R_OK) != 0 {
            let remedy = path == nil ? "apt install \(Self.packages[kind] ?? "ovmf"), or name one" : "name another"
            throw MachineError(
                .unusable,
                "machines of the kind \(kind.rawValue) start with \(file), which is missing: "
                    + "\(remedy) (machine.firmware)")
        }
    }

    /// Of a name without "CODE" it is the name itself, which is not there as a file of variables.
    private static func variables(of code: String) -> String {
        var parts = code.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let name = parts.removeLast()
        let variables = name.replacingOccurrences(of: "CODE", with: "VARS")
        return (parts + [variables == name ? name + ".vars" : variables]).joined(separator: "/")
    }
}
