// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import HTTPTypes
import Hummingbird
import NIOCore

/// A submission as it is received: the short fields in memory, the archive in a file.
struct Submission: Sendable {
    private var fields: [String: String] = [:]
    private var archiveName: String?
    private var archive: UploadFile?

    /// Bytes a second. An upload keeps a place in line; nobody may keep one for long by sending a byte now and then.
    static let slowestRate = 8 << 10
    /// Seconds that any upload may take.
    private static let patience = 60

    /// A checked request and, for an upload, the file that holds it. Whoever gets it removes or keeps the file.
    struct Received: Sendable {
        let request: BuildRequest
        let archivePath: String?
    }

    /// Reads the whole body. Throws a ``Refusal``, or what the connection threw; nothing is left on the disk then.
    ///
    /// - Parameter path: where an archive is written; `nil` to hash it only.
    static func receive(_ request: Request, path: String?, limit: Int64) async throws -> Received {
        let form = try Form(request, limit: limit)
        var submission = Submission()
        do {
            try await submission.read(request.body, as: form, path: path, limit: limit)
            return try await submission.check(form)
        } catch {
            submission.archive?.discard()
            throw error
        }
    }

    private mutating func read(_ body: RequestBody, as form: Form, path: String?, limit: Int64) async throws {
        var parser = form.parser
        let start = ContinuousClock.now
        var size: Int64 = 0
        for try await piece in body {
            size += Int64(piece.readableBytes)
            guard size <= form.bodyLimit else { throw Refusal.tooLarge(limit: limit) }
            let allowed = Duration.seconds(Int64(Self.patience) + size / Int64(Self.slowestRate))
            guard .now - start <= allowed else { throw Refusal.tooSlow }
            var parts: [SubmissionPart] = []
            try piece.withUnsafeReadableBytes { bytes throws(Refusal) in
                try parser.parse(bytes) { parts.append($0) }
            }
            for part in parts { try await take(part, path: path, limit: limit) }
        }
        var parts: [SubmissionPart] = []
        try parser.finish { parts.append($0) }
        for part in parts { try await take(part, path: path, limit: limit) }
    }

    private mutating func take(_ part: SubmissionPart, path: String?, limit: Int64) async throws(Refusal) {
        switch part {
        case .field(let name, let text): fields[name] = text
        case .archiveBegins(let name):
            archiveName = name
            archive = try UploadFile(path: path, limit: limit)
        case .archive(let bytes): try await archive?.append(bytes)
        }
    }

    private mutating func check(_ form: Form) async throws(Refusal) -> Received {
        fields.merge(form.fields) { $1 }
        guard let hex = fields["nonce"] else {
            throw .malformed("the nonce is missing: send 1 to 16 random bytes in hexadecimal")
        }
        do {
            let nonce = try Nonce(hex: hex)
            guard archive != nil else {
                _ = try fields["source_name"].map { try ArchiveName($0) }
                return Received(request: BuildRequest(nonce: nonce, source: .git(try gitSource())), archivePath: nil)
            }
            let source = try await archiveSource(defaultName: form.defaultName)
            return Received(request: BuildRequest(nonce: nonce, source: .archive(source)), archivePath: archive?.path)
        } catch let error as InvalidRequest {
            throw .invalid(error)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .internal
        }
    }

    private func gitSource() throws -> GitSource {
        guard let url = fields["repo_url"] else {
            throw InvalidRequest("the source is missing: send repo_url, or an archive as source_data")
        }
        let ref = try fields["repo_ref"].map { try GitRef($0) }
        return GitSource(url: try GitURL(url), ref: ref)
    }

    private mutating func archiveSource(defaultName: String) async throws -> ArchiveSource {
        guard fields["repo_url"] == nil else {
            throw InvalidRequest("there are two sources; send either repo_url or an archive")
        }
        guard fields["repo_ref"] == nil else { throw InvalidRequest("repo_ref goes only with repo_url") }
        let name = try ArchiveName(fields["source_name"] ?? archiveName ?? defaultName)
        guard var file = archive, file.size > 0 else { throw InvalidRequest("the archive is empty") }
        let digest = try await file.finish()
        return ArchiveSource(name: name, sha256: digest, size: file.size)
    }
}
