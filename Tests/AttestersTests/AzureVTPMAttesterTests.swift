// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Evidence
import StrictJSON
import TestVectors
import Testing

/// A TPM in software plays the virtual TPM of Azure's confidential machines: it holds a hardware report at the same
/// index, and a key at the same handle.
@Suite(.enabled(if: SoftwareTPM.isInstalled, "swtpm and tpm2-tools are not installed"))
struct AzureVTPMAttesterTests {
    /// Where nothing listens.
    private static let nobody = AzureMetadata(host: "127.0.0.1", port: 1)

    /// A report of Azure's form over a key: the header, a hardware report, and the runtime data.
    private static func hclReport(over modulus: [UInt8], type: UInt32 = 2) -> [UInt8] {
        let runtime: JSONValue = [
            "keys": [
                [
                    "kid": "HCLAkPub", "kty": "RSA", "e": "AQAB", "n": .string(Base64.encode(modulus, alphabet: .url)),
                ]
            ]
        ]
        let data = runtime.canonicalBytes
        let digest = Digest256(of: data).bytes + [UInt8](repeating: 0, count: 32)
        let hardware =
            type == 2
            ? MadeReports.snp(over: digest)
            : [UInt8](repeating: 0, count: 128) + digest + [UInt8](repeating: 0, count: 1184 - 192)
        var writer = ByteWriter()
        writer.append(Array("HCLA".utf8))
        for field in [2, UInt32(1216 + 20 + data.count), 2, 0, 0, 0, 0] { writer.littleEndian(field) }
        writer.append(hardware)
        for field in [UInt32(20 + data.count), 1, type, 1, UInt32(data.count)] { writer.littleEndian(field) }
        writer.append(data)
        writer.zeros(SoftwareTPM.maximumIndex - writer.bytes.count)
        return writer.bytes
    }

    private func machine(type: UInt32 = 2) throws -> (tpm: SoftwareTPM, modulus: [UInt8]) {
        let tpm = try SoftwareTPM()
        let modulus = try tpm.persist("0x81000003")
        try tpm.define("0x01400001", Self.hclReport(over: modulus, type: type))
        return (tpm, modulus)
    }

    private func attester(
        _ tpm: SoftwareTPM, _ metadata: AzureMetadata = Self.nobody
    ) throws -> AzureVTPMAttester {
        try withExtendedLifetime(tpm) { try AzureVTPMAttester(place: tpm.place, metadata: metadata) }
    }

    private func attest(
        _ attester: AzureVTPMAttester, _ tpm: SoftwareTPM, _ request: AttestationRequest
    ) throws -> EvidenceEnvelope {
        try withExtendedLifetime(tpm) { try attester.attest(request) }
    }

    @Test func theEvidenceHoldsReportAndQuote() throws {
        let (tpm, modulus) = try machine()
        let attester = try self.attester(tpm)
        #expect(attester.platform == "az-snp")
        let envelope = try attest(attester, tpm, MadeReports.request)
        let evidence = try AzureEvidence(envelope.evidence)
        #expect(evidence.hclReport.reportType == .snp && evidence.endorsementKey == nil)
        #expect(evidence.runtimeData.attestationKey?.modulus == modulus)
        #expect(evidence.quote.isGeneratedByTPM && evidence.quote.extraData == MadeReports.request.bytes)
        let quote = try #require(evidence.quote.quote)
        #expect(quote.selections.map(\.registers) == [Array(0..<24)])
        #expect(quote.digest(of: evidence.registers, by: .sha256) == quote.pcrDigest)
        #expect(evidence.quoteSignature.count == 256)
        #expect(try envelope.launchMeasurement == [UInt8](repeating: 0xAA, count: 48))
        #expect(try tpm.transientObjects() == 0)
    }

    @Test func tpm2ToolsVerifyTheQuote() throws {
        let (tpm, _) = try machine()
        let attester = try self.attester(tpm)
        let evidence = try AzureEvidence(try attest(attester, tpm, MadeReports.request).evidence)
        try tpm.must("tpm2_readpublic", ["-c", "0x81000003", "-o", "key"])
        let message = try tpm.folder.write(evidence.quote.bytes, to: "message")
        let signature = try tpm.folder.write(
            TPMSignature(hash: .sha256, value: .rsassa(evidence.quoteSignature)).encoded, to: "signature")
        let data = Hex.encode(MadeReports.request.bytes)
        try tpm.must(
            "tpm2_checkquote", ["-u", "key", "-m", message, "-s", signature, "-g", "sha256", "-q", data])
    }

    @Test func the50BytesThatFitAreSignedAndNotMore() throws {
        let (tpm, _) = try machine()
        let attester = try self.attester(tpm)
        let most = [UInt8](repeating: 1, count: 50)
        #expect(
            try AzureEvidence(attest(attester, tpm, AttestationRequest(bytes: most)).evidence).quote.extraData == most)
        let error = #expect(throws: AttesterError.self) {
            try attest(attester, tpm, AttestationRequest(bytes: most + [1]))
        }
        #expect(error?.code == .invalid)
    }

    @Test func aTPMWithoutAReportIsOfNoConfidentialMachine() throws {
        let tpm = try SoftwareTPM()
        let error = #expect(throws: AttesterError.self) {
            try attester(tpm)
        }
        #expect(error?.code == .absent)
    }

    @Test func aReportOverAnotherKeyIsRefused() throws {
        let tpm = try SoftwareTPM()
        _ = try tpm.persist("0x81000003")
        try tpm.define("0x01400001", Self.hclReport(over: [UInt8](repeating: 0xC1, count: 256)))
        let attester = try self.attester(tpm)
        let error = #expect(throws: AttesterError.self) { try attest(attester, tpm, MadeReports.request) }
        #expect(error?.code == .invalid && error?.message.contains("not the one") == true)
    }

    @Test func aReportWithoutItsKeyIsRefused() throws {
        let tpm = try SoftwareTPM()
        try tpm.define("0x01400001", Self.hclReport(over: [UInt8](repeating: 0xC1, count: 256)))
        let attester = try self.attester(tpm)
        #expect(throws: AttesterError.self) { try attest(attester, tpm, MadeReports.request) }
    }

    @Test func aReportThatIsNoneIsRefused() throws {
        let tpm = try SoftwareTPM()
        try tpm.define("0x01400001", [1, 2, 3])
        let error = #expect(throws: AttesterError.self) {
            try attester(tpm)
        }
        #expect(error?.code == .invalid)
    }

    @Test func theChipsCertificateIsTakenAlongWhereAzureHandsItOut() throws {
        let (tpm, _) = try machine()
        let body = "{\"vcekCert\": \"-----BEGIN CERTIFICATE-----\\nMAMBAgM=\\n-----END CERTIFICATE-----\\n\"}"
        let service = try ScriptedService(["HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"])
        let attester = try self.attester(tpm, AzureMetadata(host: "127.0.0.1", port: service.port))
        let evidence = try AzureEvidence(try attest(attester, tpm, MadeReports.request).evidence)
        #expect(evidence.endorsementKey == [0x30, 3, 1, 2, 3])
        let request = try #require(service.requests.first)
        #expect(request.hasPrefix("GET /metadata/THIM/amd/certification HTTP/1.0\r\n"))
        #expect(request.contains("\r\nMetadata: true\r\n"))
    }

    @Test(
        arguments: [
            ("no answer", ""), ("not HTTP", "hello\r\n\r\n"), ("an error", "HTTP/1.1 429 Too Many\r\n\r\n"),
            ("no JSON", "HTTP/1.1 200 OK\r\n\r\nhello"), ("no quote", "HTTP/1.1 200 OK\r\n\r\n{}"),
            ("half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"),
            ("in pieces", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
            ("not a quote", "HTTP/1.1 200 OK\r\n\r\n{\"quote\":\"AAAA\"}"),
        ])
    func withoutItsQuoteTDXIsNotAttested(name: String, answer: String) throws {
        let (tpm, _) = try machine(type: 4)
        let service = try ScriptedService([answer])
        let attester = try self.attester(tpm, AzureMetadata(host: "127.0.0.1", port: service.port))
        #expect(attester.platform == "az-tdx")
        #expect(throws: AttesterError.self) { try attest(attester, tpm, MadeReports.request) }
        let request = try #require(service.requests.first)
        #expect(request.hasPrefix("POST /acc/tdquote HTTP/1.0\r\n") && request.contains("{\"report\":\""))
    }

    /// The key of a real report is Azure's own: the report is read, and the quote of another key refused.
    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are absent"))
    func aRealReportIsReadAndItsKeyMissed() throws {
        let tpm = try SoftwareTPM()
        _ = try tpm.persist("0x81000003")
        try tpm.define("0x01400001", try SharedVectors.bytes("azure-snp/az-snp-hcl-2048-no-vcek.hcl.bin"))
        let attester = try self.attester(tpm)
        #expect(attester.platform == "az-snp")
        let error = #expect(throws: AttesterError.self) { try attest(attester, tpm, MadeReports.request) }
        #expect(error?.message.contains("not the one") == true)
    }

    /// A real quote, of the machine that the vector is of, is over another report than the one that it is asked for.
    @Test(.enabled(if: SharedVectors.arePresent, "the shared vectors are absent"))
    func theQuoteOfAnotherMachineIsRefused() throws {
        let (tpm, _) = try machine(type: 4)
        let quote = Base64.encode(try SharedVectors.bytes("tdx/tdx-v4-azure-2026.bin"), alphabet: .url)
        let service = try ScriptedService(["HTTP/1.1 200 OK\r\n\r\n{\"quote\":\"\(quote)\"}"])
        let attester = try self.attester(tpm, AzureMetadata(host: "127.0.0.1", port: service.port))
        let error = #expect(throws: AttesterError.self) { try attest(attester, tpm, MadeReports.request) }
        #expect(error?.message.contains("another report") == true)
    }
}
