// SPDX-License-Identifier: Apache-2.0
import Appraisal
import ArgumentParser
import Verification

/// Whom and what whoever verifies believes, on the command line: a policy file, images, authorities.
struct TrustOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("What the bundle must meet, YAML: see docs/policy.md.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml", "json"]))
    var policy: String?

    @Option(
        help: ArgumentHelp("A signed list of the images that you know; repeat it for more.", valueName: "file"),
        completion: .file())
    var measurements: [String] = []

    @Option(
        help: ArgumentHelp(
            "A key that may sign such lists, PEM or 64 hexadecimal digits (Ed25519).", valueName: "file | hex"),
        completion: .file())
    var measurementsKey: [String] = []

    @Option(
        name: .customLong("tpm-ca"),
        help: ArgumentHelp(
            "A CA whose word you take for the TPMs of measured machines, PEM or DER: the ca.pem of a builder; repeat it for more.",
            valueName: "file"),
        completion: .file())
    var tpmCA: [String] = []

    @Option(
        help: ArgumentHelp(
            "An unsigned list by 'cupel image measure': trusted because you name it; repeat it for more.",
            valueName: "file"),
        completion: .file())
    var images: [String] = []

    @Flag(help: "Accept hardware that runs an image which nobody vouches for.")
    var acceptAnyMeasurement = false

    func validate() throws {
        guard measurementsKey.isEmpty || !measurements.isEmpty else {
            throw ValidationError("--measurements-key needs a list: --measurements")
        }
    }

    /// Reads the files that are named. Dates are judged by this machine's clock unless the caller sets another time.
    func verificationPolicy() throws -> VerificationPolicy {
        let present = Clock.now
        var wanted = try policy.map { try PolicyFiles.policy($0, present: present) } ?? VerificationPolicy()
        wanted.now = present
        wanted.present = present
        wanted.appraisal.knownImages += try PolicyFiles.images(measurements, keys: measurementsKey, present: present)
        wanted.appraisal.tpm.trustedCertificates += try tpmCA.flatMap(PolicyFiles.authority)
        wanted.appraisal.knownImages += try PolicyFiles.ownImages(images, present: present)
        if acceptAnyMeasurement { wanted.appraisal.acceptAnyMeasurementUnsafely = true }
        return wanted
    }

    /// Whether nobody and nothing is named.
    var isEmpty: Bool { policy == nil && changes.isEmpty }

    /// The options that change what a policy file says, for ``VerificationSummary``.
    var changes: [String] {
        measurements.map { "--measurements \($0)" } + measurementsKey.map { "--measurements-key \($0)" }
            + tpmCA.map { "--tpm-ca \($0)" } + images.map { "--images \($0)" }
            + (acceptAnyMeasurement ? ["--accept-any-measurement"] : [])
    }
}
