// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// One piece of a file of collateral, recognised by what it is.
enum CollateralPart {
    case amdCertificate([UInt8])
    case amdRevocationList([UInt8])
    case intel(IntelCollateral)
    case tpmCertificate([UInt8])

    static func parts(of bytes: [UInt8]) throws(MalformedBytes) -> [CollateralPart] {
        guard bytes.count <= CollateralSet.maximumFileSize else {
            throw unknown("\(bytes.count) bytes, at most \(CollateralSet.maximumFileSize)")
        }
        switch bytes.first(where: { !isSpace($0) }) {
        case UInt8(ascii: "{"): return [.intel(try IntelCollateral(parsing: bytes))]
        case UInt8(ascii: "-"):
            return try PEMBlock.all(in: bytes).map { block throws(MalformedBytes) in try part(block) }
        case 0x30: return [try part(der: bytes)]
        default: throw unknown("neither JSON nor PEM nor DER")
        }
    }

    /// A revocation list as DER, where it is one in PEM.
    static func der(ofList bytes: [UInt8]) -> [UInt8] {
        guard bytes.first == UInt8(ascii: "-"), let blocks = try? PEMBlock.all(in: bytes), blocks.count == 1 else {
            return bytes
        }
        return blocks[0].der
    }

    private static func part(_ block: PEMBlock) throws(MalformedBytes) -> CollateralPart {
        switch block.label {
        case "CERTIFICATE": try part(try Certificate(der: block.der))
        case "X509 CRL": try part(try RevocationList(der: block.der), der: block.der)
        default: throw unknown("a PEM block '\(block.label.prefix(40))'")
        }
    }

    /// A certificate's signed part begins with a tagged version, a list's with a plain one.
    private static func part(der: [UInt8]) throws(MalformedBytes) -> CollateralPart {
        let certificate: Certificate
        do throws(MalformedBytes) {
            certificate = try Certificate(der: der)
        } catch {
            guard let list = try? RevocationList(der: der) else { throw unknown(error.reason) }
            return try part(list, der: der)
        }
        return try part(certificate)
    }

    private static func part(_ certificate: Certificate) throws(MalformedBytes) -> CollateralPart {
        let name = certificate.subject.commonName ?? ""
        if name.hasPrefix("SEV-") || name.hasPrefix("ARK-") { return .amdCertificate(certificate.der) }
        guard !name.hasPrefix("Intel SGX ") else {
            throw unknown("'\(name)': Intel's certificates are taken from collateral JSON")
        }
        guard certificate.extensions.isAuthority == true else {
            throw unknown("the certificate '\(name)', which is of no authority")
        }
        return .tpmCertificate(certificate.der)
    }

    private static func part(_ list: RevocationList, der: [UInt8]) throws(MalformedBytes) -> CollateralPart {
        let name = list.issuer.commonName ?? ""
        guard name.hasPrefix("SEV-") || name.hasPrefix("ARK-") else {
            throw unknown(
                name.hasPrefix("Intel SGX ")
                    ? "a revocation list of '\(name)': Intel's are taken from collateral JSON"
                    : "a revocation list of '\(name)', which is none of AMD's")
        }
        return .amdRevocationList(der)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func unknown(_ found: String) -> MalformedBytes {
        MalformedBytes(
            format: "collateral", offset: 0,
            reason: "\(found); expected Intel's collateral JSON, AMD's certificates or revocation lists (PEM or DER), "
                + "or certificates of TPM makers' authorities (PEM or DER)")
    }
}
