// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import Evidence
import StrictJSON

/// A vendor, a platform, a trust domain and its quote, all made here. As it stands a verifier accepts it; each test
/// changes something.
struct TDXMade {
    typealias Key = P256.Signing.PrivateKey

    static let keys: [Key] = (1...7).compactMap { try? Key(rawRepresentation: [UInt8](repeating: $0, count: 32)) }
    /// A key that is nobody's.
    static var stranger: Key { keys[6] }

    /// 2026-03-17T10:00:00Z.
    var now: Int64 = 1_773_741_600
    var policy = AppraisalPolicy()
    var root = TDXMade.certificate("Intel SGX Root CA", 0, by: "Intel SGX Root CA", 0, authority: true)
    var authority = TDXMade.certificate("Intel SGX PCK Platform CA", 1, by: "Intel SGX Root CA", 0, authority: true)
    var leaf = TDXMade.certificate("Intel SGX PCK Certificate", 2, by: "Intel SGX PCK Platform CA", 1, authority: false)
    var tcbSigner = TDXMade.certificate("Intel SGX TCB Signing", 3, by: "Intel SGX Root CA", 0, authority: false)
    /// Where another one than `authority` stands in the quote, or before the PCK list.
    var authorityInQuote: TDXMadeCertificate?
    var listAuthority: TDXMadeCertificate?
    var rootInQuote: TDXMadeCertificate?
    var pck = TDXMadeSGXExtension()
    var pckList = TDXMade.list("Intel SGX PCK Platform CA", 1)
    var rootList = TDXMade.list("Intel SGX Root CA", 0)
    var tcbInfo = TDXMadeDocuments.tcbInfo
    var qeIdentity = TDXMadeDocuments.qeIdentity
    var tcbInfoSigner = keys[3]
    var qeIdentitySigner = keys[3]
    /// Changes documents after they were signed.
    var changeCollateral: (inout IntelCollateral) -> Void = { _ in }
    var quote = TDXMadeQuote()
    var eventLog: TCGEventLog?
    /// Further sets that the verifier has.
    var otherCollateral: [IntelCollateral] = []

    static func certificate(
        _ subject: String, _ key: Int, by issuer: String, _ signer: Int, authority: Bool
    ) -> TDXMadeCertificate {
        TDXMadeCertificate(
            subject: subject, issuer: issuer, key: keys[key], signer: keys[signer], serial: [UInt8(key + 1), 0xA5],
            notBefore: 1_700_000_000, notAfter: 1_900_000_000, isAuthority: authority, usage: authority ? 0x06 : 0xC0)
    }

    static func list(_ issuer: String, _ signer: Int) -> TDXMadeList {
        TDXMadeList(
            issuer: issuer, signer: keys[signer], thisUpdate: 1_773_600_000, nextUpdate: 1_775_600_000,
            revoked: [[0x11, 0x22]])
    }

    var trustedRoot: IntelRoot {
        IntelRoot(publicKeyInfo: Array(Self.keys[0].publicKey.derRepresentation))
    }

    var collateral: IntelCollateral {
        var set = IntelCollateral(
            tcbInfo: tcbInfo.canonicalBytes, tcbInfoSignature: Self.sign(tcbInfo.canonicalBytes, tcbInfoSigner),
            tcbInfoIssuerChain: TDXMadeDER.pem([tcbSigner.der, root.der]), qeIdentity: qeIdentity.canonicalBytes,
            qeIdentitySignature: Self.sign(qeIdentity.canonicalBytes, qeIdentitySigner),
            qeIdentityIssuerChain: TDXMadeDER.pem([tcbSigner.der, root.der]), pckCRL: pckList.der,
            pckCRLIssuerChain: TDXMadeDER.pem([(listAuthority ?? authority).der, root.der]), rootCACRL: rootList.der)
        changeCollateral(&set)
        return set
    }

    /// The certificates in the quote, DER.
    var chain: [[UInt8]] {
        var leaf = leaf
        leaf.extensions.append(pck.der)
        return [leaf.der, (authorityInQuote ?? authority).der, (rootInQuote ?? root).der]
    }

    func evidence() throws -> TDXEvidence {
        TDXEvidence(
            quote: try IntelQuote(decoding: quote.bytes(chain: chain, pckKey: leaf.key)), eventLog: eventLog)
    }

    func appraise() throws -> AppraisalResult {
        var policy = policy
        if policy.knownImages.isEmpty { policy.acceptAnyMeasurementUnsafely = true }
        return TDXAppraiser(
            policy: policy, collateral: CollateralSet(intel: [collateral] + otherCollateral), now: now,
            root: trustedRoot
        ).appraise(try evidence(), platform: "tdx")
    }

    static func sign(_ bytes: [UInt8], _ key: Key) -> [UInt8] {
        (try? key.signature(for: SHA256.hash(data: bytes)).rawRepresentation).map(Array.init) ?? []
    }
}

/// Intel's extension of a PCK certificate, to be made.
struct TDXMadeSGXExtension {
    var components = [UInt8](repeating: 5, count: 16)
    var pceSVN = 13
    var pceID: [UInt8] = [0, 0]
    var fmspc: [UInt8] = [0x90, 0xC0, 0x6F, 0, 0, 0]
    var ppid = [UInt8](repeating: 0xAB, count: 16)
    /// Entries that are left out or stand twice, by their last number.
    var missing: UInt8?
    var repeated: UInt8?

    var der: [UInt8] {
        typealias DER = TDXMadeDER
        let prefix: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01]
        let versions =
            components.enumerated().flatMap { index, value in
                DER.sequence(DER.identifier(prefix + [2, UInt8(index + 1)]), DER.integer(Int(value)))
            } + DER.sequence(DER.identifier(prefix + [2, 17]), DER.integer(pceSVN))
            + DER.sequence(DER.identifier(prefix + [2, 18]), DER.octets(components))
        let entries: [(UInt8, [UInt8])] = [
            (1, DER.octets(ppid)), (2, DER.element(0x30, versions)), (3, DER.octets(pceID)), (4, DER.octets(fmspc)),
            (5, DER.element(0x0A, [1])),
        ]
        let content = entries.filter { $0.0 != missing }.flatMap { number, value in
            let entry = DER.sequence(DER.identifier(prefix + [number]), value)
            return number == repeated ? entry + entry : entry
        }
        return DER.fileExtension(prefix, critical: false, DER.element(0x30, content))
    }
}

/// A quote, to be made.
struct TDXMadeQuote {
    var version: UInt16 = 4
    var tee: UInt32 = 0x81
    var vendor = TDXPolicy.intelQEVendorID
    /// 584 bytes, and 64 more in version 5.
    var report: [UInt8] = {
        var report = [UInt8](repeating: 0, count: 584)
        report[0] = 6
        report[1] = 1
        report[2] = 3
        report.replaceSubrange(120..<128, with: [0, 0, 0, 0x10, 0, 0, 0, 0])
        report.replaceSubrange(136..<184, with: [UInt8](repeating: 0x4D, count: 48))
        report.replaceSubrange(520..<584, with: 1...64)
        return report
    }()
    var qeReport: [UInt8] = {
        var report = [UInt8](repeating: 0, count: 384)
        report[48] = 0x15
        report[56] = 0xE7
        report.replaceSubrange(128..<160, with: [UInt8](repeating: 0xDC, count: 32))
        report[256] = 2
        report[258] = 8
        return report
    }()
    var authenticationData = [UInt8](0..<32)
    var attestationKey = TDXMade.keys[4]
    var signer = TDXMade.keys[4]
    /// Signs the quoting enclave's report instead of the PCK certificate's key.
    var qeSigner: TDXMade.Key?
    /// Replaces the binding of the attestation key.
    var qeReportData: [UInt8]?

    func bytes(chain: [[UInt8]], pckKey: TDXMade.Key) -> [UInt8] {
        var signed = ByteWriter()
        signed.littleEndian(version)
        signed.littleEndian(UInt16(2))
        signed.littleEndian(tee)
        signed.append([0, 0, 0, 0] + vendor)
        signed.zeros(20)
        if version == 5 {
            signed.littleEndian(UInt16(report.count == 648 ? 3 : 2))
            signed.littleEndian(UInt32(report.count))
        }
        signed.append(report)
        let key = Array(attestationKey.publicKey.rawRepresentation)
        var qe = qeReport
        let binding = Array(SHA256.hash(data: key + authenticationData)) + [UInt8](repeating: 0, count: 32)
        qe.replaceSubrange(320..<384, with: qeReportData ?? binding)
        var certification = ByteWriter()
        certification.append(qe + TDXMade.sign(qe, qeSigner ?? pckKey))
        certification.littleEndian(UInt16(authenticationData.count))
        certification.append(authenticationData)
        certification.littleEndian(UInt16(5))
        let pem = TDXMadeDER.pem(chain)
        certification.littleEndian(UInt32(pem.count))
        certification.append(pem)
        var all = signed
        all.littleEndian(UInt32(134 + certification.bytes.count))
        all.append(TDXMade.sign(signed.bytes, signer) + key)
        all.littleEndian(UInt16(6))
        all.littleEndian(UInt32(certification.bytes.count))
        all.append(certification.bytes)
        return all.bytes
    }
}

/// Documents that Intel's service would sign.
enum TDXMadeDocuments {
    static let tcbInfo: JSONValue = [
        "id": "TDX", "version": 3, "issueDate": "2026-03-16T22:06:09Z", "nextUpdate": "2026-04-15T22:06:09Z",
        "fmspc": "90C06F000000", "pceId": "0000", "tcbType": 0, "tcbEvaluationDataNumber": 18,
        "tdxModule": [
            "mrsigner": .string(String(repeating: "0", count: 96)), "attributes": "0000000000000000",
            "attributesMask": "FFFFFFFFFFFFFFFF",
        ],
        "tdxModuleIdentities": [
            [
                "id": "TDX_01", "mrsigner": .string(String(repeating: "0", count: 96)),
                "attributes": "0000000000000000", "attributesMask": "FFFFFFFFFFFFFFFF",
                "tcbLevels": [isvLevel(6, "UpToDate"), isvLevel(4, "OutOfDate", ["INTEL-SA-00002"])],
            ]
        ],
        "tcbLevels": [level(5, 13, "UpToDate"), level(3, 11, "OutOfDate", ["INTEL-SA-00001"])],
    ]

    static let qeIdentity: JSONValue = [
        "id": "TD_QE", "version": 2, "issueDate": "2026-03-16T22:16:03Z", "nextUpdate": "2026-04-15T22:16:03Z",
        "tcbEvaluationDataNumber": 18, "miscselect": "00000000", "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000", "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": .string(String(repeating: "DC", count: 32)), "isvprodid": 2,
        "tcbLevels": [isvLevel(8, "UpToDate"), isvLevel(6, "OutOfDate", ["INTEL-SA-00003"])],
    ]

    static func level(
        _ svn: Int, _ pceSVN: Int, _ status: String, _ advisories: [String] = [], tdx: [Int] = [5, 0, 3]
    ) -> JSONValue {
        let components = { (versions: [Int]) in JSONValue.array(versions.map { ["svn": .integer($0)] }) }
        return judged(
            [
                "sgxtcbcomponents": components([Int](repeating: svn, count: 16)), "pcesvn": .integer(pceSVN),
                "tdxtcbcomponents": components(tdx + [Int](repeating: 0, count: 16 - tdx.count)),
            ], status, advisories)
    }

    static func isvLevel(_ svn: Int, _ status: String, _ advisories: [String] = []) -> JSONValue {
        judged(["isvsvn": .integer(svn)], status, advisories)
    }

    private static func judged(_ tcb: JSONValue, _ status: String, _ advisories: [String]) -> JSONValue {
        [
            "tcb": tcb, "tcbDate": "2024-11-13T00:00:00Z", "tcbStatus": .string(status),
            "advisoryIDs": .array(advisories.map { .string($0) }),
        ]
    }
}

extension JSONValue {
    /// Changes a member of an object.
    mutating func set(_ key: String, _ value: JSONValue?) {
        guard case .object(var members) = self else { return }
        members[key] = value
        self = .object(members)
    }

    /// Changes an element of a list that is a member of an object.
    mutating func change(_ list: String, _ index: Int, _ body: (inout JSONValue) -> Void) {
        guard case .object(var members) = self, case .array(var elements)? = members[list] else { return }
        body(&elements[index])
        members[list] = .array(elements)
        self = .object(members)
    }
}
