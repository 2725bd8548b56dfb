// SPDX-License-Identifier: Apache-2.0

/// Writes public keys as X.509 does, for libraries that take no other form (RFC 8017, A.1.1; RFC 5280, 4.1.2.7).
enum SubjectPublicKeyInfo {
    /// DER of SubjectPublicKeyInfo {{rsaEncryption, NULL}, BIT STRING {SEQUENCE {modulus, exponent}}}.
    static func rsa(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
        let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
        let key = element(0x30, integer(modulus) + integer(exponent))
        return element(0x30, element(0x30, rsaEncryption + [0x05, 0x00]) + element(0x03, [0] + key))
    }

    private static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        let digits = Array(magnitude.drop { $0 == 0 })
        let needsZero = digits.first.map { $0 >= 0x80 } ?? true
        return element(0x02, (needsZero ? [0] : []) + digits)
    }

    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        let isShort = content.count < 0x80
        let prefix: [UInt8] = isShort ? [UInt8(content.count)] : [0x80 | UInt8(length.count)] + length
        return [tag] + prefix + content
    }
}

extension AzureRuntimeData.Key {
    /// The key as X.509 writes it, DER.
    public var subjectPublicKeyInfo: [UInt8] { SubjectPublicKeyInfo.rsa(modulus: modulus, exponent: exponent) }
}

extension TPMPublic {
    /// The key as X.509 writes it, DER; `nil` for curves other than P-256 and P-384, and points of another length.
    public var subjectPublicKeyInfo: [UInt8]? {
        switch key {
        case .rsa(let modulus, let exponent):
            let bytes = stride(from: UInt32(24), through: 0, by: -8).map { UInt8(truncatingIfNeeded: exponent >> $0) }
            return SubjectPublicKeyInfo.rsa(modulus: modulus, exponent: bytes)
        case .ecc(let curve, let x, let y): return Self.curveKey(curve, x, y)
        }
    }

    private static func curveKey(_ curve: UInt16, _ x: [UInt8], _ y: [UInt8]) -> [UInt8]? {
        let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
        let p256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        let p384: [UInt8] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
        let (identifier, size): ([UInt8], Int)
        switch curve {
        case 0x0003: (identifier, size) = (p256, 32)
        case 0x0004: (identifier, size) = (p384, 48)
        default: return nil
        }
        guard x.count <= size, y.count <= size else { return nil }
        let point = [4] + padded(x, to: size) + padded(y, to: size)
        return SubjectPublicKeyInfo.element(
            0x30,
            SubjectPublicKeyInfo.element(0x30, ecPublicKey + identifier)
                + SubjectPublicKeyInfo.element(0x03, [0] + point))
    }

    private static func padded(_ number: [UInt8], to size: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: size - number.count) + number
    }
}
