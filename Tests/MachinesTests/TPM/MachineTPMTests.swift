// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Evidence
import Foundation
import Machines
import Testing

@Suite(.enabled(if: TPMScene.isInstalled, "swtpm, swtpm-tools and tpm2-tools are not installed"))
struct MachineTPMTests {
    @Test func itsEvidenceIsAcceptedByWhoNamesTheAuthority() async throws {
        let scene = try TPMScene()
        let evidence = try scene.evidence(try await scene.machine())
        #expect(try scene.reasons(evidence) == [])
        #expect(evidence.quote.extraData == scene.request.bytes)
        #expect(evidence.attestationKey.attributes.isSuperset(of: .attestationKey))
        #expect(evidence.attestationChain != nil && evidence.endorsementChain != nil)
        let other = try TPMAuthority(folder: scene.folder + "/other-ca")
        #expect(try scene.reasons(evidence, other) == ["tpm.certificate.path"])
        #expect(try scene.reasons(evidence, after: 367) == ["tpm.certificate.dates"])
    }

    /// openssl and tpm2-tools, who know nothing of our code.
    @Test func othersFindItSound() async throws {
        let scene = try TPMScene()
        let tpm = try await scene.machine()
        let evidence = try scene.evidence(tpm)
        let authority = scene.authority.certificatePath
        for (name, chain) in [("ak", evidence.attestationChain), ("ek", evidence.endorsementChain)] {
            try scene.write(try #require(chain?.certificate), to: "\(name).der")
            _ = try scene.run([
                "/usr/bin/openssl", "x509", "-inform", "der", "-in", "\(name).der", "-out", "\(name).pem",
            ])
            let check = ["verify", "-x509_strict", "-purpose", "any", "-CAfile", authority, "\(name).pem"]
            #expect(try scene.run(["/usr/bin/openssl"] + check).status == 0)
        }
        let text = try scene.run(["/usr/bin/openssl", "x509", "-in", "ak.pem", "-noout", "-text"]).output
        for wanted in ["Digital Signature", "2.23.133.8.3", "Policy: 2.23.133.11.1.3", "CA:FALSE"] {
            #expect(text.contains(wanted), "\(wanted)")
        }
        try scene.write(evidence.attestationKey.bytes.sized, to: "key")
        try scene.write(evidence.quote.bytes, to: "message")
        try scene.write(evidence.signature.encoded, to: "signature")
        let check = ["-u", "key", "-m", "message", "-s", "signature", "-g", "sha256", "-q"]
        let data = Hex.encode(scene.request.bytes)
        #expect(try scene.run(["/usr/bin/tpm2_checkquote"] + check + [data]).status == 0)
        #expect(try scene.run(["/usr/bin/tpm2_checkquote"] + check + [data + "00"]).status != 0)
    }

    @Test func certificatesOfAnotherMachineAreRefused() async throws {
        let scene = try TPMScene()
        let (first, second) = (try await scene.machine("a"), try await scene.machine("b"))
        let (one, other) = (try scene.evidence(first), try scene.evidence(second))
        #expect(one.attestationKey != other.attestationKey && one.endorsementChain != other.endorsementChain)
        #expect(try scene.reasons(one.with(attestation: other.attestationChain)).contains("tpm.key.certificate"))
        #expect(try scene.reasons(one.with(endorsement: other.endorsementChain)) == ["tpm.key.endorsement"])
        let swapped = try one.with(attestation: one.endorsementChain, endorsement: one.attestationChain)
        #expect(try scene.reasons(swapped).contains("tpm.certificate.purpose"))
    }

    @Test func onlyTheBankThatIsQuotedIsThere() async throws {
        let scene = try TPMScene()
        let running = try RunningTPM(try await scene.machine())
        let banks = try scene.run(["/usr/bin/tpm2_getcap", "pcrs"], ["TPM2TOOLS_TCTI": running.tcti]).output
        #expect(banks.contains("sha1: [ ]") && banks.contains("sha384: [ ]") && banks.contains("sha512: [ ]"))
        #expect(banks.contains("sha256: [ 0, 1, 2,"))
        let index = ["/usr/bin/tpm2_nvreadpublic", "0x01c101d0"]
        let attributes = try scene.run(index, ["TPM2TOOLS_TCTI": running.tcti]).output
        #expect(attributes.contains("ppwrite|writedefine|ppread|ownerread|authread|no_da|written|platformcreate"))
    }

    @Test func nothingIsLeftButItsState() async throws {
        let scene = try TPMScene()
        let tpm = try await scene.machine()
        #expect(tpm.folder == scene.folder + "/machine/tpm" && scene.names("machine") == ["tpm"])
        #expect(scene.names("machine/tpm") == ["state"])
        #expect(scene.names("machine/tpm/state").contains("tpm2-00.permall"))
        #expect(scene.names("tpm-ca") == [".lock.swtpm-localca", "ca.pem", "certserial", "key.pem"])
        #expect(try scene.processes() == "")
        tpm.remove()
        #expect(scene.names("machine") == [])
    }

    @Test func severalAreMadeAtOnce() async throws {
        let scene = try TPMScene()
        let names = ["a", "b", "c", "d"]
        let made = try await withThrowingTaskGroup(of: MachineTPM.self) { group in
            for name in names { group.addTask { try await scene.machine(name) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let evidence = try made.map { try scene.evidence($0) }
        #expect(Set(evidence.map(\.attestationKey.bytes)).count == 4)
        for one in evidence { #expect(try scene.reasons(one) == []) }
        // Two endorsement certificates each, and no number twice: the next one is kept.
        #expect(try String(contentsOfFile: scene.folder + "/tpm-ca/certserial", encoding: .utf8) == "9")
    }

    @Test func aMachineThatIsNotWantedGetsNone() async throws {
        let scene = try TPMScene()
        let task = Task { try await scene.machine() }
        task.cancel()
        let error = await #expect(throws: MachineError.self) { try await task.value }
        #expect(error?.code == .cancelled && scene.names("machine") == [])
    }

    @Test func whatCannotBeIsSaid() async throws {
        let scene = try TPMScene()
        for (folder, words) in [
            ("relative", "absolute"), (scene.folder + "/a,b", "comma"),
            (scene.folder + "/nonexistent", "could not be made"),
        ] {
            let error = await #expect(throws: MachineError.self) {
                try await MachineTPM.make(in: folder, authority: scene.authority)
            }
            #expect(error?.message.contains(words) == true, "\(folder): \(error?.message ?? "")")
        }
    }

    @Test func theCommandLineIsTheOneThatQEMUNeeds() async throws {
        let scene = try TPMScene()
        let tpm = try await scene.machine()
        #expect(
            try tpm.arguments == [
                "/usr/bin/swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(scene.folder)/machine/tpm/state,mode=0600",
                "--ctrl", "type=unixio,path=\(scene.folder)/machine/tpm/socket,mode=0600", "--seccomp", "action=kill",
                "--terminate",
            ])
    }
}

/// What the CA asks of a TPM before it certifies a key.
@Suite(.enabled(if: TPMScene.isInstalled, "swtpm, swtpm-tools and tpm2-tools are not installed"))
struct TPMEnrolmentTests {
    private func enrolling(
        _ scene: TPMScene, _ tpm: MachineTPM, by authority: TPMAuthority? = nil,
        _ use: (TPMEnrolment) throws -> Void
    ) throws {
        let work = scene.folder + "/work"
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: false)
        let tools = TPMTools(folder: work)
        var failure: (any Error)?
        try SetUpTPM.with(tools, state: tpm.folder + "/state") { () throws(MachineError) in
            do {
                try use(TPMEnrolment(tools: tools, authority: authority ?? scene.authority))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    @Test func aTPMOfAnotherCAIsNotCertified() async throws {
        let scene = try TPMScene()
        let other = try TPMAuthority(folder: scene.folder + "/other-ca")
        let tpm = try await scene.machine()
        let error = #expect(throws: MachineError.self) {
            try enrolling(scene, tpm, by: other) { try $0.run() }
        }
        #expect(error?.message.contains("openssl ended with 2") == true, "\(error?.message ?? "")")
    }

    /// The challenge is for a key by its name, of which its attributes are a part.
    @Test func aKeyThatIsNotInTheTPMIsNotCertified() async throws {
        let scene = try TPMScene()
        let tpm = try await scene.machine()
        var bytes = try scene.evidence(tpm).attestationKey.bytes
        bytes[7] ^= 0x40
        let other = try TPMPublic(decoding: bytes)
        let error = #expect(throws: MachineError.self) {
            try enrolling(scene, tpm) { enrolment in
                _ = try enrolment.endorsement()
                try enrolment.challenge(other)
            }
        }
        #expect(error?.message.contains("tpm2_activatecredential ended with 1") == true, "\(error?.message ?? "")")
    }
}

extension TPMEvidence {
    fileprivate func with(
        attestation: Chain?? = nil, endorsement: Chain?? = nil
    ) throws -> TPMEvidence {
        try TPMEvidence(
            quote: quote, signature: signature, registers: registers, attestationKey: attestationKey,
            attestationChain: attestation ?? attestationChain, endorsementChain: endorsement ?? endorsementChain,
            eventLogBytes: eventLogBytes)
    }
}

extension TPMScene {
    /// Programs that run in the scene's folder.
    fileprivate func processes() throws -> String {
        try run(["/usr/bin/pgrep", "-a", "-f", "dir=\(folder)"]).output
    }
}

extension [UInt8] {
    /// A TPM2B.
    fileprivate var sized: [UInt8] { [UInt8(count >> 8), UInt8(count & 0xFF)] + self }
}
