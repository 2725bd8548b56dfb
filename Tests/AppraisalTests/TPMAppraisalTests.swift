// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import CryptoExtras
import Evidence
import StrictJSON
import Testing

@Suite struct TPMAppraisalTests {
    @Test func aSoundQuoteIsAcceptedAndSaysWhatItDoesNotProve() throws {
        let result = try TPMScene().appraised()
        guard case .accepted(let evidence) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect(evidence.platform == "vtpm" && evidence.binding.bytes == TPMScene.extraData)
        #expect(evidence.proves.joined().contains("'TPM root'") && evidence.proves.joined().contains("PCR4, PCR7"))
        #expect(result.caveats.contains("isolates nothing") && result.caveats.contains("not revoked"))
        #expect(result.lines.map(\.step) == [1, 2, 2, 2, 3, 4])
        #expect(result.lines.map(\.status) == [.passed, .passed, .passed, .notChecked, .passed, .passed])
        #expect(result.claimedBinding == evidence.binding)
    }

    @Test(arguments: ["RSASSA", "RSAPSS", "P-384"])
    func eachKindOfKeyIsKnown(kind: String) throws {
        let rsa = try #require(TPMTestKey.sharedRSA)
        var scene = TPMScene()
        scene.key =
            switch kind {
            case "RSASSA": .rsassa(rsa)
            case "RSAPSS": .rsapss(rsa)
            default: .p384(P384.Signing.PrivateKey())
            }
        scene.leaf.publicKeyInfo = scene.key.publicKeyInfo
        #expect(try scene.appraised().reasons == [])
        scene.signed = { value in
            switch value {
            case .rsassa(var bytes):
                bytes[100] ^= 1
                return .rsassa(bytes)
            case .rsapss(var bytes):
                bytes[100] ^= 1
                return .rsapss(bytes)
            case .ecdsa(let r, var s):
                s[20] ^= 1
                return .ecdsa(r: r, s: s)
            }
        }
        #expect(try scene.appraised().reasons == ["tpm.quote.signature"])
    }

    static let quotes: [TPMRow] = [
        TPMRow("another magic", "tpm.quote.magic") { $0.magic = 0xFF54_4348 },
        TPMRow("a certification, no quote", "tpm.quote.type", "tpm.quote.bank") { $0.type = 0x8017 },
        TPMRow("another key's signature", "tpm.quote.signature") {
            $0.publicArea = try $0.key.publicArea(attributes: 0x50072)
            $0.key = .p256(P256.Signing.PrivateKey())
        },
        TPMRow("a number that is too long", "tpm.quote.signature") {
            $0.signed = { if case .ecdsa(let r, let s) = $0 { .ecdsa(r: [0] + r, s: s) } else { $0 } }
        },
        TPMRow("a key of an unknown curve", "tpm.quote.signature", "tpm.key.certificate") {
            $0.publicArea = TPMBytes.eccKey(curve: 5, [UInt8](repeating: 1, count: 132), attributes: 0x50072)
        },
        TPMRow("SHA-1 signed", "tpm.quote.hash", "tpm.key.scheme") { $0.hash = .sha1 },
        TPMRow("another digest", "tpm.quote.digest") { $0.digest = [UInt8](repeating: 1, count: 32) },
        TPMRow("another value", "tpm.quote.digest") {
            $0.afterwards = { $0[.sha256, 16] = [UInt8](repeating: 0, count: 32) }
        },
        TPMRow("two values exchanged", "tpm.quote.digest") {
            $0.afterwards = { values in
                let first = values[.sha256, 0]
                values[.sha256, 0] = values[.sha256, 1]
                values[.sha256, 1] = first
            }
        },
        TPMRow("a value missing", "tpm.quote.values") { $0.afterwards = { $0[.sha256, 3] = nil } },
        TPMRow("a value that is not quoted", "tpm.quote.uncovered") {
            $0.selections = [(.sha256, Array(0..<23))]
        },
        TPMRow("a value of a bank that is not quoted", "tpm.quote.uncovered") {
            $0.values[.sha384, 0] = [UInt8](repeating: 0, count: 48)
        },
        TPMRow("no register", "tpm.quote.bank", "measurement.unknown-image") {
            $0.selections = []
            $0.values = TPMPCRValues()
        },
        TPMRow("SHA-1 registers only", "tpm.quote.bank", "measurement.unknown-image") { $0.quoteOnly(.sha1) },
        TPMRow("SHA-1 registers only, accepted by name") {
            $0.quoteOnly(.sha1)
            $0.policy.tpm.acceptSHA1BankUnsafely = true
            $0.policy.acceptAnyMeasurementUnsafely = true
        },
        TPMRow("SHA-384 registers only", "measurement.unknown-image") { $0.quoteOnly(.sha384) },
        TPMRow("two banks") {
            $0.selections = [(.sha1, [0]), (.sha256, Array(0..<24))]
            $0.values[.sha1, 0] = [UInt8](repeating: 0, count: 20)
        },
        TPMRow("banks in another order than their numbers") {
            $0.selections = [(.sha384, [7, 1]), (.sha256, Array(0..<24))]
            for register in [1, 7] { $0.values[.sha384, register] = [UInt8](repeating: UInt8(register), count: 48) }
        },
        TPMRow("a required register") { $0.policy.tpm.requiredRegisters = [0, 4, 23] },
        TPMRow("a required register that is not quoted", "tpm.quote.registers") {
            $0.policy.tpm.requiredRegisters = [4, 16]
            $0.selections = [(.sha256, Array(0..<16))]
            for register in 16..<24 { $0.values[.sha256, register] = nil }
        },
    ]

    static let measurements: [TPMRow] = [
        TPMRow("no entry", "measurement.unknown-image") { $0.policy.knownImages = [] },
        TPMRow("another value in the entry", "measurement.unknown-image") {
            $0.policy.knownImages[0].registers["PCR7"] = [UInt8](repeating: 8, count: 32)
        },
        TPMRow("a register that there is not", "measurement.unknown-image") {
            $0.policy.knownImages[0].registers["PCR24"] = []
        },
        TPMRow("an entry of another platform", "measurement.unknown-image") {
            $0.policy.knownImages[0].platform = .azureSNP
        },
        TPMRow("an entry of firmware only", "measurement.system-not-named") {
            $0.policy.knownImages[0].registers["PCR4"] = nil
        },
        TPMRow("an entry of firmware only beside a full one") { scene in
            var image = scene.policy.knownImages[0]
            image.registers["PCR4"] = nil
            scene.policy.knownImages.insert(image, at: 0)
        },
        TPMRow("an entry of PCR 9 alone") {
            $0.policy.knownImages[0].registers = ["PCR9": [UInt8](repeating: 9, count: 32)]
        },
        TPMRow("an entry of PCR 11 alone") {
            $0.policy.knownImages[0].registers = ["PCR11": [UInt8](repeating: 11, count: 32)]
        },
        TPMRow("an entry that wants a register to be zero") { $0.want12(toBe: [UInt8](repeating: 0, count: 32)) },
        TPMRow("an entry that wants a register to be zero, which is not", "measurement.unknown-image") {
            $0.want12(toBe: [UInt8](repeating: 1, count: 32))
        },
        TPMRow("an entry that wants a register to be zero, which is not quoted", "measurement.unknown-image") {
            $0.want12(toBe: [UInt8](repeating: 0, count: 32))
            $0.selections = [(.sha256, Array(0..<12) + Array(13..<24))]
            $0.values[.sha256, 12] = nil
        },
        TPMRow("an entry that wants a register to be zero, quoted of another bank", "measurement.unknown-image") {
            $0.want12(toBe: [UInt8](repeating: 0, count: 32))
            $0.selections = [(.sha1, [12]), (.sha256, Array(0..<12) + Array(13..<24))]
            $0.values[.sha256, 12] = nil
            $0.values[.sha1, 12] = [UInt8](repeating: 0, count: 20)
        },
        TPMRow("any, by name") {
            $0.policy.knownImages = []
            $0.policy.acceptAnyMeasurementUnsafely = true
        },
    ]

    static let logs: [TPMRow] = [
        TPMRow("a log that gives what was quoted") { $0.eventLog = TPMBytes.log(.sha256, [(4, TPMScene.measured)]) },
        TPMRow("a log of another event", "tpm.event-log") {
            $0.eventLog = TPMBytes.log(.sha256, [(4, [UInt8](repeating: 1, count: 32))])
        },
        TPMRow("a log with an event too many", "tpm.event-log") {
            $0.eventLog = TPMBytes.log(.sha256, [(4, TPMScene.measured), (4, TPMScene.measured)])
        },
        TPMRow("a log of another register too", "tpm.event-log") {
            $0.eventLog = TPMBytes.log(.sha256, [(4, TPMScene.measured), (5, TPMScene.measured)])
        },
        TPMRow("a log of SHA-1 alone, of which more is quoted", "tpm.event-log") {
            $0.quoteSHA1(of: 4, [UInt8](repeating: 1, count: 20))
            $0.eventLog = TPMBytes.log(.sha1, [(4, [UInt8](repeating: 1, count: 20))])
        },
        TPMRow("a log of registers that are not quoted", "tpm.event-log") {
            $0.eventLog = TPMBytes.log(.sha256, [(24, TPMScene.measured)])
        },
        TPMRow("a log without an event", "tpm.event-log") { $0.eventLog = TPMBytes.log(.sha256, []) },
        TPMRow("a log of a bank that is not quoted", "tpm.event-log") {
            $0.eventLog = TPMBytes.log(.sha384, [(4, [UInt8](repeating: 1, count: 48))])
        },
    ]

    @Test(arguments: quotes + measurements + logs)
    func aChangeHasItsCodes(row: TPMRow) throws {
        var scene = TPMScene()
        try row.change(&scene)
        #expect(try scene.appraised().reasons == row.codes)
    }

    @Test func whatALogDoesNotExplainIsSaid() throws {
        var scene = TPMScene()
        scene.eventLog = TPMBytes.log(.sha256, [(4, TPMScene.measured)])
        let line = try #require(try scene.appraised().lines.first { $0.name == "event log" })
        #expect(line.compared.contains("gives the quoted SHA256 PCR 4; it says nothing of SHA256 PCR 1, 2, 3, 5"))
        for register in 0..<24 where register != 4 {
            scene.values[.sha256, register] = [UInt8](repeating: register < 17 ? 0 : 0xFF, count: 32)
        }
        scene.policy.acceptAnyMeasurementUnsafely = true
        let whole = try #require(try scene.appraised().lines.first { $0.name == "event log" })
        #expect(whole.compared.hasSuffix("gives the quoted SHA256 PCR 4"))
    }

    @Test func aRefusalNamesTheNearestImageAndHowItDiffers() throws {
        var scene = TPMScene()
        scene.policy.knownImages[0].registers["PCR7"] = [8]
        scene.policy.knownImages[0].registers["PCR24"] = []
        let line = try #require(try scene.appraised().lines.first { $0.step == 3 })
        #expect(
            line.compared.contains(
                "found other PCR7 and no PCR24, not quoted, than in the nearest, cupel-guest 1.0.0: unknown image"))
        #expect(!line.compared.contains("genuine hardware"))
    }

    @Test func everyReportSaysThatItIsNotConfidential() throws {
        let accepted = try TPMScene().appraised()
        #expect(accepted.lines.contains { $0.compared.contains("measured, not confidential") })
        #expect(accepted.caveats.contains("measured, not confidential"))
    }

    @Test func whatWasNotComparedIsSaid() throws {
        var scene = TPMScene()
        scene.policy.knownImages = []
        scene.policy.acceptAnyMeasurementUnsafely = true
        #expect(try scene.appraised().caveats.contains("no register was compared"))
    }

    @Test func whatDoesNotParseIsRefusedInTheFirstStep() {
        let result = appraise(
            EvidenceEnvelope(platform: "vtpm", evidence: ["version": 1]), policy: AppraisalPolicy(), now: 0)
        #expect(result.reasons == ["evidence.malformed"] && result.claimedBinding == nil)
    }

    /// Every bit of what the TPM signs, and of the signature.
    @Test func noChangedByteOfAQuoteIsAccepted() throws {
        let scene = TPMScene()
        let evidence = try scene.evidence()
        var policy = scene.policy
        policy.tpm.attestationKeyNames = [evidence.attestationKey.name]
        let parts = try #require(evidence.json["tpm_quote"]?.objectValue)
        for field in ["message", "signature"] {
            let bytes = try Hex.decode(#require(parts[field]?.stringValue))
            for index in bytes.indices {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[index] ^= 1 << UInt8(bit)
                    var quote = parts
                    quote[field] = .string(Hex.encode(changed))
                    var members = try #require(evidence.json.objectValue)
                    members["tpm_quote"] = .object(quote)
                    let result = appraise(
                        EvidenceEnvelope(platform: "vtpm", evidence: .object(members)), policy: policy, now: nil)
                    #expect(!result.isAccepted, "\(field) byte \(index) bit \(bit)")
                }
            }
        }
    }
}

extension TPMScene {
    /// Quotes 12 as `value`, where the entry wants zeros.
    fileprivate mutating func want12(toBe value: [UInt8]) {
        policy.knownImages[0].registers["PCR12"] = [UInt8](repeating: 0, count: 32)
        values[.sha256, 12] = value
    }

    /// Quotes a register of SHA-1 too, into which `measured` was extended.
    fileprivate mutating func quoteSHA1(of register: Int, _ measured: [UInt8]) {
        selections = [(.sha1, [register]), (.sha256, Array(0..<24))]
        values[.sha1, register] = TPMHashAlgorithm.sha1.digest(of: [UInt8](repeating: 0, count: 20) + measured)
    }

    fileprivate mutating func quoteOnly(_ bank: TPMHashAlgorithm) {
        selections = [(bank, Array(0..<24))]
        values = TPMPCRValues()
        for register in 0..<24 { values[bank, register] = [UInt8](repeating: 4, count: bank.digestSize) }
    }
}
