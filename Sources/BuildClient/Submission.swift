// SPDX-License-Identifier: Apache-2.0
public import Builds
import StrictJSON

/// What is sent to be built.
public struct Submission: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        case git(GitSource)
        /// A ZIP or gzip-compressed tar file of this machine, sent under `name`.
        case archive(path: String, name: ArchiveName)
    }

    public let nonce: Nonce
    public let source: Source

    public init(nonce: Nonce, source: Source) {
        self.nonce = nonce
        self.source = source
    }
}

/// A request body: fixed bytes, a file's content, fixed bytes.
struct UploadForm: Sendable {
    let contentType: String
    let head: [UInt8]
    let path: String?
    let tail: [UInt8]

    /// The form of `POST /build`: JSON for a repository, `multipart/form-data` (RFC 7578) for a file. `boundary` must
    /// not occur in the file; 128 random bits do not.
    init(_ submission: Submission, boundary: String) {
        switch submission.source {
        case .git(let source):
            self.init(json: Self.members(submission.nonce, source))
        case .archive(let path, let name):
            self.init(submission.nonce, path: path, name: name, boundary: boundary)
        }
    }

    private init(json members: [String: JSONValue]) {
        contentType = "application/json"
        head = JSONValue.object(members).canonicalBytes
        path = nil
        tail = []
    }

    private init(_ nonce: Nonce, path: String, name: ArchiveName, boundary: String) {
        let quoted = name.text.replacing("\"", with: "%22").replacing("\\", with: "_")
        // A name that a header cannot hold as it is has a field of its own, which goes before it.
        let exact =
            quoted == name.text && !quoted.contains("%")
            ? ""
            : "--\(boundary)\r\nContent-Disposition: form-data; name=\"source_name\"\r\n\r\n\(name.text)\r\n"
        contentType = "multipart/form-data; boundary=\(boundary)"
        head = Array(
            ("--\(boundary)\r\nContent-Disposition: form-data; name=\"nonce\"\r\n\r\n\(nonce.hex)\r\n\(exact)"
                + "--\(boundary)\r\nContent-Disposition: form-data; name=\"source\"; filename=\"\(quoted)\"\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n").utf8)
        self.path = path
        tail = Array("\r\n--\(boundary)--\r\n".utf8)
    }

    private static func members(_ nonce: Nonce, _ source: GitSource) -> [String: JSONValue] {
        var members: [String: JSONValue] = ["nonce": .string(nonce.hex), "repo_url": .string(source.url.text)]
        if let ref = source.ref { members["repo_ref"] = .string(ref.text) }
        return members
    }
}
