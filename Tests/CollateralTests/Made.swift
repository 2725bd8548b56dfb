// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON

/// Certificates, lists and answers that parse and that nobody signed: the fetcher believes nothing, so it does not mind.
enum Made {
    static let chipID = [UInt8](repeating: 0xAB, count: 64)
    static let shortChipID = [UInt8](repeating: 0xCD, count: 8)
    /// Boot loader 3, TEE 0, SNP 8, microcode 219; of Turin: FMC 3, boot loader 0, microcode 219.
    static let tcb = SNPTCBVersion(0xDB08_0000_0000_0003)
    static let fmspc: [UInt8] = [0x50, 0x80, 0x6F, 0, 0, 0]
    static let platform = IntelPlatform(fmspc: fmspc, tee: .tdx, authority: .platform)
    /// 2030-01-01T00:00:00Z.
    static let expiry: Int64 = 1_893_456_000

    /// A key on P-384, SubjectPublicKeyInfo; its other half was thrown away.
    private static let publicKey =
        (try? Base64.decode(
            "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE57Mr0udzU5zCb10OmlWkAtUNE5o5gsumlZEfLTiKMfnKCmiX"
                + "xU+FJ7CaeROxl+NPziMoU6EqqfMDwIAIc2fkLivjKbgxbaD5EwuqGS7kydcOp72tzO+b4ceV4XuKZ58G")) ?? []

    static func vcek(
        _ product: SNPProduct = .milan, chipID: [UInt8] = chipID, tcb: SNPTCBVersion = tcb,
        to end: String = "300101000000Z"
    ) -> [UInt8] {
        let parts = tcb.parts(of: product)
        var extensions = [
            amd([1], DER.integer(product == .turin ? 1 : 0)), amd([2], DER.tlv(0x16, Array(product.rawValue.utf8))),
            amd([3, 1], DER.integer(parts.bootloader)), amd([3, 2], DER.integer(parts.tee)),
            amd([3, 3], DER.integer(parts.snp)), amd([3, 8], DER.integer(parts.microcode)), amd([4], chipID),
        ]
        if let fmc = parts.fmc { extensions.append(amd([3, 9], DER.integer(fmc))) }
        return certificate("SEV-VCEK", by: "SEV-\(product.rawValue)", to: end, extensions)
    }

    static func authority(_ name: String, to end: String = "300101000000Z") -> [UInt8] {
        let constraints = DER.sequence([DER.tlv(0x01, [0xFF])])
        let flag = DER.sequence([
            DER.tlv(0x06, [0x55, 0x1D, 0x13]), DER.tlv(0x01, [0xFF]), DER.tlv(0x04, constraints),
        ])
        return certificate(name, by: name, to: end, [flag])
    }

    static func certificate(
        _ name: String, by issuer: String, to end: String = "300101000000Z", _ extensions: [[UInt8]] = []
    ) -> [UInt8] {
        let body = DER.sequence([
            DER.tlv(0xA0, DER.tlv(0x02, [2])), DER.tlv(0x02, [0]), DER.algorithm, DER.name(issuer),
            DER.sequence([DER.tlv(0x17, Array("200101000000Z".utf8)), DER.tlv(0x17, Array(end.utf8))]), DER.name(name),
            publicKey,
            extensions.isEmpty ? [] : DER.tlv(0xA3, DER.sequence(extensions)),
        ])
        return DER.sequence([body, DER.algorithm, DER.tlv(0x03, [0, 1])])
    }

    static func list(of issuer: String, to end: String = "300101000000Z") -> [UInt8] {
        let body = DER.sequence([
            DER.tlv(0x02, [1]), DER.algorithm, DER.name(issuer), DER.tlv(0x17, Array("200101000000Z".utf8)),
            DER.tlv(0x17, Array(end.utf8)),
        ])
        return DER.sequence([body, DER.algorithm, DER.tlv(0x03, [0, 1])])
    }

    static func pem(_ ders: [[UInt8]], label: String = "CERTIFICATE") -> [UInt8] {
        Array(
            ders.map { "-----BEGIN \(label)-----\n\(Base64.encode($0))\n-----END \(label)-----\n" }.joined().utf8)
    }

    static func percentEncoded(_ bytes: [UInt8]) -> String { bytes.map { "%" + Hex.encode([$0]) }.joined() }

    private static func amd(_ path: [UInt8], _ value: [UInt8]) -> [UInt8] {
        // 1.3.6.1.4.1.3704.1
        let id: [UInt8] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01] + path
        return DER.sequence([DER.tlv(0x06, id), DER.tlv(0x04, value)])
    }
}

/// Writes DER (X.690).
enum DER {
    static let algorithm = sequence([tlv(0x06, [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02])])

    static func tlv(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        if count < 128 { return [tag, UInt8(count)] + content }
        if count < 256 { return [tag, 0x81, UInt8(count)] + content }
        return [tag, 0x82, UInt8(count >> 8), UInt8(count & 255)] + content
    }

    static func sequence(_ parts: [[UInt8]]) -> [UInt8] { tlv(0x30, Array(parts.joined())) }

    static func integer(_ value: UInt8) -> [UInt8] { tlv(0x02, value > 127 ? [0, value] : [value]) }

    static func name(_ text: String) -> [UInt8] {
        sequence([tlv(0x31, sequence([tlv(0x06, [0x55, 0x04, 0x03]), tlv(0x0C, Array(text.utf8))]))])
    }
}
