// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds
internal import ByteCoding
internal import Foundation
internal import StrictJSON

/// The result that a machine sent: looked at, and put in its place as it came, byte for byte.
///
/// This finds a broken result, and one of another job. Whether it proves anything is for its verifier to say.
enum RelayedResult {
    /// Bytes of `provenance.json`. An input takes some hundred, so that tens of thousands fit, as a flake for a whole
    /// operating system has. Less than a verifier reads: parsed, it is many times as large, in the memory of a service
    /// that may check several at once, for machines that it does not trust.
    private static let provenanceLimit = 16 << 20

    /// Removes what was fetched and not put in its place.
    static func removeUnfinished(_ job: RelayJob) { unlink(job.unfinishedResultPath) }

    /// Returns when the result is at ``RelayJob/resultPath``, and would be after a power cut.
    static func publish(_ job: RelayJob, limit: Int64) async throws(BuildFailure) {
        let result: Result<Void, BuildFailure> = await withCheckedContinuation { continuation in
            // On a thread of its own: reading takes seconds, where it is large.
            let thread = Thread {
                continuation.resume(
                    returning: Result { () throws(BuildFailure) in
                        try check(job, limit: limit)
                        try put(job)
                    })
            }
            thread.start()
        }
        try result.get()
    }

    private static func check(_ job: RelayJob, limit: Int64) throws(BuildFailure) {
        var limits = BuildLimits()
        limits.unpackedSize = limit
        var parts = Parts()
        do throws(BuildFailure) {
            let path = job.unfinishedResultPath
            try forEachEntry(ofTarGzip: path, limits: limits) { (entry, content) throws(BuildFailure) in
                try parts.take(entry, content)
            }
        } catch {
            throw broken(error.message)
        }
        guard parts.hasEvidence, let provenance = parts.provenance else {
            throw broken("provenance.json or evidence.json is not in it")
        }
        try check(provenance, of: job.request)
    }

    /// Whether the provenance is of this request.
    private static func check(_ bytes: [UInt8], of request: BuildRequest) throws(BuildFailure) {
        let provenance: JSONValue
        do {
            provenance = try JSONValue(parsing: bytes)
        } catch {
            throw broken("\(error)")
        }
        let parameters = provenance["predicate"]?["buildDefinition"]?["externalParameters"]
        let nonce = parameters?["nonce"]?.stringValue
        guard nonce == request.nonce.hex else {
            throw broken("its provenance is of the nonce \(printable(nonce ?? "none")), not of \(request.nonce.hex)")
        }
        let source = parameters?["source"]
        let isSame =
            switch request.source {
            case .git(let git):
                source?["uri"]?.stringValue == "git+\(git.url.text)" && source?["ref"]?.stringValue == git.ref?.text
            case .archive(let archive): source?["sha256"]?.stringValue == archive.sha256.hex
            case .folder: false
            }
        guard isSame else { throw broken("its provenance is of another source than was asked for") }
    }

    private static func put(_ job: RelayJob) throws(BuildFailure) {
        try OpenFile(reading: job.unfinishedResultPath, otherwise: .internal).synchronize()
        guard rename(job.unfinishedResultPath, job.resultPath) == 0 else { throw unpublished() }
        let folder = open(job.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw unpublished() }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw unpublished() }
    }

    private static func broken(_ why: String) -> BuildFailure {
        BuildFailure(.machine, "the machine's result cannot be used: \(why)")
    }

    private static func unpublished() -> BuildFailure {
        BuildFailure(.internal, "the result could not be put in place: \(systemError())")
    }

    /// What is looked for in a result, entry by entry.
    private struct Parts {
        private(set) var provenance: [UInt8]?
        private(set) var hasEvidence = false
        private var top: [UInt8]?

        mutating func take(_ entry: TarEntry, _ content: TarEntryContent) throws(BuildFailure) {
            let parts = entry.path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1)
            guard let first = parts.first.map(Array.init), top.map({ $0 == first }) ?? true else {
                throw BuildFailure(.source, "it has more than one top folder")
            }
            top = first
            guard parts.count == 2, case .file = entry.kind else { return }
            switch String(decoding: parts[1], as: UTF8.self) {
            case "provenance.json": provenance = try content.bytes(limit: provenanceLimit)
            case "evidence.json": hasEvidence = true
            default: break
            }
        }
    }
}
