// SPDX-License-Identifier: Apache-2.0
public import Builds
import ByteCoding
import Foundation
import StrictJSON

/// A job as it is kept.
public struct StoredJob: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        case queued, running, succeeded, failed
    }

    public let id: JobID
    public let request: BuildRequest
    /// The place in line that the first event of the log says; `nil` for a job of a release that did not keep it.
    public let position: Int?
    /// What the requester sent to have the request taken once, however often it arrives.
    public let idempotencyKey: String?
    public internal(set) var state: State
    /// Attempts that were started; 0 before the first.
    public var attempt: Int
    /// When the job was accepted: RFC 3339, UTC, as all times here.
    public let createdAt: String
    /// When the latest attempt began; `nil` before the first.
    public internal(set) var startedAt: String?
    /// `nil` until the job has ended.
    public internal(set) var finishedAt: String?
    /// Why the job has ended without a result.
    public internal(set) var failure: BuildFailure?
    /// The event log of a job that has ended; `nil` where an earlier release ended it.
    public internal(set) var logFile: FileRecord?
    /// The result of a good build; `nil` where an earlier release made it.
    public internal(set) var resultFile: FileRecord?

    /// Bytes of the log and the result of a job that has ended, as far as they are on record.
    public var recordedSize: Int64 { (logFile?.size ?? 0) + (resultFile?.size ?? 0) }

    /// Bytes of the result, where there is one and its size is known.
    public var resultSize: Int64? { resultFile?.size }

    /// A job that was never started, created now.
    public init(id: JobID, request: BuildRequest, position: Int? = 0, idempotencyKey: String? = nil) {
        self.init(
            id: id, request: request, position: position, idempotencyKey: idempotencyKey, state: .queued, attempt: 0,
            createdAt: Self.now)
    }

    init(
        id: JobID, request: BuildRequest, position: Int?, idempotencyKey: String?, state: State, attempt: Int,
        createdAt: String
    ) {
        self.id = id
        self.request = request
        self.position = position
        self.idempotencyKey = idempotencyKey
        self.state = state
        self.attempt = attempt
        self.createdAt = createdAt
    }

    /// Whether the job waits or runs.
    public var isUnfinished: Bool { state == .queued || state == .running }

    static var now: String { Date.now.formatted(.iso8601) }
}

extension StoredJob {
    mutating func beginAttempt() {
        state = .running
        attempt += 1
        startedAt = Self.now
    }

    mutating func returnToQueue() {
        if state == .running { attempt -= 1 }
        state = .queued
    }

    mutating func end(_ failure: BuildFailure?, _ files: FinishedFiles?) {
        state = failure == nil ? .succeeded : .failed
        self.failure = failure?.bounded
        finishedAt = Self.now
        logFile = files?.log
        resultFile = files?.result
    }
}

extension BuildRequest {
    /// The request as the database keeps it.
    var storedJSON: JSONValue {
        var source: [String: JSONValue]
        switch self.source {
        case .git(let git):
            source = ["git": .string(git.url.text)]
            source["ref"] = git.ref.map { .string($0.text) }
        case .archive(let archive):
            source = [
                "archive": .string(archive.name.text), "sha256": .string(archive.sha256.hex),
                "size": .string(String(archive.size)),
            ]
        case .folder(let folder): source = ["folder": .string(folder.path)]
        }
        return ["nonce": .string(nonce.hex), "source": .object(source)]
    }

    /// `nil` where it is not what ``storedJSON`` wrote.
    init?(storedJSON json: JSONValue) {
        guard let hex = json["nonce"]?.stringValue, let nonce = try? Nonce(hex: hex), let source = json["source"],
            let request = SourceRequest(storedJSON: source)
        else { return nil }
        self.init(nonce: nonce, source: request)
    }
}

extension SourceRequest {
    fileprivate init?(storedJSON json: JSONValue) {
        if let text = json["git"]?.stringValue, let url = try? GitURL(text) {
            guard let ref = json["ref"] else {
                self = .git(GitSource(url: url, ref: nil))
                return
            }
            guard let text = ref.stringValue, let ref = try? GitRef(text) else { return nil }
            self = .git(GitSource(url: url, ref: ref))
        } else if let name = json["archive"]?.stringValue.flatMap({ try? ArchiveName($0) }),
            let digest = json["sha256"]?.stringValue.flatMap({ try? Digest256(hex: $0) }),
            let size = json["size"]?.stringValue.flatMap({ Int64($0) })
        {
            self = .archive(ArchiveSource(name: name, sha256: digest, size: size))
        } else if let path = json["folder"]?.stringValue {
            self = .folder(FolderSource(path: path))
        } else {
            return nil
        }
    }
}
