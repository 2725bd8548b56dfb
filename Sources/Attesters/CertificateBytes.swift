// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// A certificate as firmware and hosts store it: DER or PEM, with anything after it.
enum CertificateBytes {
    /// The certificate alone, DER. Only its outermost length is read. Throws where it is neither form.
    static func der(_ bytes: [UInt8]) throws(MalformedBytes) -> [UInt8] {
        bytes.starts(with: begin) ? try whole(try unarmoured(bytes)) : try whole(bytes)
    }

    private static let begin = Array("-----BEGIN CERTIFICATE-----".utf8)

    /// The first block of PEM.
    private static func unarmoured(_ bytes: [UInt8]) throws(MalformedBytes) -> [UInt8] {
        let body = bytes.dropFirst(begin.count).prefix { $0 != UInt8(ascii: "-") }
        let text = body.filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return try Base64.decode(String(decoding: text, as: UTF8.self))
    }

    /// A SEQUENCE with a length of one to three bytes (X.690, section 8.1.3).
    private static func whole(_ bytes: [UInt8]) throws(MalformedBytes) -> [UInt8] {
        guard bytes.count >= 2, bytes[0] == 0x30 else { throw malformed("a SEQUENCE expected") }
        let extra = bytes[1] & 0x80 == 0 ? 0 : Int(bytes[1] & 0x7F)
        guard extra <= 3, bytes.count >= 2 + extra else { throw malformed("a length that cannot be") }
        let content = extra == 0 ? Int(bytes[1]) : bytes[2..<(2 + extra)].reduce(0) { $0 << 8 | Int($1) }
        guard content > 0, bytes.count >= 2 + extra + content else { throw malformed("cut off") }
        return Array(bytes[..<(2 + extra + content)])
    }

    private static func malformed(_ reason: String) -> MalformedBytes {
        MalformedBytes(format: "certificate", offset: 0, reason: reason)
    }
}
