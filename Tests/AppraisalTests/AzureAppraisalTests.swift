// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Crypto
import CryptoExtras
import Evidence
import StrictJSON
import Testing

@Suite struct AzureAppraisalTests {
    @Test(arguments: [false, true])
    func soundEvidenceIsAcceptedAndSaysWhatItDoesNotProve(isTDX: Bool) throws {
        let result = try AzureScene(tdx: isTDX).appraised()
        guard case .accepted(let evidence) = result.verdict else {
            Issue.record("\(result.verdict)")
            return
        }
        #expect(evidence.platform == (isTDX ? "az-tdx" : "az-snp"))
        #expect(evidence.binding.bytes == AzureScene.extraData && result.claimedBinding == evidence.binding)
        #expect(evidence.proves.joined(separator: "\n").contains("PCR4 held what booting cupel-guest 1.0.0"))
        #expect(result.caveats.contains("Microsoft's paravisor (HCL), which is thereby trusted"))
        #expect(result.caveats.contains("that the list does not name"))
        #expect(Set(result.lines.map(\.status)) == [.passed])
        #expect(result.lines[0].compared.contains("100 bytes after the runtime data are not signed"))
    }

    /// What refuses the evidence of both kinds of hardware.
    static let both: [AzureRow] = [
        AzureRow("runtime data changed", "azure.runtime-data") {
            $0.runtimeAfterwards = { $0[$0.count - 3] ^= 1 }
        },
        AzureRow("runtime data of another hash", "azure.runtime-data") { scene in
            scene.runtimeAfterwards = { _ in }
            scene.change = { members in
                guard let text = members["hcl_report"]?.stringValue,
                    var bytes = try? Base64.decode(text, alphabet: .url)
                else { return }
                bytes[1228] = 2
                members["hcl_report"] = .string(Base64.encode(bytes, alphabet: .url))
            }
        },
        AzureRow("runtime data by SHA-384") { $0.hashType = 2 },
        AzureRow("runtime data by SHA-512") { $0.hashType = 3 },
        AzureRow("user data, which are not what is bound") { $0.userData = String(repeating: "a", count: 128) },
        AzureRow("no attestation key", "azure.key.missing", "tpm.quote.signature") { $0.keyID = "HCLEkPub" },
        AzureRow("another magic", "tpm.quote.magic") { $0.magic = 0 },
        AzureRow("no quote", "tpm.quote.type", "tpm.quote.bank") { $0.type = 0x8014 },
        AzureRow("a signature changed", "tpm.quote.signature") { $0.signatureAfterwards = { $0[255] ^= 1 } },
        AzureRow("a signature cut", "tpm.quote.signature") { $0.signatureAfterwards = { $0.removeLast() } },
        AzureRow("a value changed", "tpm.quote.digest") { $0.valuesAfterwards = { $0[11][0] ^= 1 } },
        AzureRow("two values exchanged", "tpm.quote.digest") { $0.valuesAfterwards = { $0.swapAt(0, 7) } },
        AzureRow("values that are not quoted", "tpm.quote.uncovered") { $0.registers = Array(0..<23) },
        AzureRow("no time of its own in extraData, bound as it is") { $0.extraData = [] },
        AzureRow("padding that is not zero, which nothing signs") { $0.padding = [1, 2, 3] },
        AzureRow("no padding") { $0.padding = [] },
        AzureRow("relabelled as the other", "azure.platform") { $0.platform = $0.isTDX ? "az-snp" : "az-tdx" },
        AzureRow("no entry", "measurement.unknown-image") { $0.policy.knownImages = [] },
        AzureRow("an entry of the paravisor alone", "measurement.system-not-named") {
            $0.policy.knownImages[0].registers["PCR4"] = nil
        },
        AzureRow("an entry of paravisor and firmware", "measurement.system-not-named") {
            $0.policy.knownImages[0].registers["PCR4"] = nil
            $0.policy.knownImages[0].registers["PCR0"] = [UInt8](repeating: 0, count: 32)
        },
        AzureRow("an entry without the paravisor", "measurement.unknown-image") {
            $0.policy.knownImages[0].registers["MEASUREMENT"] = nil
            $0.policy.knownImages[0].registers["MRTD"] = nil
        },
        AzureRow("an entry of another register", "measurement.unknown-image") {
            $0.policy.knownImages[0].registers["PCR4"] = [UInt8](repeating: 5, count: 32)
        },
        AzureRow("an entry of another paravisor", "measurement.unknown-image") {
            $0.policy.knownImages[0].registers[$0.isTDX ? "MRTD" : "MEASUREMENT"] = [UInt8](repeating: 1, count: 48)
        },
        AzureRow("an entry of the bare hardware", "measurement.unknown-image") {
            $0.policy.knownImages[0].platform = $0.isTDX ? .tdx : .snp
        },
        AzureRow("any image, by name") {
            $0.policy.knownImages = []
            $0.policy.acceptAnyMeasurementUnsafely = true
        },
    ]

    static let snp: [AzureRow] = [
        AzureRow("a report that another one's key signed", "snp.signature") {
            $0.snp.reportKey = $0.snp.hierarchy.strangerKey
        },
        AzureRow("a report of VMPL 1", "azure.vmpl") { $0.snp.put([1], at: 0x30) },
        AzureRow("a report of a debuggable guest", "snp.policy.debug") { $0.snp.put([0x0A], at: 0x0A) },
        AzureRow("a certificate that is not there", "?snp.certificate.missing") { $0.change = { $0["vcek"] = nil } },
        AzureRow("REPORT_DATA that goes on after the digest", "azure.runtime-data", "snp.signature") {
            $0.reportAfterwards = { $0[0x50 + 40] = 1 }
        },
    ]

    static let tdx: [AzureRow] = [
        AzureRow("no quote of the TD", "azure.td-quote.missing") { $0.change = { $0["td_quote"] = nil } },
        AzureRow("a TDREPORT of other data", "azure.td-report") { $0.reportAfterwards = { $0[130] ^= 1 } },
        AzureRow("a TDREPORT of another TD", "azure.td-report") { $0.reportAfterwards = { $0[530] ^= 1 } },
        AzureRow("a TDREPORT of other attributes", "azure.td-report") { $0.reportAfterwards = { $0[512] ^= 1 } },
        AzureRow("a TDREPORT of other features", "azure.td-report") { $0.reportAfterwards = { $0[520] ^= 1 } },
        AzureRow("a TD that can be debugged", "tdx.attributes.debug") { $0.tdx.quote.report[120] = 1 },
        AzureRow("a certificate of AMD's", "azure.stray") { $0.change = { $0["vcek"] = "AAAA" } },
        AzureRow("a quote of another version that is cut", "evidence.malformed") {
            $0.change = { $0["td_quote"] = "AAAA" }
        },
    ]

    @Test(arguments: both)
    func aChangeHasItsCodesOnBoth(row: AzureRow) throws {
        for isTDX in [false, true] { try check(row, isTDX) }
    }

    @Test(arguments: snp)
    func aChangeOfAnSNPReportHasItsCodes(row: AzureRow) throws { try check(row, false) }

    @Test(arguments: tdx)
    func aChangeOfATDHasItsCodes(row: AzureRow) throws { try check(row, true) }

    private func check(_ row: AzureRow, _ isTDX: Bool) throws {
        var scene = try AzureScene(tdx: isTDX)
        try row.change(&scene)
        let result = try scene.appraised()
        #expect(result.reasons == row.codes, "\(result.lines.map(\.compared))")
    }

    @Test func aQuoteBesideAnSNPReportIsRefused() throws {
        let quote = JSONValue.string(
            Base64.encode(TDXMadeQuote().bytes(chain: TDXMade().chain, pckKey: TDXMade().leaf.key), alphabet: .url))
        var scene = try AzureScene(tdx: false)
        scene.change = { $0["td_quote"] = quote }
        #expect(try scene.appraised().reasons == ["azure.stray"])
    }

    @Test func anotherKeysQuoteIsRefused() throws {
        var scene = try AzureScene(tdx: false)
        let other = try AzureScene(tdx: false, key: .rsassa(_RSA.Signing.PrivateKey(keySize: .bits2048)))
        let quote = try other.tpmQuote()
        scene.change = { $0["tpm_quote"] = quote }
        #expect(try scene.appraised().reasons == ["tpm.quote.signature"])
    }

    @Test func withoutTimeNothingIsAccepted() throws {
        var scene = try AzureScene(tdx: true)
        scene.now = nil
        #expect(try scene.appraised().reasons == ["?appraisal.no-time"])
    }

    @Test func whatWasNotComparedIsSaid() throws {
        var scene = try AzureScene(tdx: false)
        scene.policy.knownImages = []
        scene.policy.acceptAnyMeasurementUnsafely = true
        #expect(try scene.appraised().caveats.contains("no register was compared"))
    }
}
