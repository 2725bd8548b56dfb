// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Crypto
import Evidence
import Foundation
import Testing

@Suite(.enabled(if: SoftwareTPM.isInstalled, "swtpm and tpm2-tools are not installed"))
struct TPMAttesterTests {
    private static let certificate: [UInt8] = [0x30, 0x03, 1, 2, 3]

    private func attest(
        _ tpm: SoftwareTPM, _ request: AttestationRequest = MadeReports.request, log: String = "/nonexistent"
    ) throws -> TPMEvidence {
        let envelope = try withExtendedLifetime(tpm) {
            try TPMAttester(place: tpm.place, eventLogPath: log).attest(request)
        }
        #expect(envelope.platform == "vtpm")
        #expect(try envelope.launchMeasurement == nil)
        return try TPMEvidence(envelope.evidence)
    }

    @Test func theQuoteIsOverTheBytesAsTheyAre() throws {
        let tpm = try SoftwareTPM()
        let evidence = try attest(tpm)
        #expect(evidence.quote.isGeneratedByTPM && evidence.quote.extraData == MadeReports.request.bytes)
        let quote = try #require(evidence.quote.quote)
        #expect(quote.selections.map(\.bank) == [.sha256])
        #expect(quote.selections[0].registers == TPMAttester.registers)
        #expect(evidence.registers.registers(of: .sha256) == TPMAttester.registers)
        #expect(quote.digest(of: evidence.registers, by: .sha256) == quote.pcrDigest)
        #expect(evidence.attestationChain == nil && evidence.endorsementChain == nil && evidence.eventLog == nil)
        #expect(evidence.attestationKey.attributes.isSuperset(of: .attestationKey))
        #expect(!evidence.attestationKey.attributes.contains(.decrypt))
        #expect(try tpm.transientObjects() == 0)
    }

    /// The signature verifies with an implementation of ECDSA that is not the TPM's.
    @Test func theKeySignedTheQuote() throws {
        let evidence = try attest(try SoftwareTPM())
        guard case .ecc(let curve, let x, let y) = evidence.attestationKey.key,
            case .ecdsa(let r, let s) = evidence.signature.value
        else { return #expect(Bool(false), "an ECDSA key") }
        #expect(curve == 3)
        let pad = { (bytes: [UInt8]) in [UInt8](repeating: 0, count: 32 - bytes.count) + bytes }
        let key = try P256.Signing.PublicKey(rawRepresentation: pad(x) + pad(y))
        let signature = try P256.Signing.ECDSASignature(rawRepresentation: pad(r) + pad(s))
        #expect(key.isValidSignature(signature, for: evidence.quote.bytes))
    }

    @Test func tpm2ToolsVerifyTheQuote() throws {
        let tpm = try SoftwareTPM()
        try tpm.must("tpm2_pcrextend", ["7:sha256=" + String(repeating: "5a", count: 32)])
        let evidence = try attest(tpm)
        #expect(evidence.registers[.sha256, 7]?.allSatisfy { $0 == 0 } == false)
        #expect(try check(evidence, MadeReports.request.bytes, with: tpm) == 0)
        #expect(try check(evidence, MadeReports.request.bytes + [0], with: tpm) != 0, "other bytes")
    }

    /// The status of tpm2_checkquote: key, message and signature are given in the TPM's own forms.
    private func check(_ evidence: TPMEvidence, _ data: [UInt8], with tpm: SoftwareTPM) throws -> Int32 {
        let key = try tpm.folder.write(evidence.attestationKey.bytes.sized, to: "key")
        let message = try tpm.folder.write(evidence.quote.bytes, to: "message")
        let signature = try tpm.folder.write(evidence.signature.encoded, to: "signature")
        return try tpm.run(
            "tpm2_checkquote", ["-u", key, "-m", message, "-s", signature, "-g", "sha256", "-q", Hex.encode(data)])
    }

    @Test func theSameTPMHasTheSameKey() throws {
        let tpm = try SoftwareTPM()
        let first = try attest(tpm)
        #expect(try attest(tpm).attestationKey == first.attestationKey)
        #expect(try attest(try SoftwareTPM()).attestationKey != first.attestationKey)
    }

    @Test(arguments: [0x01C0_0002, 0x01C0_000A, 0x01C0_0016])
    func theEndorsementCertificateIsTakenAlong(index: Int) throws {
        let tpm = try SoftwareTPM()
        try tpm.define("0x\(String(index, radix: 16))", Self.certificate + [0xFF, 0xFF])
        #expect(try attest(tpm).endorsementChain == TPMEvidence.Chain(certificate: Self.certificate))
    }

    @Test func aKeyThatAzureCertifiedIsTaken() throws {
        let tpm = try SoftwareTPM()
        let modulus = try tpm.persist("0x81000003")
        #expect(try attest(tpm).attestationChain == nil, "without its certificate it is a key like others")
        try tpm.define("0x01C101D0", Self.certificate)
        let evidence = try attest(tpm)
        #expect(evidence.attestationChain == TPMEvidence.Chain(certificate: Self.certificate))
        #expect(evidence.attestationKey.key == .rsa(modulus: modulus, exponent: 65_537))
        #expect(try check(evidence, MadeReports.request.bytes, with: tpm) == 0)
        #expect(try tpm.transientObjects() == 0)
    }

    @Test(arguments: [(0x01C1_0001, 0x01C1_0000), (0x01C1_0003, 0x01C1_0002)])
    func aKeyThatGoogleCertifiedIsMadeOfItsTemplate(template: Int, certificate: Int) throws {
        let tpm = try SoftwareTPM()
        let own = try attest(tpm).attestationKey
        // Another template than ours, and so another key: a policy makes it one.
        var bytes = own.bytes
        bytes.replaceSubrange(8..<10, with: [0, 32] + [UInt8](repeating: 0x77, count: 32))
        bytes = Array(bytes.dropLast(68)) + [0, 0, 0, 0]
        try tpm.define("0x0\(String(template, radix: 16))", bytes)
        try tpm.define("0x0\(String(certificate, radix: 16))", Self.certificate)
        let evidence = try attest(tpm)
        #expect(evidence.attestationChain?.certificate == Self.certificate)
        #expect(evidence.attestationKey != own && evidence.attestationKey.authPolicy.count == 32)
    }

    @Test func theEventLogIsTakenAlong() throws {
        let tpm = try SoftwareTPM()
        let log = try tpm.folder.write([UInt8](repeating: 0, count: 32), to: "log")
        #expect(try attest(tpm, log: log).eventLog?.events.count == 1)
        let damaged = try tpm.folder.write([1], to: "log")
        let error = #expect(throws: AttesterError.self) { try attest(tpm, log: damaged) }
        #expect(error?.code == .invalid)
        #expect(try tpm.transientObjects() == 0, "nothing stays loaded after a failure")
    }

    /// The kernel gives a log piece by piece, and no piece fills what there is room for.
    @Test func aLogThatComesInPiecesIsTakenWhole() throws {
        let tpm = try SoftwareTPM()
        let log = tpm.folder.path + "/log"
        try #require(mkfifo(log, 0o600) == 0)
        let writer = Thread {
            let file = open(log, O_WRONLY)
            for _ in 0..<40 {
                // A pipe's size at a time, so that each waits for a read.
                let event = [UInt8](repeating: 0, count: 28) + [0, 0, 1, 0] + [UInt8](repeating: 7, count: 65_536)
                _ = event.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            }
            close(file)
        }
        writer.start()
        #expect(try attest(tpm, log: log).eventLog?.events.count == 40)
    }

    @Test func whatIsNoCertificateIsRefused() throws {
        let tpm = try SoftwareTPM()
        try tpm.define("0x01C00002", [1, 2, 3])
        let error = #expect(throws: AttesterError.self) { try attest(tpm) }
        #expect(error?.code == .invalid)
        #expect(try tpm.transientObjects() == 0)
    }

    @Test func moreThanEightLoadedKeysWouldNotFit() throws {
        let tpm = try SoftwareTPM()
        for _ in 0..<8 { _ = try attest(tpm) }
        #expect(try tpm.transientObjects() == 0)
    }
}

@Suite struct TPMPlaceTests {
    @Test func aMissingLibraryIsNamedWithItsPackages() {
        let place = TPMPlace(tcti: "device:/dev/tpmrm0", library: "libtss2-esys.so.99")
        let error = #expect(throws: AttesterError.self) {
            try TPMAttester(place: place, eventLogPath: "").attest(MadeReports.request)
        }
        #expect(error?.code == .denied && error?.message.contains("libtss2-esys.so.99") == true)
        #expect(error?.message.contains("apt install libtss2-esys-3.0.2-0") == true)
    }

    @Test(.enabled(if: SoftwareTPM.isInstalled, "swtpm and tpm2-tools are not installed"))
    func whereNoTPMAnswersItIsSaid() {
        for tcti in ["device:/nonexistent", "swtpm:path=/nonexistent", "nonsense:"] {
            let error = #expect(throws: AttesterError.self) {
                try TPMAttester(place: TPMPlace(tcti: tcti), eventLogPath: "").attest(MadeReports.request)
            }
            #expect(error?.code == .failed && error?.message.contains(tcti) == true)
        }
    }
}

extension [UInt8] {
    /// A TPM2B.
    fileprivate var sized: [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(UInt16(count))
        writer.append(self)
        return writer.bytes
    }
}
