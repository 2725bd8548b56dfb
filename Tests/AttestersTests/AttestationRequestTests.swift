// SPDX-License-Identifier: Apache-2.0
import Attesters
import ByteCoding
import Evidence
import Testing

@Suite struct AttestationRequestTests {
    @Test func theNonceFollowsTheDigest() throws {
        let digest = Digest256(of: [1])
        let request = try AttestationRequest(provenanceDigest: digest, nonce: [7, 0])
        #expect(request.bytes == digest.bytes + [7, 0], "zeros of the nonce stay, and none are added")
        #expect(try request.reportData == ReportData(provenanceDigest: digest, nonce: [7, 0]))
    }

    @Test(arguments: [(0, false), (1, true), (64, true), (65, false)])
    func oneTo64BytesCanBeAttested(count: Int, isGood: Bool) throws {
        let request = try? AttestationRequest(bytes: [UInt8](repeating: 5, count: count))
        #expect((request != nil) == isGood)
        #expect(
            request.map { $0.reportData.bytes.count == 64 && $0.reportData.bytes.filter { $0 == 5 }.count == count }
                ?? true)
    }

    @Test func aNonceOf33BytesIsRefused() {
        #expect(throws: AttesterError.self) {
            try AttestationRequest(provenanceDigest: Digest256(of: []), nonce: [UInt8](repeating: 1, count: 33))
        }
    }
}
