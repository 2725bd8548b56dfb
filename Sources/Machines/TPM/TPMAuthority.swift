// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// The operator's own CA for the TPMs of machines: a key and a certificate in a folder, made once.
///
/// It says of an endorsement key that it is one of a TPM that was made here, and of an attestation key that it is in
/// such a TPM and signs nothing but what that made. Verifiers name its certificate, ``certificatePath``. Its key is as
/// worthy of protection as what it says: whoever has it can make TPMs that say what they like.
public struct TPMAuthority: Hashable, Sendable {
    /// Absolute.
    public let folder: String

    /// The certificate, PEM, for those who verify: `tpm.certificateAuthorities` of a policy.
    public var certificatePath: String { "\(folder)/\(Self.certificate)" }
    var keyPath: String { "\(folder)/\(Self.key)" }
    /// The serial number that an endorsement certificate got last, and the lock that is held over it.
    var serialPath: String { "\(folder)/certserial" }

    private static let certificate = "ca.pem"
    private static let key = "key.pem"
    /// Days. Who verifies for longer names a new one beside it.
    private static let days = 3650

    /// The CA of a folder. It is made where the folder is not there yet.
    ///
    /// Throws `unusable` where key and certificate do not belong together, the certificate is not in force, or others
    /// than the folder's owner can read the key.
    public init(folder: String) throws(MachineError) {
        guard folder.hasPrefix("/") else {
            throw MachineError(.unusable, "the folder of the CA for TPMs must be an absolute path, not '\(folder)'")
        }
        self.folder = folder
        if !FileManager.default.fileExists(atPath: folder) { try Self.make(folder) }
        try check()
    }

    /// Made beside its place and renamed into it, so that nobody finds a half of it, and of two that are made at once
    /// one stays.
    private static func make(_ folder: String) throws(MachineError) {
        let new = "\(folder).\(UUID().uuidString.prefix(8))"
        try PrivateFile.makeFolder(new)
        defer { PrivateFile.remove(new) }
        let tools = TPMTools(folder: new)
        try tools.run(
            .openssl, ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key])
        guard chmod(tools.path(key), 0o600) == 0 else {
            throw MachineError(.unusable, "the key of the CA for TPMs could not be kept from others: chmod failed")
        }
        try tools.write(settings.utf8, to: "ca.cnf")
        try tools.run(
            .openssl,
            [
                "req", "-x509", "-new", "-key", key, "-config", "ca.cnf", "-days", "\(days)", "-sha256", "-out",
                certificate,
            ])
        _ = chmod(tools.path(certificate), 0o644)
        PrivateFile.remove(tools.path("ca.cnf"))
        guard rename(new, folder) != 0 else { return }
        let code = errno
        guard code == EEXIST || code == ENOTEMPTY else {
            throw MachineError(
                .unusable, "the CA for TPMs could not be put into \(folder): \(String(cString: strerror(code)))")
        }
    }

    /// A name that tells it from others': two CAs of one name could not be told apart by those who look for issuers.
    private static var settings: String {
        """
        [req]
        distinguished_name = name
        x509_extensions = authority
        prompt = no
        [name]
        CN = Cupel TPM CA \(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))
        [authority]
        basicConstraints = critical, CA:TRUE, pathlen:0
        keyUsage = critical, keyCertSign
        subjectKeyIdentifier = hash

        """
    }

    private func check() throws(MachineError) {
        var status = stat()
        guard stat(keyPath, &status) == 0, access(keyPath, R_OK) == 0 else {
            throw unusable("its key, \(keyPath), cannot be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw unusable("others can read its key: chmod 600 \(keyPath), and make a new CA if somebody did")
        }
        let tools = TPMTools(folder: folder)
        let ofKey = try run(tools, "its key cannot be read", ["pkey", "-in", Self.key, "-pubout"])
        let ofCertificate = try run(
            tools, "its certificate cannot be read", ["x509", "-in", Self.certificate, "-noout", "-pubkey"])
        guard ofKey == ofCertificate else {
            throw unusable("its certificate is of another key than \(Self.key): put both back from one backup")
        }
        let constraints = try run(
            tools, "its certificate cannot be read",
            ["x509", "-in", Self.certificate, "-noout", "-ext", "basicConstraints"])
        guard constraints.contains("CA:TRUE") else { throw unusable("its certificate is not that of a CA") }
        try run(
            tools, "its certificate is not in force: rename the folder, and a new one is made",
            ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", Self.certificate, Self.certificate])
    }

    @discardableResult
    private func run(_ tools: TPMTools, _ otherwise: String, _ arguments: [String]) throws(MachineError) -> String {
        do {
            return try tools.run(.openssl, arguments)
        } catch {
            guard error.code == .start else { throw error }
            throw unusable("\(otherwise) (\(error.message))")
        }
    }

    private func unusable(_ why: String) -> MachineError {
        MachineError(.unusable, "the CA for TPMs in \(folder) cannot be used: \(why)")
    }
}
