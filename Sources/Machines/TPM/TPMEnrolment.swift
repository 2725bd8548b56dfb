// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
package import Evidence

/// Makes an attestation key in a TPM that runs, and has the CA certify it once the TPM has shown that it holds both this
/// key and the endorsement key (TPM 2.0 Library part 1, "Credential Protection").
///
/// The CA relies on nothing but that the endorsement key's certificate is its own: the challenge is encrypted to the
/// certified key, and a TPM decrypts it only if it also holds a key of the name that is to be certified. The name is a
/// digest of the key's attributes too, so what is certified is restricted and cannot leave the TPM.
package struct TPMEnrolment {
    let tools: TPMTools
    let authority: TPMAuthority

    /// RSA 2048, whose certificate attesters send first; P-384's needs a policy that tpm2-tools do not know.
    private static let endorsementKey = "0x81010001"
    private static let endorsementCertificate = "0x01C00002"
    private static let attestationKey = "0x\(String(MachineTPM.attestationKey, radix: 16))"
    /// Days that the key's certificate is good for. The key itself ends with its machine, within hours; a bundle that
    /// is judged later is judged as of its build (`--at build`).
    static let days = 366

    package init(tools: TPMTools, authority: TPMAuthority) {
        self.tools = tools
        self.authority = authority
    }

    package func run() throws(MachineError) {
        let endorsement = try endorsement()
        let key = try makeAttestationKey()
        try challenge(key)
        try certify(key, endorsement: endorsement)
        try store()
    }

    /// The SHA-256 digest of the endorsement certificate, which is the CA's own, and of the key that is challenged.
    package func endorsement() throws(MachineError) -> Digest256 {
        try tools.run(.nvRead, [Self.endorsementCertificate, "-C", "o", "-o", "ek.nv"])
        // Written anew, without what may fill the index after it.
        try tools.run(.openssl, ["x509", "-inform", "der", "-in", "ek.nv", "-outform", "der", "-out", "ek.der"])
        try tools.run(.openssl, ["x509", "-inform", "der", "-in", "ek.der", "-out", "ek.pem"])
        try tools.run(
            .openssl,
            ["verify", "-x509_strict", "-purpose", "any", "-CAfile", authority.certificatePath, "ek.pem"])
        let purposes = try tools.run(.openssl, ["x509", "-in", "ek.pem", "-noout", "-ext", "extendedKeyUsage"])
        guard purposes.split(whereSeparator: \.isWhitespace).contains("2.23.133.8.1") else {
            throw MachineError(.start, "the TPM's endorsement certificate is for another purpose: \(purposes)")
        }
        try tools.run(.readPublic, ["-c", Self.endorsementKey, "-o", "ek.pub"])
        let key = try publicKey("ek.pub")
        try tools.run(.openssl, ["x509", "-in", "ek.pem", "-noout", "-pubkey", "-out", "ek.key.pem"])
        try tools.run(.openssl, ["pkey", "-pubin", "-in", "ek.key.pem", "-outform", "der", "-out", "ek.key.der"])
        guard let info = key.subjectPublicKeyInfo, info == (try tools.read("ek.key.der")) else {
            throw MachineError(.start, "the TPM's endorsement certificate is of another key than its endorsement key")
        }
        return Digest256(of: try tools.read("ek.der"))
    }

    /// A key for quotes and nothing else, of the template that an attester would take: ECDSA P-256.
    private func makeAttestationKey() throws(MachineError) -> TPMPublic {
        try tools.run(
            .createPrimary,
            [
                "-C", "e", "-g", "sha256", "-G", "ecc256:ecdsa-sha256:null", "-c", "ak.ctx", "-a",
                "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda",
            ])
        try tools.run(.evictControl, ["-C", "o", "-c", "ak.ctx", Self.attestationKey])
        // A TPM has room for three keys besides those that stay.
        try tools.run(.flushContext, ["-t"])
        try tools.run(.readPublic, ["-c", Self.attestationKey, "-o", "ak.pub"])
        let key = try publicKey("ak.pub")
        guard key.attributes.isSuperset(of: .attestationKey), !key.attributes.contains(.decrypt) else {
            throw MachineError(.start, "the TPM made a key that is not restricted to quotes")
        }
        return key
    }

    /// Throws unless the TPM decrypts a secret that is for it, and for this key of it.
    package func challenge(_ key: TPMPublic) throws(MachineError) {
        let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        try tools.write(secret, to: "secret")
        try tools.run(
            .makeCredential,
            ["-T", "none", "-u", "ek.pub", "-s", "secret", "-n", Hex.encode(key.name), "-o", "challenge"])
        try tools.run(.startSession, ["--policy-session", "-S", "session"])
        try tools.run(.policySecret, ["-S", "session", "-c", "e"])
        try tools.run(
            .activateCredential,
            [
                "-c", Self.attestationKey, "-C", Self.endorsementKey, "-i", "challenge", "-o", "answer", "-P",
                "session:session",
            ])
        guard try tools.read("answer") == secret else {
            throw MachineError(.start, "the TPM did not show that it holds the attestation key: it gave another secret")
        }
    }

    private func certify(_ key: TPMPublic, endorsement: Digest256) throws(MachineError) {
        guard let info = key.subjectPublicKeyInfo else {
            throw MachineError(.start, "the TPM made an attestation key of a kind that is not known")
        }
        try tools.write(info, to: "ak.key.der")
        let certificate = AttestationCertificate(key: key, endorsementCertificate: endorsement)
        try tools.write(certificate.extensions.utf8, to: "ak.cnf")
        try tools.run(
            .openssl,
            [
                "x509", "-new", "-force_pubkey", "ak.key.der", "-keyform", "der", "-subj", certificate.subject, "-CA",
                authority.certificatePath, "-CAkey", authority.keyPath, "-set_serial", certificate.serial, "-days",
                "\(Self.days)", "-sha256", "-extfile", "ak.cnf", "-extensions", "ak", "-outform", "der", "-out",
                "ak.der",
            ])
    }

    /// By the platform, whose authority is gone when the firmware has started: the guest can read it, and not change it.
    private func store() throws(MachineError) {
        let certificate = try tools.read("ak.der")
        let index = "0x\(String(MachineTPM.attestationCertificate, radix: 16))"
        try tools.run(
            .nvDefine,
            [
                index, "-C", "p", "-s", "\(certificate.count)", "-a",
                "platformcreate|ppwrite|ppread|ownerread|authread|no_da|writedefine",
            ])
        try tools.run(.nvWrite, [index, "-C", "p", "-i", "ak.der"])
    }

    private func publicKey(_ name: String) throws(MachineError) -> TPMPublic {
        let bytes = try tools.read(name)
        do {
            return try TPMPublic(decodingSized: bytes)
        } catch {
            throw MachineError(.start, "a public key of the TPM cannot be read: \(error)")
        }
    }
}
