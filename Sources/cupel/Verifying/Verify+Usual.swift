// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Verification

extension Verify {
    private static let usual = UsualArguments.Names(
        flags: ["--json", "--accept-any-measurement", "--allow-software", "--offline"],
        single: [
            "--evidence", "--events", "--report-data", "--policy", "--nonce", "--at", "--collateral-cache",
            "--input-merkle-root",
        ],
        repeated: ["--measurements", "--measurements-key", "--tpm-ca", "--images", "--collateral", "--input-proof"])

    /// Reads the usual arguments without ArgumentParser, which would be four times the work of the verification itself.
    ///
    /// Only what ArgumentParser would read the same way is read here. For anything else, from `--help` to a mistake, this
    /// is `nil`, and ArgumentParser has its say.
    init?(usual arguments: [String]) {
        guard let given = UsualArguments(arguments, names: Self.usual) else { return nil }
        self.init()
        bundles = given.others
        evidence = given["--evidence"]
        reportData = given["--report-data"]
        events = given["--events"]
        json = given.has("--json")
        inputProofOptions = InputProofOptions()
        inputProofOptions.inputProof = given.all("--input-proof")
        inputProofOptions.inputMerkleRoot = given["--input-merkle-root"]
        policyOptions = PolicyOptions()
        policyOptions.trust = TrustOptions()
        policyOptions.trust.policy = given["--policy"]
        policyOptions.trust.measurements = given.all("--measurements")
        policyOptions.trust.measurementsKey = given.all("--measurements-key")
        policyOptions.trust.tpmCA = given.all("--tpm-ca")
        policyOptions.trust.images = given.all("--images")
        policyOptions.trust.acceptAnyMeasurement = given.has("--accept-any-measurement")
        policyOptions.allowSoftware = given.has("--allow-software")
        policyOptions.nonce = given["--nonce"]
        collateralOptions = CollateralOptions()
        collateralOptions.places = given.all("--collateral")
        collateralOptions.at = given["--at"]
        collateralOptions.vendors = VendorOptions()
        collateralOptions.vendors.offline = given.has("--offline")
        collateralOptions.vendors.collateralCache = given["--collateral-cache"]
        (collateralOptions.vendors.amdKds, collateralOptions.vendors.intelPcs) = (nil, nil)
        summaryOptions = SummaryOptions()
        (summaryOptions.vsa, summaryOptions.vsaResource) = (nil, nil)
        summaryOptions.vsaVerifier = VerificationSummary.defaultVerifierID
        guard isValid else { return nil }
    }

    private var isValid: Bool {
        do {
            try policyOptions.trust.validate()
            try collateralOptions.validate()
            try validate()
            return true
        } catch {
            return false
        }
    }
}
