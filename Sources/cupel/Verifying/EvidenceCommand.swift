// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ByteCoding
import Collateral
import Evidence
import Inspection
import Verification

/// `cupel verify --evidence`: evidence without a bundle.
struct EvidenceCommand {
    let path: String
    let reportData: String?
    let policyOptions: PolicyOptions
    let collateralOptions: CollateralOptions
    let json: Bool

    /// Throws the exit code where the evidence does not verify.
    func run() async throws {
        let expecting = ExpectedBinding(
            reportData: try reportData.map { try Self.bytes($0, "--report-data") },
            nonce: try policyOptions.nonce.map(Self.nonce))
        // Its nonce is of a build, at most 16 bytes: whoever asks for bare evidence may send longer ones.
        var options = policyOptions
        options.nonce = nil
        let policy = try collateralOptions.timed(try options.verificationPolicy())
        guard policy.timeSource != .build else {
            throw CommandFailure("'--at build' needs a bundle: bare evidence does not say when something was built")
        }
        let report = try await report(try EvidenceReader.read(path), expecting, policy)
        if json { Console.print(report.json) } else { Console.write(report.text(colour: Console.usesColour(1)), to: 1) }
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }

    private func report(
        _ bytes: [UInt8], _ expecting: ExpectedBinding, _ policy: VerificationPolicy
    ) async throws -> EvidenceReport {
        guard let format = EvidenceFormat(recognising: bytes) else { throw unknown(bytes) }
        let envelope: EvidenceEnvelope?
        do throws(MalformedBytes) {
            envelope = try EvidenceFile(decoding: bytes, as: format).envelope
        } catch {
            return refuse(malformed: error, policy: policy)
        }
        guard let envelope else { throw isPart(format) }
        let collateral = try await collateralOptions.collateral(for: [envelope])
        return verify(envelope, expecting: expecting, policy: policy, collateral: collateral.set)
    }

    private func unknown(_ bytes: [UInt8]) -> CommandFailure {
        if let file = try? InspectedFile(recognising: bytes) {
            return CommandFailure(
                "\(Console.plain(path)) is no evidence: \(file.format)", hint: "name it with --collateral")
        }
        return CommandFailure(
            "\(Console.plain(path)) is no evidence that cupel knows (\(bytes.count) bytes)",
            hint: "tried: \(EvidenceFormat.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    private func isPart(_ format: EvidenceFormat) -> CommandFailure {
        CommandFailure(
            "\(Console.plain(path)) is a part of evidence, and proves nothing alone: \(format.rawValue)",
            hint: "docs/formats.md shows how evidence.json holds it; 'cupel inspect' shows what it says")
    }

    private static func bytes(_ hex: String, _ option: String) throws -> [UInt8] {
        guard let bytes = try? Hex.decode(hex), (1...64).contains(bytes.count) else {
            throw CommandFailure("\(option) is not 1 to 64 bytes in hexadecimal")
        }
        return bytes
    }

    /// Zeros cannot be told from those that fill what a platform signs.
    private static func nonce(_ hex: String) throws -> [UInt8] {
        let bytes = try bytes(hex, "--nonce")
        guard bytes.contains(where: { $0 != 0 }) else {
            throw CommandFailure("--nonce is nothing but zeros, which evidence without a nonce has too")
        }
        return bytes
    }
}
