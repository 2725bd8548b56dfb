// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ByteCoding
import Evidence
import StrictJSON
import Testing

@Suite(.enabled(if: TDXVectors.arePresent, "the shared vectors are not there"))
struct TDXVectorTests {
    @Test(arguments: TDXVectors.all("tdx"))
    func codes(vector: TDXVector) throws {
        print("ROW", vector.id, Self.appraise(vector).codes)
    }

    static func appraise(_ vector: TDXVector) -> AppraisalResult {
        do {
            let quote = try IntelQuote(decoding: try vector.bytes("quote"))
            var set = CollateralSet()
            if vector.has("collateral") { set.intel = [try IntelCollateral(parsing: vector.bytes("collateral"))] }
            var policy = AppraisalPolicy()
            policy.acceptAnyMeasurementUnsafely = true
            return TDXAppraiser(policy: policy, collateral: set, now: vector.now ?? 1_750_370_400).appraise(
                TDXEvidence(quote: quote), platform: "tdx")
        } catch let error as MalformedBytes {
            return AppraisalResult(malformed: error)
        } catch { fatalError() }
    }

    @Test(arguments: TDXVectors.all("intel-collateral"))
    func collateralCodes(vector: TDXVector) throws {
        guard vector.has("collateral") else { return }
        let outcome = VerifiedIntelCollateral.verify(try IntelCollateral(parsing: vector.bytes("collateral")))
        print("COL", vector.id, outcome.codes)
    }
}
