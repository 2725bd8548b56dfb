// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Inspection
import StrictJSON
import TestVectors
import Testing

/// That real files say what they are known to say; `Tests/EndToEnd/test_evidence.py` compares every fact.
@Suite(.enabled(if: SharedVectors.arePresent)) struct InspectedVectorTests {
    private func fields(_ path: String) throws -> JSONValue {
        let file = try #require(try InspectedFile(recognising: try SharedVectors.bytes(path)))
        #expect(!file.isMalformed, "\(path)")
        return try #require(file.json["fields"])
    }

    @Test("a report of Turin has Turin's security versions")
    func turin() throws {
        let json = try fields("snp/turin-v5-microsoft.report.bin")
        #expect(json["product"] == "Turin")
        #expect(
            json["REPORTED_TCB"]
                == [
                    "value": "0101010400000051", "FMC": 1, "BOOT_LOADER": 1, "TEE": 1, "SNP": 4, "MICROCODE": 81,
                ])
    }

    @Test("bits of the guest policy and the platform are spelt out")
    func bits() throws {
        let json = try fields("snp/milan-v2-debug-google.report.bin")
        #expect(json["POLICY"]?["DEBUG"] == true)
        #expect(json["product"] == .null)
        #expect(try fields("snp/milan-v3-vlek-aws.report.bin")["PLATFORM_INFO"]?["ALIAS_CHECK_COMPLETE"] == true)
    }

    @Test("a VCEK's extensions have AMD's names, and hwID is raw")
    func vcek() throws {
        let json = try fields("snp/milan-v2-virtee.vek.der")
        #expect(json["subject"]?.stringValue?.hasPrefix("CN=SEV-VCEK,O=Advanced Micro Devices") == true)
        let extensions = json["extensions"]
        #expect(extensions?["productName"] == "Milan-B0")
        #expect(extensions?["ucodeSPL"] == 115)
        #expect(extensions?["hwID"]?.stringValue?.hasPrefix("d49554ec717f4e5b") == true)
        #expect(json["notAfter"] == "2030-04-03T19:23:43Z")
    }

    @Test("a VLEK names its provider")
    func vlek() throws {
        #expect(try fields("snp/milan-v3-vlek-aws.vek.der")["extensions"]?["cspID"] == "CN=cc-us-east-2.amazonaws.com")
    }

    @Test("a quote has its PCK certificate's components")
    func quote() throws {
        let json = try fields("tdx/tdx-v4-phala-1.bin")
        let chain = json["signature data"]?["certification data"]?.arrayValue ?? []
        #expect(chain.count == 3)
        let sgx = chain.first?["extensions"]?["SGX Extensions"]
        #expect(sgx?["FMSPC"] == "b0c06f000000")
        #expect(sgx?["TCB"]?["SGX TCB Comp08 SVN"] == 5)
        #expect(sgx?["TCB"]?["PCESVN"] == 11)
        #expect(sgx?["PPID"] == "811dca2a26b952e85bb6448b097ba4fd")
        #expect(json["body"]?["TDATTRIBUTES"]?["SEPT_VE_DISABLE"] == true)
        #expect(json["padding"] == ["size": 70, "all zero": true])
    }

    @Test("an event log replays to the registers that the machine had")
    func eventLog() throws {
        let json = try fields("measured-vm/tpm/eventlog.bin")
        let expected = try JSONValue(parsing: try SharedVectors.bytes("measured-vm/tpm/expected.json"))
        let registers = json["replayed registers"]?["SHA256"]?.objectValue ?? [:]
        #expect(registers.count > 5)
        for (number, value) in registers { #expect(value == expected["observed_pcrs"]?[number], "\(number)") }
        #expect(json["events"]?.arrayValue?.contains { $0["type name"] == "EV_EFI_VARIABLE_DRIVER_CONFIG" } == true)
    }

    @Test("every root and intermediate of AMD's is read", arguments: ["milan", "genoa", "turin"])
    func roots(product: String) throws {
        for kind in ["ark", "ask", "asvk"] {
            let json = try fields("amd-roots/\(product)-\(kind).der")
            #expect(json["extensions"]?["basicConstraints"]?["cA"] == true)
            #expect(json["subjectPublicKeyInfo"]?["algorithm"] == "RSA 4096")
        }
    }

    @Test("no prefix of a file traps")
    func prefixes() throws {
        for path in [
            "snp/milan-v2-virtee.vek.der", "snp/genoa-v3-tsm.auxblob.bin", "tdx/tdx-v5-google.bin",
            "azure-snp/az-snp-hcl-2048-no-vcek.hcl.bin", "measured-vm/tpm/ek-rsa2048.crt.der",
        ] {
            let bytes = try SharedVectors.bytes(path)
            for count in stride(from: 0, to: bytes.count, by: bytes.count > 3000 ? 7 : 1) {
                _ = try? InspectedFile(recognising: Array(bytes[..<count]))
            }
        }
    }
}
