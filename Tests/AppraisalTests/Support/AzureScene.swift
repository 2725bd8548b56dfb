// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import CryptoExtras
import Evidence
import StrictJSON
import Testing

/// Azure's evidence with all that an appraisal needs, sound as it is made: each test edits one thing.
struct AzureScene {
    static let extraData = (0..<48).map { UInt8($0) }
    static let bootLoader = [UInt8](repeating: 4, count: 32)

    let isTDX: Bool
    /// The SNP report and its hierarchy.
    var snp: SNPScene
    /// The TD, its quote and Intel.
    var tdx = TDXMade()
    var key: TPMTestKey
    var keyID = "HCLAkPub"
    /// Of the runtime data, which say "user-data" with it.
    var userData = String(repeating: "0", count: 128)
    /// Done to the runtime data after the hardware signed their digest.
    var runtimeAfterwards: (inout [UInt8]) -> Void = { _ in }
    var hashType: UInt32 = 1
    /// Done to the hardware's report within the HCL report.
    var reportAfterwards: (inout [UInt8]) -> Void = { _ in }
    var padding = [UInt8](repeating: 0, count: 100)
    var magic: UInt32 = 0xFF54_4347
    var type: UInt16 = 0x8018
    var extraData = AzureScene.extraData
    var registers = Array(0..<24)
    var values = (0..<24).map { [UInt8](repeating: UInt8($0), count: 32) }
    var valuesAfterwards: (inout [[UInt8]]) -> Void = { _ in }
    var signatureAfterwards: (inout [UInt8]) -> Void = { _ in }
    var platform: String
    /// Done to the members of the evidence.
    var change: (inout [String: JSONValue]) -> Void = { _ in }
    var policy = AppraisalPolicy()
    var now: Int64? = SNPScene.now

    init(tdx isTDX: Bool, key: TPMTestKey? = nil) throws {
        self.isTDX = isTDX
        snp = try SNPScene()
        self.key = try key ?? .rsassa(#require(TPMTestKey.sharedRSA))
        platform = isTDX ? "az-tdx" : "az-snp"
        policy.knownImages = [
            KnownImage(
                platform: isTDX ? .azureTDX : .azureSNP, name: "cupel-guest", version: "1.0.0",
                registers: [isTDX ? "MRTD" : "MEASUREMENT": SNPScene.measurement, "PCR4": Self.bootLoader])
        ]
    }

    func appraised() throws -> AppraisalResult {
        var evidence = try members()
        change(&evidence)
        let collateral = CollateralSet(intel: isTDX ? [tdx.collateral] : [])
        return AzureAppraiser(
            policy: policy, collateral: collateral, now: now, authorities: AMDAuthorities(snp.authorities),
            intelRoot: tdx.trustedRoot
        ).appraise(EvidenceEnvelope(platform: platform, evidence: .object(evidence)))
    }

    private func members() throws -> [String: JSONValue] {
        var runtime = try runtimeData()
        let algorithm: TPMHashAlgorithm = hashType == 3 ? .sha512 : hashType == 2 ? .sha384 : .sha256
        let digest = algorithm.digest(of: runtime)
        let reportData = digest + [UInt8](repeating: 0, count: 64 - digest.count)
        runtimeAfterwards(&runtime)
        var members: [String: JSONValue] = ["version": 2, "tpm_quote": try tpmQuote()]
        var report: [UInt8]
        if isTDX {
            var made = tdx
            made.quote.report.replaceSubrange(520..<584, with: reportData)
            var leaf = made.leaf
            leaf.extensions.append(made.pck.der)
            let quote = made.quote.bytes(
                chain: [leaf.der, made.authority.der, made.root.der], pckKey: made.leaf.key)
            members["td_quote"] = .string(Base64.encode(quote, alphabet: .url))
            report = Self.moduleReport(made.quote.report)
        } else {
            var scene = snp
            scene.put(reportData, at: 0x50)
            report = try scene.signedReport()
            let certificate = try scene.certificate.signed(by: scene.certificateKey)
            members["vcek"] = .string(Base64.encode(certificate, alphabet: .url))
        }
        reportAfterwards(&report)
        members["hcl_report"] = .string(Base64.encode(hclReport(report, runtime), alphabet: .url))
        return members
    }

    /// A TDREPORT that says what the body of a quote says.
    private static func moduleReport(_ body: [UInt8]) -> [UInt8] {
        var report = [UInt8](repeating: 0, count: 1184)
        report.replaceSubrange(128..<192, with: body[520..<584])
        report.replaceSubrange(512..<528, with: body[120..<136])
        report.replaceSubrange(528..<576, with: body[136..<184])
        return report
    }

    private func runtimeData() throws -> [UInt8] {
        guard case .rsassa(let key) = key else { return [] }
        let modulus = Base64.encode(Array(try key.publicKey.getKeyPrimitives().modulus), alphabet: .url)
        return Array(
            #"{"keys":[{"kid":"\#(keyID)","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"\#(modulus)"}],"#.utf8)
            + Array(#""vm-configuration":{"secure-boot":true},"user-data":"\#(userData)"}"#.utf8)
    }

    private func hclReport(_ report: [UInt8], _ runtime: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append("HCLA".utf8)
        for number in [2, UInt32(1216 + 20 + runtime.count), 2, 0, 0, 0, 0] { writer.littleEndian(number) }
        writer.append(report)
        for number in [UInt32(20 + runtime.count), 1, isTDX ? 4 : 2, hashType, UInt32(runtime.count)] {
            writer.littleEndian(number)
        }
        writer.append(runtime + padding)
        return writer.bytes
    }

    func tpmQuote() throws -> JSONValue {
        let quoted = registers.flatMap { values[$0] }
        let message = TPMBytes.attest(
            magic: magic, type: type, extraData: extraData, selections: [(.sha256, registers)],
            digest: Digest256(of: quoted).bytes)
        guard case .rsassa(var signature) = try key.sign(message) else { return .null }
        signatureAfterwards(&signature)
        var delivered = values
        valuesAfterwards(&delivered)
        return [
            "message": .string(Hex.encode(message)), "signature": .string(Hex.encode(signature)),
            "pcrs": .array(delivered.map { .string(Hex.encode($0)) }),
        ]
    }
}

/// One change to a scene, and all the codes that refuse it.
struct AzureRow: Sendable, CustomTestStringConvertible {
    let name: String
    let codes: [String]
    let change: @Sendable (inout AzureScene) throws -> Void

    init(_ name: String, _ codes: String..., change: @escaping @Sendable (inout AzureScene) throws -> Void) {
        self.name = name
        self.codes = codes.sorted()
        self.change = change
    }

    var testDescription: String { name }
}
