// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding

/// The keys below `tpm`, which set the properties of ``Appraisal/TPMPolicy``.
enum TPMKeys {
    /// Certificates as PEM, or the names of files that hold them.
    static let authorities = "certificateAuthorities"

    static let known = [
        authorities, "attestationKeyNames", "acceptUnboundAttestationKeyUnsafely", "acceptSHA1BankUnsafely",
        "requiredRegisters",
    ]

    /// - Parameter files: the contents of the files that are named; `nil` where they are not at hand yet.
    static func policy(_ section: PolicyMembers, files: [String: [UInt8]]?) throws(PolicyError) -> TPMPolicy {
        var policy = TPMPolicy()
        policy.trustedCertificates = try certificates(section, files: files)
        // A name is its algorithm, SHA-256 or SHA-384, and the digest.
        policy.attestationKeyNames = try section.hexes("attestationKeyNames", counts: [34, 50]) ?? []
        policy.acceptUnboundAttestationKeyUnsafely = try section.flag("acceptUnboundAttestationKeyUnsafely") ?? false
        policy.acceptSHA1BankUnsafely = try section.flag("acceptSHA1BankUnsafely") ?? false
        let registers = (0...23).map { "PCR\($0)" }
        let required = try section.names("requiredRegisters", of: registers) ?? []
        policy.requiredRegisters = Set(required.compactMap { registers.firstIndex(of: $0) })
        return policy
    }

    private static func certificates(
        _ section: PolicyMembers, files: [String: [UInt8]]?
    ) throws(PolicyError) -> [[UInt8]] {
        var certificates: [[UInt8]] = []
        for text in try section.texts(authorities) ?? [] {
            let isInline = text.contains("-----BEGIN")
            guard isInline || files != nil else { continue }
            let bytes = isInline ? Array(text.utf8) : files?[text] ?? []
            do throws(MalformedBytes) {
                certificates += try parts(bytes)
            } catch {
                throw section.refusal(authorities, "'\(text.prefix(60))': \(error)")
            }
        }
        return certificates
    }

    /// The certificates of a file, each of which must parse: a CA that is not understood is none that is trusted.
    private static func parts(_ bytes: [UInt8]) throws(MalformedBytes) -> [[UInt8]] {
        let found = try PEM.orDER(bytes, label: "CERTIFICATE")
        for der in found { _ = try Certificate(der: der) }
        return found
    }
}
