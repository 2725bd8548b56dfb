// SPDX-License-Identifier: Apache-2.0
internal import Appraisal
internal import ByteCoding
internal import Evidence
internal import SwiftASN1

extension DistinguishedName {
    /// As RFC 4514 writes it, the most specific part first; in hexadecimal where it is not as RFC 5280 says.
    var rfc4514: String {
        guard let node = try? DER.parse(der), let parts = try? Self.parts(node) else { return "#" + Hex.encode(der) }
        return parts.reversed().joined(separator: ",")
    }

    private static func parts(_ node: ASN1Node) throws -> [String] {
        try DER.sequence(node, identifier: .sequence) { sets in
            var parts: [String] = []
            while let set = sets.next() {
                parts.append(try DER.set(set, identifier: .set) { try attributes(&$0) })
            }
            return parts
        }
    }

    private static func attributes(_ nodes: inout ASN1NodeCollection.Iterator) throws -> String {
        var texts: [String] = []
        while let node = nodes.next() {
            texts.append(
                try DER.sequence(node, identifier: .sequence) { parts in
                    let type = try ASN1ObjectIdentifier(derEncoded: &parts).description
                    return "\(names[type] ?? type)=\(text(parts.next()))"
                })
        }
        return texts.joined(separator: "+")
    }

    private static let names = [
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
        "2.5.4.5": "serialNumber", "0.9.2342.19200300.100.1.25": "DC",
    ]

    private static func text(_ node: ASN1Node?) -> String {
        guard let node, case .primitive(let content) = node.content,
            let text = String(validating: content, as: UTF8.self)
        else { return "#" + Hex.encode(node.map { Array($0.encodedBytes) } ?? []) }
        return text.map { ",+\"\\<>;".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
}

/// What kind of key a SubjectPublicKeyInfo holds, in words.
enum PublicKeyName {
    static func of(_ publicKeyInfo: [UInt8]) -> String {
        let name = try? DER.sequence(try DER.parse(publicKeyInfo), identifier: .sequence) { nodes in
            guard let algorithm = nodes.next(), let key = nodes.next() else { return "malformed" }
            let bits = try ASN1BitString(derEncoded: key)
            return try DER.sequence(algorithm, identifier: .sequence) { parts in
                let id = try ASN1ObjectIdentifier(derEncoded: &parts).description
                let curve = parts.next().flatMap { try? ASN1ObjectIdentifier(derEncoded: $0).description }
                while parts.next() != nil {}
                switch id {
                case "1.2.840.113549.1.1.1": return "RSA \(try rsaBits(Array(bits.bytes)))"
                case "1.2.840.10045.2.1": return curves[curve ?? ""] ?? "EC on \(curve ?? "no curve")"
                default: return id
                }
            }
        }
        return name ?? "malformed"
    }

    private static let curves = [
        "1.2.840.10045.3.1.7": "EC P-256", "1.3.132.0.34": "EC P-384", "1.3.132.0.35": "EC P-521",
    ]

    private static func rsaBits(_ key: [UInt8]) throws -> Int {
        try DER.sequence(try DER.parse(key), identifier: .sequence) { nodes in
            let digits = try ArraySlice<UInt8>(derEncoded: &nodes).drop { $0 == 0 }
            while nodes.next() != nil {}
            return digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0)
        }
    }
}

/// One element of an extension whose type its encoding tells.
enum DERValue {
    static func field(_ name: String, _ node: ASN1Node) -> InspectedField {
        guard case .primitive(let content) = node.content else {
            return .bytes(name, Array(node.encodedBytes))
        }
        switch node.identifier {
        case .integer, .enumerated:
            guard content.count <= 8, let first = content.first, first < 0x80 else {
                return .bytes(name, Array(content))
            }
            return .number(name, content.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        case .boolean: return InspectedField(name, .flag(content.first != 0))
        case .ia5String, .utf8String, .printableString:
            return .text(name, String(decoding: content, as: UTF8.self))
        default: return .bytes(name, Array(content))
        }
    }
}

/// The extensions of VCEK and VLEK certificates (AMD 57230, section 3).
enum AMDExtension {
    /// Below 1.3.6.1.4.1.3704.1.
    static let names = [
        "1": "structVersion", "2": "productName", "3.1": "blSPL", "3.2": "teeSPL", "3.3": "snpSPL", "3.4": "spl4",
        "3.5": "spl5", "3.6": "spl6", "3.7": "spl7", "3.8": "ucodeSPL", "3.9": "fmcSPL", "4": "hwID", "5": "cspID",
    ]

    /// hwID has no DER around it, so that its first bytes mean nothing.
    static func fields(_ name: String, _ value: [UInt8]) -> [InspectedField]? {
        if name == "hwID" { return [.bytes(name, value, "the chip's id")] }
        guard let node = try? DER.parse(value) else { return nil }
        return [DERValue.field(name, node)]
    }
}

/// The extension of PCK certificates (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5).
enum SGXExtension {
    static let id = "1.2.840.113741.1.13.1"

    static func fields(_ value: [UInt8]) -> [InspectedField]? {
        guard let node = try? DER.parse(value) else { return nil }
        return try? fields(node)
    }

    private static func fields(_ node: ASN1Node) throws -> [InspectedField] {
        try DER.sequence(node, identifier: .sequence) { entries in
            var fields: [InspectedField] = []
            while let entry = entries.next() {
                fields.append(
                    try DER.sequence(entry, identifier: .sequence) { parts in
                        let id = try ASN1ObjectIdentifier(derEncoded: &parts).description
                        guard let value = parts.next() else { return InspectedField(id, .absent) }
                        return try field(id, value)
                    })
            }
            return fields
        }
    }

    private static func field(_ id: String, _ value: ASN1Node) throws -> InspectedField {
        let suffix = id.hasPrefix(self.id + ".") ? String(id.dropFirst(self.id.count + 1)) : id
        let name = names[suffix] ?? component(suffix) ?? id
        return value.identifier == .sequence
            ? InspectedField(name, parts: try fields(value)) : DERValue.field(name, value)
    }

    private static let names = [
        "1": "PPID", "2": "TCB", "2.17": "PCESVN", "2.18": "CPUSVN", "3": "PCE-ID", "4": "FMSPC", "5": "SGX Type",
        "6": "Platform Instance ID", "7": "Configuration", "7.1": "Dynamic Platform", "7.2": "Cached Keys",
        "7.3": "SMT Enabled",
    ]

    /// 2.1 to 2.16.
    private static func component(_ suffix: String) -> String? {
        guard suffix.hasPrefix("2."), let number = Int(suffix.dropFirst(2)), (1...16).contains(number) else {
            return nil
        }
        return "SGX TCB Comp\(number < 10 ? "0" : "")\(number) SVN"
    }
}

/// RFC 5280, section 4.2.1.3.
enum KeyUsage {
    private static let names = [
        "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
        "cRLSign", "encipherOnly", "decipherOnly",
    ]

    static func fields(_ value: [UInt8]) -> [InspectedField]? {
        guard let node = try? DER.parse(value), let bits = try? ASN1BitString(derEncoded: node) else { return nil }
        let set = names.enumerated().filter { index, _ in
            let byte = bits.bytes.dropFirst(index / 8).first ?? 0
            return byte >> UInt8(7 - index % 8) & 1 == 1
        }
        return [InspectedField("keyUsage", .text(set.map(\.element).joined(separator: ", ")))]
    }
}

/// RFC 5280, section 4.2.1.9.
enum BasicConstraints {
    static func fields(_ value: [UInt8]) -> [InspectedField]? {
        guard let node = try? DER.parse(value) else { return nil }
        return try? DER.sequence(node, identifier: .sequence) { nodes in
            var fields: [InspectedField] = []
            while let node = nodes.next() {
                fields.append(DERValue.field(node.identifier == .boolean ? "cA" : "pathLenConstraint", node))
            }
            return fields.isEmpty ? [InspectedField("cA", .flag(false))] : fields
        }
    }
}
