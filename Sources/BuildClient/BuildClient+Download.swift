// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension BuildClient {
    /// Fetches the result of `job` into a new file at `path`, and takes up broken connections where they broke. The
    /// file must not be there yet. Returns whether the file has the content coding `zstd`, which is the caller's to
    /// decode; none has it unless `takesZstd`. Throws `tooLarge` beyond `limit` bytes; after an error the file may be
    /// incomplete.
    @discardableResult
    public func download(
        _ job: RemoteJob, to path: String, limit: Int64, takesZstd: Bool = true,
        onInterruption: (Interruption) -> Void = { _ in }
    ) async throws(BuildClientError) -> Bool {
        var download = Download(file: try OpenFile(creating: path), limit: limit, takesZstd: takesZstd)
        var schedule = schedule
        while true {
            do throws(BuildClientError) {
                try await fetch(job, into: &download)
                return download.isEncoded
            } catch {
                if download.madeProgress { schedule.madeProgress() }
                try await pause(after: error, &schedule, onInterruption)
            }
        }
    }

    /// One connection's part of the file; returns when the file is whole.
    private func fetch(_ job: RemoteJob, into download: inout Download) async throws(BuildClientError) {
        download.beginConnection()
        var request = request("/build/\(job.id)/result")
        if download.takesZstd { request.headers.add(name: "Accept-Encoding", value: "zstd") }
        request.headers.add(contentsOf: HTTPHeaders(download.resumption))
        let response = try await send(request, expecting: [200, 206])
        try download.begin(partial: response.status == .partialContent, response.headers)
        do {
            for try await piece in response.body { try download.append(piece) }
        } catch {
            throw broken(error)
        }
        try download.end()
    }
}

/// A file on its way, over several connections.
struct Download {
    private let file: OpenFile
    private let limit: Int64
    let takesZstd: Bool
    /// Bytes on disk.
    private var received: Int64 = 0
    /// Bytes of the whole file, where the server says it.
    private var total: Int64?
    /// Names the version of which `received` bytes are on disk (RFC 9110, section 8.8.3); strong ones only.
    private var entityTag: String?
    /// Whether the content coding is zstd; else there is none.
    private(set) var isEncoded = false
    /// Whether this connection brought anything.
    private(set) var madeProgress = false

    init(file: OpenFile, limit: Int64, takesZstd: Bool) {
        self.file = file
        self.limit = limit
        self.takesZstd = takesZstd
    }

    /// Asks for the rest, and for the whole where it is another version by now. Without a tag nothing can be resumed.
    var resumption: [(String, String)] {
        guard let entityTag, received > 0 else { return [] }
        return [("Range", "bytes=\(received)-"), ("If-Range", entityTag)]
    }

    mutating func beginConnection() { madeProgress = false }

    mutating func begin(partial: Bool, _ headers: HTTPHeaders) throws(BuildClientError) {
        let length = headers.first(name: "Content-Length").flatMap { Int64($0) }
        let isEncoded = try isEncoded(headers)
        if partial {
            guard isEncoded == self.isEncoded else {
                throw BuildClientError(.malformedAnswer, "the server sent the rest in another content coding")
            }
            guard let range = headers.first(name: "Content-Range"), range.hasPrefix("bytes \(received)-"), received > 0
            else { throw BuildClientError(.malformedAnswer, "the server sent another range than was asked for") }
        } else {
            try file.empty()
            received = 0
            self.isEncoded = isEncoded
            entityTag = headers.first(name: "ETag").flatMap { $0.hasPrefix("\"") ? $0 : nil }
        }
        total = length.flatMap { received.addingReportingOverflow($0).overflow ? nil : received + $0 }
        guard total ?? received <= limit else { throw tooLarge }
    }

    private func isEncoded(_ headers: HTTPHeaders) throws(BuildClientError) -> Bool {
        let codings = headers["Content-Encoding"].map { $0.lowercased() }.filter { $0 != "identity" }
        guard codings.isEmpty || takesZstd && codings == ["zstd"] else {
            throw BuildClientError(.malformedAnswer, "the server sent a content coding that was not asked for")
        }
        return !codings.isEmpty
    }

    mutating func append(_ piece: ByteBuffer) throws(BuildClientError) {
        received += Int64(piece.readableBytes)
        guard received <= limit else { throw tooLarge }
        // Not in the closure of withUnsafeReadableBytes, which would lose the type of the error.
        let result = piece.withUnsafeReadableBytes { bytes in
            Result { () throws(BuildClientError) in try file.write(bytes) }
        }
        try result.get()
        madeProgress = true
    }

    func end() throws(BuildClientError) {
        guard let total, received < total else { return }
        throw BuildClientError(.unreachable, "the download ended after \(received) of \(total) bytes")
    }

    private var tooLarge: BuildClientError {
        BuildClientError(.tooLarge, "the result has more than \(limit) bytes, the most that is downloaded")
    }
}
