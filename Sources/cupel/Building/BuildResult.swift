// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Archives
import ArgumentParser
import Builds
import Collateral
import ByteCoding
import Evidence
import Foundation
import StrictJSON
import Verification

/// The result of a build on its way from the tarball to its place: unpacked, verified, and only then moved there.
struct BuildResult {
    /// What a result may be, whatever a server sends.
    static let limits = BuildLimits()

    let request: RequestedBuild
    let output: String
    let json: Bool
    /// What it must be.
    let policy: VerificationPolicy
    let collateralOptions: CollateralOptions
    /// The events that a server sent; `nil` for a build that ran here.
    var seen: SeenEvents?

    func settle() async throws {
        let unpacked = request.folder + "/unpacked"
        try FileManager.default.createDirectory(atPath: unpacked, withIntermediateDirectories: false)
        try unpackResult(tarGzip: request.resultPath, into: unpacked, limits: Self.limits)
        let names = try FileManager.default.contentsOfDirectory(atPath: unpacked)
        guard let name = names.first, names.count == 1, name == ArchiveName.safeFolderName(name) else {
            throw CommandFailure("the result must have one top folder with a plain name", status: 1)
        }
        let contents = try BundleReader.read("\(unpacked)/\(name)", wantsLog: seen != nil)
        let mismatch = sourceMismatch(contents)
        let report = try await report(contents, name)
        let isVerified = report.exitCode == 0 && mismatch == nil
        let place = try isVerified ? moveBundle("\(unpacked)/\(name)", name) : keepRefused(name)
        show(report, mismatch, place)
        if let mismatch { throw CommandFailure(mismatch, hint: "the server built something else", status: 1) }
        if let finding = report.findings.first(where: { $0.code.rawValue.hasPrefix("events.") }) {
            throw CommandFailure(
                "the server sent other events than those of the build that is attested: expected "
                    + Console.plain("\(finding.expected), found \(finding.found)"),
                hint: "the log that it showed is not the log of this build", status: 1)
        }
        if !isVerified { throw ExitCode(report.exitCode) }
    }

    /// The verdict of 'cupel verify', with the vendors' collateral where the evidence cannot be judged without.
    private func report(_ contents: BundleContents, _ name: String) async throws -> VerificationReport {
        var policy = policy
        // The options were read before the build: what was issued meanwhile, such as to its machine, is in force now.
        policy.present = Clock.now
        if policy.timeSource == .clock { policy.now = policy.present }
        // Other builders' provenance names no log to compare with.
        policy.seenEvents = contents.namesLog ? seen : nil
        let envelopes = (try? EvidenceEnvelope(parsing: contents.evidence)).map { [$0] } ?? []
        do {
            let gathered = try await collateralOptions.collateral(
                for: envelopes, bundled: contents.collateral, isFresh: true)
            return verify(contents, policy: policy, collateral: gathered.set)
        } catch {
            Console.note("not verified; kept as \(Console.plain(try keepRefused(name)))")
            throw error
        }
    }

    private func moveBundle(_ unpacked: String, _ name: String) throws -> String {
        let place = "\(output)/\(name)"
        guard rename(unpacked, place) == 0 else {
            throw CommandFailure("could not put the result at \(place): \(String(cString: strerror(errno)))")
        }
        return place
    }

    /// A result that was refused is kept as the tarball it came as: nobody should run what is in it by mistake.
    private func keepRefused(_ name: String) throws -> String {
        let place = "\(output)/\(name).refused.tar.gz"
        guard rename(request.resultPath, place) == 0 else {
            throw CommandFailure("could not keep the result at \(place): \(String(cString: strerror(errno)))")
        }
        return place
    }

    private func show(_ report: VerificationReport, _ mismatch: String?, _ place: String) {
        let isGood = report.exitCode == 0 && mismatch == nil
        guard json else {
            Console.write(report.text(colour: Console.usesColour(1)), to: 1)
            return Console.print("\n\(isGood ? "result" : "refused; kept as"): \(place)")
        }
        Console.print(["type": "verification", "report": report.json])
        Console.print([
            "type": "outcome", "status": isGood ? "ok" : "refused", "path": .string(place),
            "nonce": .string(request.nonce.hex),
        ])
    }

    /// Whether the provenance names the source that was asked for: nobody but the requester can check that.
    private func sourceMismatch(_ contents: BundleContents) -> String? {
        guard let provenance = try? JSONValue(parsing: contents.provenance) else { return nil }
        let parameters = provenance["predicate"]?["buildDefinition"]?["externalParameters"]?["source"]
        switch request.source {
        case .repository(let source):
            let uri = parameters?["uri"]?.stringValue
            let ref = parameters?["ref"]?.stringValue
            guard uri != "git+\(source.url.text)" || ref != source.ref?.text else { return nil }
            let named = [uri, ref].compactMap { $0 }.joined(separator: " at ")
            let asked = [source.url.text, source.ref?.text].compactMap { $0 }.joined(separator: " at ")
            return "the provenance names the source \(Console.plain(named)), not git+\(asked)"
        case .project:
            guard FileManager.default.fileExists(atPath: request.archivePath) else { return nil }
            guard let sent = try? FileDigest.sha256(of: request.archivePath).hex else {
                return "the upload cannot be read"
            }
            let named = parameters?["sha256"]?.stringValue
            return named == sent
                ? nil : "the provenance names an upload with the SHA-256 \(named ?? "nothing"), not \(sent)"
        }
    }
}
