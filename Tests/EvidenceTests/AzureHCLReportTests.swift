// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import StrictJSON
import Testing

@Suite struct AzureHCLReportTests {
    private static let json = Array(
        #"{"keys":[{"kid":"HCLAkPub","kty":"RSA","e":"AQAB","n":"wAE"}],"user-data":"0aFF"}"#.utf8)

    static func report(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var writer = ByteWriter()
        writer.append("HCLA".utf8)
        for number in [2, UInt32(1216 + 20 + json.count), 2, 0, 0, 0, 0] { writer.littleEndian(number) }
        writer.append((0..<1184).map { UInt8(truncatingIfNeeded: $0) })
        for number in [UInt32(20 + json.count), 1, 4, 1, UInt32(json.count)] { writer.littleEndian(number) }
        writer.append(json)
        var bytes = writer.bytes
        change(&bytes)
        return bytes
    }

    @Test func theFieldsAreReadFromTheirPlaces() throws {
        let report = try AzureHCLReport(decoding: Self.report() + [0, 0, 0])
        #expect(report.version == 2 && report.requestType == 2 && report.reportType == .tdx)
        #expect(report.hashAlgorithm == .sha256 && report.variableData == Self.json && report.padding == [0, 0, 0])
        #expect(report.hardwareReport == (0..<1184).map { UInt8(truncatingIfNeeded: $0) })
        #expect(report.variableDataDigest == Digest256(of: Self.json).bytes)
        let runtime = try AzureRuntimeData(parsing: report.variableData)
        #expect(runtime.attestationKey?.modulus == [0xC0, 1] && runtime.attestationKey?.exponent == [1, 0, 1])
        #expect(runtime.userData == [0x0A, 0xFF] && runtime.configuration == nil)
    }

    /// (what, where, byte)
    @Test(arguments: [
        ("another signature", 0, 0x49), ("version 0", 4, 0), ("version 3", 4, 3), ("another report size", 8, 0),
        ("another request", 12, 1), ("a failed request", 16, 1), ("a reserved byte", 31, 1),
        ("another version of the data", 1220, 2), ("another data size", 1216, 1), ("an unknown report", 1224, 3),
        ("an unknown hash", 1228, 4), ("no hash", 1228, 0), ("another variable size", 1232, 1),
        ("a huge variable size", 1235, 0xFF),
    ])
    func whatDoesNotAgreeIsRefused(name: String, place: Int, byte: UInt8) {
        #expect(throws: MalformedBytes.self) { try AzureHCLReport(decoding: Self.report { $0[place] = byte }) }
    }

    @Test func noPrefixIsAReport() {
        let bytes = Self.report()
        for count in bytes.indices {
            #expect(throws: MalformedBytes.self) { try AzureHCLReport(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: MalformedBytes.self) {
            try AzureHCLReport(decoding: bytes + [UInt8](repeating: 0, count: AzureHCLReport.maximumSize))
        }
    }

    @Test(arguments: [
        "", "{}", #"{"keys":{}}"#, #"{"keys":[{"kid":"HCLAkPub","kty":"EC","e":"AQAB","n":"wAE"}]}"#,
        #"{"keys":[{"kid":"a","kty":"RSA","e":"AQAB"}]}"#, #"{"keys":[{"kid":"a","kty":"RSA","e":"AQAB","n":"+"}]}"#,
        #"{"keys":[{"kid":"a","kty":"RSA","e":"AQAB","n":"wAE"},{"kid":"a","kty":"RSA","e":"AQAB","n":"wAE"}]}"#,
        #"{"keys":[],"user-data":"0"}"#, #"{"keys":[],"user-data":1}"#,
    ])
    func runtimeDataOfAnotherFormIsRefused(text: String) {
        #expect(throws: MalformedBytes.self) { try AzureRuntimeData(parsing: Array(text.utf8)) }
    }

    @Test func aModuleReportIsReadFromItsPlaces() throws {
        let bytes = (0..<1024).map { UInt8(truncatingIfNeeded: $0 / 4) }
        let report = try TDXModuleReport(decoding: bytes + [0, 0])
        #expect(report.reportData == Array(bytes[128..<192]) && report.mrTD == Array(bytes[528..<576]))
        #expect(throws: MalformedBytes.self) { try TDXModuleReport(decoding: Array(bytes.dropLast())) }
        #expect(throws: MalformedBytes.self) { try TDXModuleReport(decoding: bytes + [0, 1]) }
    }
}
