// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// A program that making a TPM takes, and Debian's package that has it.
enum TPMProgram: String, CaseIterable, Sendable {
    /// A TPM 2.0 in software.
    case swtpm
    case setup = "swtpm_setup"
    /// Certifies endorsement keys; `swtpm_setup` calls it.
    case localCA = "swtpm_localca"
    case openssl
    case setpriv
    case nvRead = "tpm2_nvread"
    case nvDefine = "tpm2_nvdefine"
    case nvWrite = "tpm2_nvwrite"
    case readPublic = "tpm2_readpublic"
    case createPrimary = "tpm2_createprimary"
    case evictControl = "tpm2_evictcontrol"
    case flushContext = "tpm2_flushcontext"
    case makeCredential = "tpm2_makecredential"
    case startSession = "tpm2_startauthsession"
    case policySecret = "tpm2_policysecret"
    case activateCredential = "tpm2_activatecredential"

    private static let folders = ["/usr/bin/", "/usr/local/bin/", "/bin/"]

    /// Where it is; `nil` where this machine does not have it.
    var path: String? { Self.folders.map { $0 + rawValue }.first { access($0, X_OK) == 0 } }

    /// Debian's name.
    var package: String {
        switch self {
        case .swtpm: "swtpm"
        case .setup, .localCA: "swtpm-tools"
        case .openssl: "openssl"
        case .setpriv: "util-linux"
        default: "tpm2-tools"
        }
    }

    func found() throws(MachineError) -> String {
        guard let path else {
            throw MachineError(
                .unusable, "\(rawValue), which makes a machine's TPM, was not found: apt install \(package)")
        }
        return path
    }
}
