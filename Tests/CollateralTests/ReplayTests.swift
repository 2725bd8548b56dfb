// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Collateral
import Evidence
import StrictJSON
import TestVectors
import Testing

/// Answers of the real services, replayed.
@Suite(.enabled(if: SharedVectors.arePresent, "the published vectors are not here"))
struct ReplayTests {
    @Test(arguments: [
        ("tdx/tdx-v4-dstack-report.bin", "90c06f000000-202603"), ("tdx/tdx-v4-gcp-8000.bin", "00806f050000-202510"),
        ("tdx/sgx-v3-phala.bin", "00a067110000-sgx-202506"),
    ])
    func intelsAnswersAreKeptByteForByte(quote: String, name: String) async throws {
        let collateral = try IntelCollateral(parsing: SharedVectors.bytes("intel-collateral/\(name).json"))
        let bench = try await Bench { _, request in Self.reply(collateral, to: request.target) }
        let quote = try IntelQuote(decoding: SharedVectors.bytes(quote))
        let set = try await bench.fetch(.intel(try IntelPlatform(of: quote)))
        #expect(set.intel == [collateral])
    }

    @Test(arguments: [
        "milan-v2-virtee", "milan-v3-microsoft", "genoa-v5-siena-live", "genoa-v3-tsm", "turin-v5-microsoft",
    ])
    func aRealChipsCertificateIsTakenForItsReportOnly(name: String) async throws {
        let certificate = try SharedVectors.bytes("snp/\(name).vek.der")
        let bench = try await Bench { _, request in
            request.target.contains("SPL") ? Reply.body(certificate) : Reply.status(404)
        }
        let envelope = MadeEvidence.snp(try SharedVectors.bytes("snp/\(name).report.bin"))
        let need = try #require(CollateralNeed.all(of: envelope).first)
        #expect(try await bench.fetch(need).amdCertificates == [certificate])
        let url = try #require(need.urls().first)
        #expect(bench.vendor.targets.map { "https://kdsintf.amd.com" + $0 } == [url])
        #expect(try await bench.code() == .malformedAnswer)
    }

    private static func reply(_ collateral: IntelCollateral, to target: String) -> [UInt8] {
        let path = target.prefix { $0 != "?" }
        func signed(_ member: String, _ body: [UInt8], _ signature: [UInt8]) -> [UInt8] {
            Array("{\"\(member)\":".utf8) + body + Array(",\"signature\":\"\(Hex.encode(signature))\"}".utf8)
        }
        func header(_ name: String, _ chain: [UInt8]) -> String { "\(name): \(Made.percentEncoded(chain))\r\n" }
        if path.hasSuffix("/tcb") {
            return Reply.body(
                signed("tcbInfo", collateral.tcbInfo, collateral.tcbInfoSignature),
                header("TCB-Info-Issuer-Chain", collateral.tcbInfoIssuerChain))
        }
        if path.hasSuffix("/qe/identity") {
            return Reply.body(
                signed("enclaveIdentity", collateral.qeIdentity, collateral.qeIdentitySignature),
                header("SGX-Enclave-Identity-Issuer-Chain", collateral.qeIdentityIssuerChain))
        }
        if path.hasSuffix("/pckcrl") {
            return Reply.body(collateral.pckCRL, header("SGX-PCK-CRL-Issuer-Chain", collateral.pckCRLIssuerChain))
        }
        return path.hasSuffix("/rootcacrl") ? Reply.body(collateral.rootCACRL) : Reply.status(404)
    }
}
