// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird
import NIOCore
import Storage

extension Router {
    /// The result, whole or in part. There is one as soon as the last event says `ok`, not before and not otherwise.
    /// It is sent as fast as the connection takes it, which is on `loop`.
    func result(of job: StoredJob, _ request: Request, on loop: any EventLoop) async throws -> Response {
        let log = try await log(of: job)
        guard case .some(nil) = log.outcome else { throw Refusal.notFound }
        try await checkResult(of: job)
        guard let plain = try ResultFile(path: data.resultPath(job.id)) else { throw Refusal.damaged }
        let encoded = try await encodedResult(of: job, request)
        let file = encoded ?? plain
        let coding: OneBuild.ResultCoding = encoded == nil ? .identity : .zstd
        let tag = encoded == nil ? "\"\(job.id)\"" : "\"\(job.id)-zstd\""
        var headers: HTTPFields = [
            .eTag: tag, .acceptRanges: "bytes", .cacheControl: "private, no-cache", .vary: "Accept-Encoding",
        ]
        if let wanted = request.headers[.ifNoneMatch], Self.names(tag, in: wanted) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "application/gzip"
        if encoded != nil { headers[.contentEncoding] = "zstd" }
        headers[.contentDisposition] = "attachment; filename=\"\(job.request.source.resultName).tar.gz\""
        // Parts are defined for GET alone (RFC 9110, section 14.2).
        let isCurrent = request.method == .get && request.headers[.ifRange].map { $0 == tag } ?? true
        switch ByteRange(header: isCurrent ? request.headers[.range] : nil, size: file.size) {
        case .whole: return response(.ok, file, 0..<file.size, coding, headers, loop)
        case .part(let part):
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.size)"
            return response(.partialContent, file, part, coding, headers, loop)
        case .unsatisfiable: throw Refusal.rangeNotSatisfiable(size: file.size)
        }
    }

    /// The copy in zstd, where the client takes it and there is one. What it decodes to is a `.tar.gz` as well, of the
    /// same tar file, so that clients that decode by themselves are none the wiser.
    private func encodedResult(of job: StoredJob, _ request: Request) async throws -> ResultFile? {
        guard AcceptedEncodings(header: request.headers[.acceptEncoding]).prefersZstd else { return nil }
        return try await encodedResults.file(data.encodedResultPath(job.id), of: job.id)
    }

    private static func names(_ tag: String, in list: String) -> Bool {
        list.split(separator: ",").contains { entry in
            let entry = entry.drop { $0 == " " }
            return entry == "*" || entry.hasPrefix(tag) || entry.hasPrefix("W/\(tag)")
        }
    }

    private func response(
        _ status: HTTPResponse.Status, _ file: ResultFile, _ part: Range<Int64>, _ coding: OneBuild.ResultCoding,
        _ headers: HTTPFields, _ loop: any EventLoop
    ) -> Response {
        let body = ResponseBody(contentLength: Int(part.upperBound - part.lowerBound)) { writer in
            var rest = part
            while !rest.isEmpty {
                let piece = try await file.read(rest)
                try await writer.write(piece)
                // Only with its turn on the event loop does a piece count as one that waits: without this a busy loop is
                // given more and more of them for a reader that has stalled.
                try await loop.submit {}.get()
                metrics.resultBytes.add(piece.readableBytes)
                let next = rest.lowerBound + Int64(piece.readableBytes)
                if next < part.upperBound { oneBuild?.send(rest.lowerBound..<next, of: file.size, as: coding) }
                rest = next..<rest.upperBound
            }
            try await writer.finish(nil)
            oneBuild?.send(part, of: file.size, as: coding)
        }
        return Response(status: status, headers: headers, body: body)
    }
}

extension SourceRequest {
    /// What a download of the result is called.
    fileprivate var resultName: String {
        switch self {
        case .git(let source): source.url.repositoryName
        case .archive(let source): source.name.folderName
        case .folder: "result"
        }
    }
}
