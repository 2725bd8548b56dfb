// SPDX-License-Identifier: Apache-2.0
package import ByteCoding
internal import Evidence

/// What Intel says of the key that signs quoting enclaves: a provisioning certification key (PCK) certificate with
/// Intel's extension, decoded and not yet believed (Intel SGX PCK Certificate and CRL Profile, section 1.3.5).
///
/// | object identifier below 1.2.840.113741.1.13.1 | type | meaning |
/// |---|---|---|
/// | .1 | OCTET STRING, 16 bytes | PPID |
/// | .2.1 to .2.16 | INTEGER | security versions of the TCB's components |
/// | .2.17 | INTEGER | PCESVN |
/// | .2.18 | OCTET STRING, 16 bytes | CPUSVN |
/// | .3 | OCTET STRING, 2 bytes | PCE-ID |
/// | .4 | OCTET STRING, 6 bytes | FMSPC |
/// | .5 to .7 | | SGX type, platform instance, configuration: not used |
package struct PCKCertificate: Hashable, Sendable {
    /// The CA that issued it, which has a revocation list of its own.
    package enum Authority: String, CaseIterable, Sendable {
        case platform, processor

        /// The subject's common name.
        package var name: String {
            switch self {
            case .platform: "Intel SGX PCK Platform CA"
            case .processor: "Intel SGX PCK Processor CA"
            }
        }
    }

    package static let name = "Intel SGX PCK Certificate"

    package let certificate: Certificate
    package let authority: Authority
    /// 16 bytes.
    package let ppid: [UInt8]
    /// 16 of them.
    package let componentSVNs: [UInt8]
    package let pceSVN: UInt16
    /// 16 bytes.
    package let cpuSVN: [UInt8]
    /// 2 bytes.
    package let pceID: [UInt8]
    /// 6 bytes: the platform's family, model, stepping, type and custom SKU.
    package let fmspc: [UInt8]

    /// Throws where the names are not those of a PCK certificate, or the extension is missing or malformed.
    package init(_ certificate: Certificate) throws(MalformedBytes) {
        self.certificate = certificate
        guard certificate.subject.commonName == Self.name else {
            throw Self.malformed("subject", "'\(certificate.subject.commonName ?? "no name")'")
        }
        guard let authority = Authority.allCases.first(where: { $0.name == certificate.issuer.commonName }) else {
            throw Self.malformed("issuer", "'\(certificate.issuer.commonName ?? "no name")'")
        }
        self.authority = authority
        guard let value = certificate.extensions["1.2.840.113741.1.13.1"] else {
            throw Self.malformed("SGX extension", "missing")
        }
        let fields = try SGXExtension(value)
        guard let ppid = fields.ppid, let pceSVN = fields.pceSVN, let cpuSVN = fields.cpuSVN,
            let pceID = fields.pceID, let fmspc = fields.fmspc
        else { throw Self.malformed("SGX extension", "incomplete") }
        componentSVNs = fields.componentSVNs.compactMap(\.self)
        guard componentSVNs.count == 16 else { throw Self.malformed("SGX extension", "a component is missing") }
        (self.ppid, self.pceSVN, self.cpuSVN) = (ppid, pceSVN, cpuSVN)
        (self.pceID, self.fmspc) = (pceID, fmspc)
    }

    fileprivate static func malformed(_ field: String, _ reason: String) -> MalformedBytes {
        MalformedBytes(format: "PCK certificate", field: field, offset: 0, reason: reason)
    }
}

/// The certificates in a quote, the PCK certificate decoded, and none believed.
struct PCKChain {
    let leaf: PCKCertificate
    /// The others, DER.
    let issuers: [[UInt8]]

    init(of quote: IntelQuote) throws(MalformedBytes) {
        let chain = try PEM.decode(quote.signature.pckChain, label: "CERTIFICATE")
        guard let first = chain.first else { throw PCKCertificate.malformed("chain", "empty") }
        leaf = try PCKCertificate(try Certificate(der: first))
        issuers = Array(chain.dropFirst())
    }
}

/// Reads Intel's extension.
private struct SGXExtension {
    /// 1.2.840.113741.1.13.1, DER without tag and length.
    private static let prefix: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01]

    private(set) var ppid: [UInt8]?
    private(set) var componentSVNs = [UInt8?](repeating: nil, count: 16)
    private(set) var pceSVN: UInt16?
    private(set) var cpuSVN: [UInt8]?
    private(set) var pceID: [UInt8]?
    private(set) var fmspc: [UInt8]?

    init(_ bytes: [UInt8]) throws(MalformedBytes) {
        var scanner = DERScanner(bytes, format: "SGX extension")
        var entries = try scanner.sequence("extension")
        try scanner.finish("extension")
        while !entries.isAtEnd {
            var entry = try entries.sequence("entry")
            try read(Array(try Self.suffix(&entry)), &entry)
        }
    }

    private mutating func read(_ suffix: [UInt8], _ entry: inout DERScanner) throws(MalformedBytes) {
        switch suffix {
        case [1]: try Self.set(&ppid, try entry.octets("PPID", count: 16), entry)
        case [2]: try readTCB(try entry.sequence("TCB"))
        case [3]: try Self.set(&pceID, try entry.octets("PCE-ID", count: 2), entry)
        case [4]: try Self.set(&fmspc, try entry.octets("FMSPC", count: 6), entry)
        default: _ = try entry.next("entry")
        }
        try entry.finish("entry")
    }

    private mutating func readTCB(_ tcb: DERScanner) throws(MalformedBytes) {
        var entries = tcb
        while !entries.isAtEnd {
            var entry = try entries.sequence("TCB")
            let suffix = try Self.suffix(&entry)
            guard suffix.count == 2, suffix.first == 2, let number = suffix.last else {
                throw entry.malformed("TCB", "an unknown part")
            }
            switch number {
            case 1...16:
                let value = UInt8(truncatingIfNeeded: try entry.unsigned("component SVN", maximum: 255))
                try Self.set(&componentSVNs[Int(number) - 1], value, entry)
            case 17:
                try Self.set(
                    &pceSVN, UInt16(truncatingIfNeeded: try entry.unsigned("PCESVN", maximum: 65_535)), entry)
            case 18: try Self.set(&cpuSVN, try entry.octets("CPUSVN", count: 16), entry)
            default: throw entry.malformed("TCB", "an unknown part")
            }
            try entry.finish("TCB")
        }
    }

    /// What follows the prefix in the entry's object identifier.
    private static func suffix(_ entry: inout DERScanner) throws(MalformedBytes) -> ArraySlice<UInt8> {
        let range = try entry.content(DERScanner.objectIdentifier, "identifier")
        let identifier = entry.bytes[range]
        guard identifier.starts(with: prefix) else { throw entry.malformed("identifier", "not one of Intel's") }
        return identifier.dropFirst(prefix.count)
    }

    private static func set<Value>(
        _ field: inout Value?, _ value: Value, _ entry: DERScanner
    ) throws(MalformedBytes) {
        guard field == nil else { throw entry.malformed("identifier", "stands twice") }
        field = value
    }
}
