// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Collateral
import Evidence
import StrictJSON
import Testing

/// What the vendors' services answer for ``Made``'s chip and platform.
struct MadeAnswers: Sendable {
    var vcek = Made.vcek()
    var tcbInfo = signed("tcbInfo", ["id": "TDX", "fmspc": "50806F000000"])
    var qeIdentity = signed("enclaveIdentity", ["id": "TD_QE"])
    var pckList = Made.list(of: "Intel SGX PCK Platform CA")
    var rootList = Made.list(of: "Intel SGX Root CA")
    var tcbHeader = "TCB-Info-Issuer-Chain"

    static func signed(
        _ member: String, _ fields: [String: JSONValue], nextUpdate: String = "2030-01-01T00:00:00Z"
    ) -> [UInt8] {
        var fields = fields
        fields["issueDate"] = "2020-01-01T00:00:00Z"
        fields["nextUpdate"] = .string(nextUpdate)
        let json: JSONValue = [
            member: .object(fields), "signature": .string(String(repeating: "ab", count: 64)),
        ]
        return json.canonicalBytes
    }

    private static let chain = Made.percentEncoded(
        Made.pem([Made.authority("Intel SGX TCB Signing"), Made.authority("Intel SGX Root CA")]))

    /// Replies by path; 404 for others.
    func reply(to target: String) -> [UInt8] {
        switch target.prefix(while: { $0 != "?" }) {
        case let path where path.hasPrefix("/vcek/v1/Milan/") && path.count > 130: Reply.body(vcek)
        case "/vcek/v1/Milan/crl": Reply.body(Made.list(of: "ARK-Milan"))
        case "/vcek/v1/Milan/cert_chain":
            Reply.body(Made.pem([Made.authority("SEV-Milan"), Made.authority("ARK-Milan")]))
        case "/tdx/certification/v4/tcb": Reply.body(tcbInfo, "\(tcbHeader): \(Self.chain)\r\n")
        case "/tdx/certification/v4/qe/identity":
            Reply.body(qeIdentity, "SGX-Enclave-Identity-Issuer-Chain: \(Self.chain)\r\n")
        case "/sgx/certification/v4/pckcrl": Reply.body(pckList, "SGX-PCK-CRL-Issuer-Chain: \(Self.chain)\r\n")
        case "/sgx/certification/v4/rootcacrl": Reply.body(Array(Hex.encode(rootList).utf8))
        default: Reply.status(404)
        }
    }
}

/// A fetcher against a scripted vendor, with a cache of its own, no waiting, and a clock that stands.
struct Bench: Sendable {
    /// 2026-01-01T00:00:00Z.
    static let now: Int64 = 1_767_225_600
    static let chip = CollateralNeed.chipCertificate(
        SNPChip(products: [.milan], id: Made.chipID, tcb: Made.tcb))

    let vendor: ScriptedVendor
    private let addresses: VendorAddresses
    let folder = TemporaryFolder()
    let log = Log()

    init(_ script: @escaping ScriptedVendor.Script) async throws {
        vendor = try await ScriptedVendor(script)
        addresses = try VendorAddresses(amdMirror: vendor.address, intelMirror: vendor.address)
    }

    init(_ answers: MadeAnswers = MadeAnswers()) async throws {
        try await self.init { _, request in answers.reply(to: request.target) }
    }

    var configuration: CollateralFetcher.Configuration {
        var configuration = CollateralFetcher.Configuration()
        configuration.addresses = addresses
        configuration.cache = CollateralCache(folder: folder.path + "/cache")
        configuration.now = { Self.now }
        configuration.random = { 1 }
        configuration.sleep = { [log] in log.note($0) }
        configuration.onNote = { [log] in log.note($0) }
        return configuration
    }

    func fetch(
        _ need: CollateralNeed = chip, _ change: (inout CollateralFetcher.Configuration) -> Void = { _ in }
    ) async throws -> CollateralSet {
        var configuration = configuration
        change(&configuration)
        return try await CollateralFetcher.with(configuration) { try await $0.obtain(need) }
    }

    /// The code of the error that fetching ends with.
    func code(
        _ need: CollateralNeed = chip, _ change: (inout CollateralFetcher.Configuration) -> Void = { _ in }
    ) async throws -> CollateralError.Code? {
        do {
            _ = try await fetch(need, change)
            return nil
        } catch let error as CollateralError {
            log.note(error.message)
            return error.code
        }
    }
}
