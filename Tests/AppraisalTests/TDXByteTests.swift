// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import TestVectors
import Testing

/// No byte that counts can be changed: each is flipped once, in one bit, in real quotes and collateral.
@Suite(.enabled(if: SharedVectors.arePresent, "the shared vectors are not there"))
struct TDXByteTests {
    /// Quotes that a policy accepts with the collateral beside them: every byte is flipped.
    static let appraised = SharedVector.all("tdx").filter {
        $0.has("collateral") && !$0.isInvalid && !$0.id.hasPrefix("sgx")
    }

    @Test func tenQuotesAreAppraised() { #expect(Self.appraised.count == 10) }

    @Test(arguments: appraised) func noByteOfAQuoteCanBeChanged(vector: SharedVector) throws {
        let bytes = try vector.bytes("quote")
        let now = try #require(vector.now)
        let set = try IntelCollateral(parsing: try vector.bytes("collateral"))
        guard case .verified(let verified) = VerifiedIntelCollateral.verify(set) else {
            Issue.record("not verified")
            return
        }
        let appraiser = TDXAppraiser(policy: .acceptingAllOfTDX, verified: [verified], now: now)
        let isAccepted = { (bytes: [UInt8]) in
            guard let quote = try? IntelQuote(decoding: bytes) else { return false }
            return appraiser.appraise(TDXEvidence(quote: quote), platform: "tdx").codeNames.isEmpty
        }
        #expect(isAccepted(bytes))
        let benign = try Self.unsigned(bytes)
        for index in bytes.indices where !benign.contains(index) {
            #expect(!isAccepted(Self.flipped(bytes, index)), "byte \(index)")
        }
    }

    /// Quotes without collateral, or below every level: what is before the certificates, whose bytes are tried above.
    @Test(arguments: SharedVector.all("tdx").filter { !$0.isInvalid && !$0.has("collateral") })
    func noByteOfAnyQuoteCanBeChanged(vector: SharedVector) throws {
        let bytes = try vector.bytes("quote")
        let quote = try IntelQuote(decoding: bytes)
        let now = try TDXVectorFacts.now(vector, quote)
        let isGenuine = { (bytes: [UInt8]) in
            guard let quote = try? IntelQuote(decoding: bytes),
                let appraisal = try? IntelQuoteAppraisal(quote, collateral: [], now: now)
            else { return false }
            return appraisal.findings.isEmpty
        }
        #expect(isGenuine(bytes))
        for index in 0..<(quote.encoded.count - quote.signature.pckChain.count) {
            #expect(!isGenuine(Self.flipped(bytes, index)), "byte \(index)")
        }
    }

    /// Each part of collateral as it is signed, and the chains both as text and as the certificates in it.
    @Test func noByteOfCollateralCanBeChanged() throws {
        let set = try TDXVectors.collateral("90c06f000000-202603")
        let parts: [WritableKeyPath<IntelCollateral, [UInt8]>] = [
            \.tcbInfo, \.tcbInfoSignature, \.tcbInfoIssuerChain, \.qeIdentity, \.qeIdentitySignature, \.pckCRL,
            \.pckCRLIssuerChain, \.rootCACRL,
        ]
        #expect(VerifiedIntelCollateral.verify(set).codeNames.isEmpty)
        for part in parts {
            for index in set[keyPath: part].indices {
                var changed = set
                changed[keyPath: part] = Self.flipped(set[keyPath: part], index)
                #expect(!VerifiedIntelCollateral.verify(changed).codeNames.isEmpty, "\(part) byte \(index)")
            }
        }
    }

    @Test func noByteOfACertificateCanBeChanged() throws {
        let set = try TDXVectors.collateral("90c06f000000-202603")
        for part in [\IntelCollateral.qeIdentityIssuerChain, \.pckCRLIssuerChain] {
            let chain = try PEM.decode(set[keyPath: part], label: "CERTIFICATE")
            for (number, certificate) in chain.enumerated() {
                for index in certificate.indices {
                    var changed = set
                    var certificates = chain
                    certificates[number] = Self.flipped(certificate, index)
                    changed[keyPath: part] = TDXMadeDER.pem(certificates)
                    #expect(!VerifiedIntelCollateral.verify(changed).codeNames.isEmpty, "\(number) byte \(index)")
                }
            }
        }
    }

    /// What nothing signs: the rest of the platform's buffer after the signature data, and what stands between the
    /// last certificate's last line and the end of the certification data (a zero, which could be a blank).
    private static func unsigned(_ bytes: [UInt8]) throws -> Range<Int> {
        let quote = try IntelQuote(decoding: bytes)
        let tail = quote.signature.pckChain.reversed().prefix { $0 == 0 }.count
        #expect(tail <= 1)
        return (quote.encoded.count - tail)..<bytes.count
    }

    private static func flipped(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
        var changed = bytes
        changed[index] ^= 1 << UInt8(index % 8)
        return changed
    }
}
