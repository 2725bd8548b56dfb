// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Collateral
import Evidence
import TestVectors
import Testing

@Suite struct CollateralSetFilesTests {
    private static let vcek = Made.vcek()
    private static let list = Made.list(of: "ARK-Milan")
    private static let maker = Made.authority("A TPM maker's CA")
    private static let intel = IntelCollateral(
        tcbInfo: Array("{}".utf8), tcbInfoSignature: [UInt8](repeating: 1, count: 64), tcbInfoIssuerChain: [0x61],
        qeIdentity: Array("{ }".utf8), qeIdentitySignature: [UInt8](repeating: 2, count: 64),
        qeIdentityIssuerChain: [0x62], pckCRL: [1], pckCRLIssuerChain: [0x63], rootCACRL: [2])
    private static let whole = CollateralSet(
        amdCertificates: [vcek], amdRevocationLists: [list], intel: [intel], tpmCertificates: [maker])

    @Test func aSetIsTheSameAfterItsFiles() throws {
        #expect(try CollateralSet(files: Self.whole.files) == Self.whole)
        #expect(
            Self.whole.files.keys.sorted() == [
                "amd-cert-\(Digest256(of: Self.vcek).hex.prefix(16)).der",
                "amd-crl-\(Digest256(of: Self.list).hex.prefix(16)).der",
                "intel-\(Digest256(of: Self.intel.json).hex.prefix(16)).json",
                "tpm-cert-\(Digest256(of: Self.maker).hex.prefix(16)).der",
            ])
        #expect(try CollateralSet(files: [:]).isEmpty)
    }

    @Test func filesOfPEMBecomeDER() {
        let set = CollateralSet(
            amdCertificates: [Made.pem([Self.vcek])], amdRevocationLists: [Made.pem([Self.list], label: "X509 CRL")])
        #expect(set.files == CollateralSet(amdCertificates: [Self.vcek], amdRevocationLists: [Self.list]).files)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        /// `nil` where it is refused.
        let set: CollateralSet?
        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "DER certificate", bytes: vcek, set: CollateralSet(amdCertificates: [vcek])),
        Row(name: "DER list", bytes: list, set: CollateralSet(amdRevocationLists: [list])),
        Row(name: "PEM certificate", bytes: Made.pem([vcek]), set: CollateralSet(amdCertificates: [vcek])),
        Row(
            name: "PEM with several, and blank lines",
            bytes: Array("\n\r\n".utf8) + Made.pem([vcek]) + [0x0A]
                + Made.pem([list], label: "X509 CRL") + Made.pem([maker]) + [0x0A, 0],
            set: CollateralSet(amdCertificates: [vcek], amdRevocationLists: [list], tpmCertificates: [maker])),
        Row(name: "PEM with one twice", bytes: Made.pem([vcek, vcek]), set: CollateralSet(amdCertificates: [vcek])),
        Row(name: "JSON", bytes: intel.json, set: CollateralSet(intel: [intel])),
        Row(name: "JSON after blanks", bytes: [0x0A, 0x20] + intel.json, set: CollateralSet(intel: [intel])),
        Row(name: "nothing", bytes: [], set: nil),
        Row(name: "text", bytes: Array("hello".utf8), set: nil),
        Row(name: "other JSON", bytes: Array("{}".utf8), set: nil),
        Row(name: "a certificate cut short", bytes: Array(vcek.dropLast()), set: nil),
        Row(name: "a certificate and a byte", bytes: vcek + [0], set: nil),
        Row(name: "a list cut short", bytes: Array(list.dropLast()), set: nil),
        Row(name: "PEM without its end", bytes: Array(Made.pem([vcek]).dropLast(10)), set: nil),
        Row(name: "text before PEM", bytes: Array("subject\n".utf8) + Made.pem([vcek]), set: nil),
        Row(name: "text after PEM", bytes: Made.pem([vcek]) + Array("subject\n".utf8), set: nil),
        Row(name: "a private key", bytes: Made.pem([vcek], label: "PRIVATE KEY"), set: nil),
        Row(name: "a certificate of Intel's alone", bytes: Made.authority("Intel SGX Root CA"), set: nil),
        Row(name: "a list of Intel's alone", bytes: Made.list(of: "Intel SGX Root CA"), set: nil),
        Row(name: "a list of somebody's", bytes: Made.list(of: "Somebody"), set: nil),
        Row(name: "a certificate of no authority", bytes: Made.certificate("www", by: "CA"), set: nil),
        Row(
            name: "too large", bytes: [UInt8](repeating: 0x20, count: CollateralSet.maximumFileSize + 1), set: nil),
    ]

    @Test(arguments: rows)
    func aFileIsRecognisedByItsContent(_ row: Row) {
        #expect((try? CollateralSet(files: ["x": row.bytes])) == row.set)
    }

    @Test func aRefusalNamesTheFileAndWhatWasExpected() {
        let error = #expect(throws: MalformedBytes.self) { try CollateralSet(files: ["a/b.txt": Array("hi".utf8)]) }
        #expect(error?.field == "a/b.txt")
        #expect(error?.reason.contains("expected Intel's collateral JSON") == true)
    }

    @Test func tooManyFilesAreRefused() {
        let files = Dictionary(uniqueKeysWithValues: (0...CollateralSet.maximumFiles).map { ("\($0)", Self.vcek) })
        #expect(throws: MalformedBytes.self) { try CollateralSet(files: files) }
    }

    @Test func datesAreThoseOfThePieces() throws {
        let ended = Made.list(of: "ARK-Milan", to: "250101000000Z")
        let set = CollateralSet(amdCertificates: [Self.vcek, [1]], amdRevocationLists: [ended, Self.list])
        #expect(set.items.map(\.validity?.notAfter) == [Made.expiry, nil, 1_735_689_600, Made.expiry])
        #expect(set.newestIssue == 1_577_836_800)
        #expect(CollateralSet().newestIssue == nil)
        #expect(
            set.inForce(at: Bench.now)
                == CollateralSet(amdCertificates: [Self.vcek], amdRevocationLists: [Self.list]))
    }

    @Test(
        .enabled(if: SharedVectors.arePresent, "the published vectors are not here"),
        arguments: [
            "00806f050000-202510", "00a067110000-sgx-202506", "50806f000000-202306", "90c06f000000-202603",
            "b0c06f000000-202509",
        ])
    func realCollateralIsReadAndWritten(name: String) throws {
        let set = try CollateralSet(files: ["x": try SharedVectors.bytes("intel-collateral/\(name).json")])
        #expect(set.intel.count == 1)
        #expect(try set.intel.first.map { Hex.encode(try $0.platform.fmspc) } == String(name.prefix(12)))
        #expect(set.items.first?.validity != nil)
        #expect(try CollateralSet(files: set.files) == set)
    }

    @Test(
        .enabled(if: SharedVectors.arePresent, "the published vectors are not here"),
        arguments: ["ark", "ask", "asvk"], ["milan", "genoa", "turin"])
    func realAuthoritiesOfAMDAreRecognised(role: String, product: String) throws {
        let bytes = try SharedVectors.bytes("amd-roots/\(product)-\(role).der")
        #expect(try CollateralSet(files: ["x": bytes]).amdCertificates == [bytes])
    }
}
