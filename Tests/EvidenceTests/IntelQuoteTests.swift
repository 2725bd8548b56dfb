// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Evidence
import Testing

@Suite struct IntelQuoteTests {
    /// A quote whose fields all differ.
    struct Sample {
        var version: UInt16 = 4
        var keyType: UInt16 = 2
        var tee: UInt32 = 0x81
        var bodyType: UInt16 = 2
        var bodySize = 584
        var declaredBodySize: UInt32?
        var wrapperType: UInt16 = 6
        var wrapperError = 0
        var chainType: UInt16 = 5
        var lengthError = 0
        var padding: [UInt8] = []

        static func enclave() -> [UInt8] {
            var bytes = IntelQuoteTests.run(384, seed: 91)
            for range in [20..<32, 96..<128, 160..<192, 262..<304] {
                bytes.replaceSubrange(range, with: repeatElement(0, count: range.count))
            }
            return bytes
        }

        var body: [UInt8] { tee == 0 ? Self.enclave() : IntelQuoteTests.run(bodySize, seed: 3) }

        var bytes: [UInt8] {
            var writer = ByteWriter()
            writer.littleEndian(version)
            writer.littleEndian(keyType)
            writer.littleEndian(tee)
            writer.append(IntelQuoteTests.run(40, seed: 200))
            if version == 5 {
                writer.littleEndian(bodyType)
                writer.littleEndian(declaredBodySize ?? UInt32(bodySize))
            }
            writer.append(body)
            var certification = ByteWriter()
            certification.append(Self.enclave() + IntelQuoteTests.run(64, seed: 5))
            certification.littleEndian(UInt16(3))
            certification.append([1, 2, 3])
            certification.littleEndian(chainType)
            certification.littleEndian(UInt32(5))
            certification.append(Array("chain".utf8))
            var signature = ByteWriter()
            signature.append(IntelQuoteTests.run(128, seed: 77))
            if version > 3 {
                signature.littleEndian(wrapperType)
                signature.littleEndian(UInt32(certification.bytes.count + wrapperError))
            }
            signature.append(certification.bytes)
            writer.littleEndian(UInt32(signature.bytes.count + lengthError))
            writer.append(signature.bytes)
            return writer.bytes + padding
        }
    }

    static func run(_ count: Int, seed: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 + seed) } }

    private static func sample(_ change: (inout Sample) -> Void) -> Sample {
        var sample = Sample()
        change(&sample)
        return sample
    }

    static let good: [(String, Sample)] = [
        ("version 4, TD 1.0", Sample()),
        ("version 5, TD 1.0", sample { $0.version = 5 }),
        ("version 5, TD 1.5", sample { ($0.version, $0.bodyType, $0.bodySize) = (5, 3, 648) }),
        ("version 5, SGX", sample { ($0.version, $0.tee, $0.bodyType, $0.bodySize) = (5, 0, 1, 384) }),
        ("version 4, SGX", sample { $0.tee = 0 }),
        ("version 3, SGX", sample { ($0.version, $0.tee) = (3, 0) }),
    ]

    @Test(arguments: good)
    func aQuoteComesBack(name: String, sample: Sample) throws {
        let quote = try IntelQuote(decoding: sample.bytes + [0, 7])
        #expect(quote.padding == [0, 7] && quote.encoded == sample.bytes)
        #expect(quote.version == sample.version && quote.tee.rawValue == sample.tee)
        #expect(quote.signedBytes.count == 48 + (sample.version == 5 ? 6 : 0) + sample.body.count)
        #expect(quote.signedBytes.suffix(sample.body.count) == sample.body[...])
        #expect(quote.signature.signature == Self.run(64, seed: 77))
        #expect(quote.signature.attestationKey == Self.run(64, seed: 77 + 64))
        #expect(quote.signature.qeReportBytes == Sample.enclave())
        #expect(quote.signature.qeReportSignature == Self.run(64, seed: 5))
        #expect(quote.signature.qeAuthenticationData == [1, 2, 3])
        #expect(quote.signature.pckChain == Array("chain".utf8))
        #expect(quote.reserved == Self.run(4, seed: 200) && quote.qeVendorID == Self.run(16, seed: 204))
        #expect(quote.userData == Self.run(20, seed: 220))
    }

    @Test func theFieldsOfATrustDomainAreReadFromTheirPlaces() throws {
        let sample = Self.sample { ($0.version, $0.bodyType, $0.bodySize) = (5, 3, 648) }
        guard case .trustDomain(let report) = try IntelQuote(decoding: sample.bytes).body else {
            Issue.record("no TD")
            return
        }
        let body = sample.body
        #expect(report.teeTCBSVN == Array(body[0..<16]) && report.mrSeam == Array(body[16..<64]))
        #expect(report.mrSignerSeam == Array(body[64..<112]) && report.mrTD == Array(body[136..<184]))
        #expect(report.mrConfigID == Array(body[184..<232]) && report.mrOwner == Array(body[232..<280]))
        #expect(report.mrOwnerConfig == Array(body[280..<328]))
        #expect(report.rtmrs.flatMap(\.self) == Array(body[328..<520]))
        #expect(report.reportData == Array(body[520..<584]))
        #expect(report.extended?.teeTCBSVN2 == Array(body[584..<600]))
        #expect(report.extended?.mrServiceTD == Array(body[600..<648]))
        #expect(report.attributes.rawValue == 0x8281_807F_7E7D_7C7B && report.attributes.contains(.debug))
    }

    @Test(
        arguments: [
            ("version 2", sample { $0.version = 2 }), ("version 6", sample { $0.version = 6 }),
            ("a key of P-384", sample { $0.keyType = 3 }), ("an unknown TEE", sample { $0.tee = 0x82 }),
            ("a TD in version 3", sample { $0.version = 3 }),
            ("a type of another size", sample { ($0.version, $0.bodySize) = (5, 648) }),
            ("an SGX body in a TD quote", sample { ($0.version, $0.bodyType, $0.bodySize) = (5, 1, 384) }),
            ("a TD body in an SGX quote", sample { ($0.version, $0.tee) = (5, 0) }),
            ("an unknown body", sample { ($0.version, $0.bodyType) = (5, 4) }),
            ("a body size too large", sample { ($0.version, $0.declaredBodySize) = (5, .max) }),
            ("an unknown wrapper", sample { $0.wrapperType = 5 }),
            ("a wrapper too short", sample { $0.wrapperError = -1 }),
            ("a wrapper too long", sample { $0.wrapperError = 1 }), ("another chain type", sample { $0.chainType = 1 }),
            ("signature data too long", sample { $0.lengthError = 1 }),
            ("signature data too short", sample { $0.lengthError = -1 }),
            ("too many bytes", sample { $0.padding = Array(repeating: 0, count: IntelQuote.maximumSize) }),
        ])
    func whatDoesNotAgreeIsRefused(name: String, sample: Sample) {
        #expect(throws: MalformedBytes.self) { try IntelQuote(decoding: sample.bytes) }
    }

    @Test(arguments: good)
    func noPrefixIsAQuote(name: String, sample: Sample) {
        let bytes = sample.bytes
        for count in bytes.indices {
            #expect(throws: MalformedBytes.self) { try IntelQuote(decoding: Array(bytes[..<count])) }
        }
    }

    @Test(arguments: [20, 31, 96, 127, 160, 191, 262, 303])
    func reservedBytesOfAnEnclaveAreZero(place: Int) {
        var bytes = Sample.enclave()
        bytes[place] = 1
        #expect(throws: MalformedBytes.self) { try EnclaveReport(decoding: bytes) }
    }

    @Test func anEnclaveIsReadFromItsPlaces() throws {
        let bytes = Sample.enclave()
        let report = try EnclaveReport(decoding: bytes)
        #expect(report.mrEnclave == Array(bytes[64..<96]) && report.mrSigner == Array(bytes[128..<160]))
        #expect(report.attributes == Array(bytes[48..<64]) && report.reportData == Array(bytes[320...]))
        #expect(report.isvProductID == 0x5C5B && report.isvSVN == 0x5E5D && report.isDebug)
        #expect(report.encoded == bytes)
    }
}
