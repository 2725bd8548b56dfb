// SPDX-License-Identifier: Apache-2.0

/// Gives a new TPM its seeds, its endorsement keys, and certificates for them by the operator's CA (swtpm_setup(8),
/// swtpm-localca(8)).
struct TPMSetup {
    let tools: TPMTools
    let state: String
    let authority: TPMAuthority

    func run() throws(MachineError) {
        try tools.write(settings.utf8, to: "setup.conf")
        try tools.write(authoritySettings.utf8, to: "localca.conf")
        try tools.write([], to: "localca.options")
        try tools.run(.setup, arguments)
    }

    var arguments: [String] {
        [
            "--tpm2", "--tpmstate", "dir://\(state)", "--config", "setup.conf", "--createek", "--create-ek-cert",
            "--ecc", "--pcr-banks", "sha256", "--logfile", "setup.log",
        ]
    }

    private var settings: String {
        get throws(MachineError) {
            """
            create_certs_tool = \(try TPMProgram.localCA.found())
            create_certs_tool_config = \(tools.path("localca.conf"))
            create_certs_tool_options = \(tools.path("localca.options"))
            active_pcr_banks = sha256

            """
        }
    }

    /// Serial numbers are the CA's, and so their file is beside its key.
    private var authoritySettings: String {
        """
        statedir = \(authority.folder)
        signingkey = \(authority.keyPath)
        issuercert = \(authority.certificatePath)
        certserial = \(authority.serialPath)

        """
    }
}
