// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Testing

@Suite struct PEMTests {
    @Test func blocksAreReadInTheirOrder() throws {
        #expect(try PEM.decode(pem([1, 2]) + pem([3]), label: "CERTIFICATE") == [[1, 2], [3]])
        #expect(try PEM.decode(pem([1]) + [0, 0, 0], label: "CERTIFICATE") == [[1]])
        let windows = String(decoding: pem([1]), as: UTF8.self).replacing("\n", with: " \r\n\t")
        #expect(try PEM.decode(Array(windows.utf8), label: "CERTIFICATE") == [[1]])
        #expect(try PEM.orDER([1, 2], label: "CERTIFICATE") == [[1, 2]])
    }

    @Test(arguments: [
        "", "\n", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAQ==\n",
        "-----BEGIN CERTIFICATE-----\nAQ\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nA Q==\n-----END CERTIFICATE-----\n",
        "-----BEGIN X509 CRL-----\nAQ==\n-----END X509 CRL-----\n",
        "-----BEGIN CERTIFICATE-----\nAQ==\n-----END X509 CRL-----\n",
        "text\n-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\ntext",
        "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAQ\u{0}==\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n\u{FF}\n-----END CERTIFICATE-----\n",
    ])
    func whatIsNotStrictIsRefused(text: String) {
        #expect(throws: MalformedBytes.self) { try PEM.decode(Array(text.utf8), label: "CERTIFICATE") }
    }

    @Test func thereIsALimit() {
        let many = (0...PEM.maximumBlocks).flatMap { _ in pem([1]) }
        #expect(throws: MalformedBytes.self) { try PEM.decode(many, label: "CERTIFICATE") }
        let large = [UInt8](repeating: UInt8(ascii: "\n"), count: PEM.maximumSize + 1)
        #expect(throws: MalformedBytes.self) { try PEM.decode(large, label: "CERTIFICATE") }
    }
}
