// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import Testing

@Suite struct ReportDataTests {
    private static let digest = Digest256(of: [1])

    @Test(arguments: [0, 1, 16, 32])
    func theDigestIsFollowedByTheNonceAndZeros(count: Int) throws {
        let nonce = [UInt8](repeating: 0xAB, count: count)
        let data = try ReportData(provenanceDigest: Self.digest, nonce: nonce)
        #expect(data.bytes == Self.digest.bytes + nonce + [UInt8](repeating: 0, count: 32 - count))
        #expect(data.digest == Self.digest.bytes && data.nonceField == Array(data.bytes.suffix(32)))
        #expect(try ReportData(bytes: data.bytes) == data)
    }

    @Test func aNonceThatDoesNotFitIsRefused() {
        #expect(throws: MalformedBytes.self) {
            try ReportData(provenanceDigest: Self.digest, nonce: [UInt8](repeating: 1, count: 33))
        }
    }

    @Test(arguments: [0, 32, 63, 65])
    func onlySixtyFourBytesAreReportData(count: Int) {
        #expect(throws: MalformedBytes.self) { try ReportData(bytes: [UInt8](repeating: 0, count: count)) }
    }
}
