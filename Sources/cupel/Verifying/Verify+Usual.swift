// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Verification

extension Verify {
    /// Reads the usual arguments without ArgumentParser, which looks at every option several times through the runtime's
    /// search of all conformances in the program: four times the work of the verification itself.
    ///
    /// Only what ArgumentParser would read the same way is read here. For anything else, from `--help` to a mistake, this
    /// is `nil`, and ArgumentParser has its say.
    init?(usual arguments: [String]) {
        guard let given = UsualArguments(arguments) else { return nil }
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
        policyOptions.policy = given["--policy"]
        policyOptions.measurements = given.all("--measurements")
        policyOptions.measurementsKey = given.all("--measurements-key")
        policyOptions.tpmCA = given.all("--tpm-ca")
        policyOptions.acceptAnyMeasurement = given.has("--accept-any-measurement")
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
            try policyOptions.validate()
            try collateralOptions.validate()
            try validate()
            return true
        } catch {
            return false
        }
    }
}

/// Arguments sorted into flags, options with a value, and others.
private struct UsualArguments {
    private static let flags: Set = ["--json", "--accept-any-measurement", "--allow-software", "--offline"]
    private static let single: Set = [
        "--evidence", "--events", "--report-data", "--policy", "--nonce", "--at", "--collateral-cache",
        "--input-merkle-root",
    ]
    private static let repeated: Set = [
        "--measurements", "--measurements-key", "--tpm-ca", "--collateral", "--input-proof",
    ]

    private var found: Set<String> = []
    private var values: [String: [String]] = [:]
    private(set) var others: [String] = []

    /// `nil` for other names, a value that is missing or begins with a dash, and what stands twice that may not.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if !argument.hasPrefix("-") {
                others.append(argument)
            } else if Self.flags.contains(argument) {
                guard found.insert(argument).inserted else { return nil }
            } else {
                guard Self.single.contains(argument) && values[argument] == nil || Self.repeated.contains(argument),
                    let value = rest.popFirst(), !value.hasPrefix("-")
                else { return nil }
                values[argument, default: []].append(value)
            }
        }
    }

    subscript(option: String) -> String? { values[option]?.first }
    func all(_ option: String) -> [String] { values[option] ?? [] }
    func has(_ flag: String) -> Bool { found.contains(flag) }
}
