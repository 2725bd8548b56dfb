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
    public internal(set) var state: State
    /// Attempts that were started; 0 before the first.
    public var attempt: Int
    /// RFC 3339, UTC.
    public let createdAt: String

    /// A job that was never started, created now.
    public init(id: JobID, request: BuildRequest) {
        self.init(id: id, request: request, state: .queued, attempt: 0, createdAt: Date.now.formatted(.iso8601))
    }

    init(id: JobID, request: BuildRequest, state: State, attempt: Int, createdAt: String) {
        self.id = id
        self.request = request
        self.state = state
        self.attempt = attempt
        self.createdAt = createdAt
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
