// SPDX-License-Identifier: Apache-2.0
@testable import Appraisal
import ByteCoding

extension FuzzTarget {
    static let certificates = [
        FuzzTarget("certificate", { bytes throws(MalformedBytes) in try Certificate(bytes) }) { bytes, certificate in
            expectWithin(certificate.signedBytes, certificate.der)
            guard certificate.der == bytes else { return }
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try Certificate(bytes) }
        },
        FuzzTarget("revocation-list", { bytes throws(MalformedBytes) in try RevocationList(bytes) }) { bytes, list in
            guard bytes.first == 0x30 else { return }
            expectWithin(list.signedBytes, bytes)
            expectExactLength(bytes) { bytes throws(MalformedBytes) in try RevocationList(bytes) }
        },
        FuzzTarget("pem", { bytes throws(MalformedBytes) in try PEM.decode(bytes, label: "CERTIFICATE") }) {
            bytes, blocks in
            let total = blocks.reduce(0) { $0 + $1.count }
            expect(total <= bytes.count, "more content than text")
            let padded = try? PEM.decode(bytes + [0], label: "CERTIFICATE")
            expect(padded == blocks, "padding changes the blocks")
        },
        FuzzTarget(
            "endorsement-names",
            { bytes throws(MalformedBytes) in try CertificateExtensions.endorsementDigests(inNames: bytes) }
        ) { bytes, digests in
            // Each is 64 digits and what says what they are.
            expect(digests.count * 70 <= bytes.count, "more names than bytes")
            let text = String(decoding: bytes, as: UTF8.self).lowercased()
            expect(digests.allSatisfy { text.contains($0.hex) }, "a digest from nowhere")
        },
        FuzzTarget(
            "pck-certificate", { bytes throws(MalformedBytes) in try PCKCertificate(try Certificate(bytes)) }
        ) { _, pck in
            expect(pck.fmspc.count == 6 && pck.pceID.count == 2 && pck.cpuSVN.count == 16, "a field of another length")
        },
        FuzzTarget("intel-collateral", { bytes throws(MalformedBytes) in try IntelCollateral(parsing: bytes) }) {
            _, collateral in
            let again = try? IntelCollateral(parsing: collateral.json)
            expect(again == collateral, "written down, it reads differently")
            _ = VerifiedIntelCollateral.verify(collateral)
        },
        FuzzTarget("tcb-info", { bytes throws(MalformedBytes) in try TCBInfo(bytes) }) { _, info in
            expect(info.fmspc.count == 6 && !info.levels.isEmpty, "a field of another length")
        },
        FuzzTarget("qe-identity", { bytes throws(MalformedBytes) in try QEIdentity(bytes) }) { _, identity in
            expect(identity.mrSigner.count == 32, "a field of another length")
        },
        FuzzTarget(
            "collateral-files", { bytes throws(MalformedBytes) in try CollateralSet(files: ["a": bytes]) }
        ) { _, set in
            let again = try? CollateralSet(files: set.files)
            expect(again?.files == set.files, "written down, it reads differently")
        },
    ]

    /// What is signed stands right after the outer sequence's header: at most six bytes.
    private static func expectWithin(_ signed: [UInt8], _ whole: [UInt8]) {
        expect((2...6).contains { whole.dropFirst($0).starts(with: signed) }, "the signed bytes are from another place")
    }
}
