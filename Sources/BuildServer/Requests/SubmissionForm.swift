// SPDX-License-Identifier: Apache-2.0
import Builds
import HTTPTypes
import Hummingbird

extension Submission {
    /// Which of the accepted forms a request has, by its headers.
    struct Form {
        let parser: any SubmissionParser
        /// Fields that stand in the query.
        var fields: [String: String] = [:]
        /// The archive's name where the requester gives none.
        var defaultName = "source.zip"
        /// Bytes of the whole body: no form needs twice the archive.
        let bodyLimit: Int64

        /// Throws where the form is none of those accepted, and where the body says that it is too large.
        init(_ request: Request, limit: Int64) throws(Refusal) {
            if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
                throw .unsupportedEncoding(coding)
            }
            let text = request.headers[.contentType]
            guard let text, let type = HeaderValue(text) else { throw .unsupportedType(text) }
            switch type.main {
            case "application/json": parser = JSONSubmission()
            case "multipart/form-data": parser = try Self.multipart(type)
            case "application/zip", "application/x-zip-compressed": parser = RawSubmission()
            case "application/gzip", "application/x-gzip":
                parser = RawSubmission()
                defaultName = "source.tar.gz"
            default: throw .unsupportedType(text)
            }
            bodyLimit = min(limit, 1 << 60) * 2 + (1 << 20)
            let declared = request.headers[.contentLength].flatMap { Int64($0) } ?? 0
            let most = parser is JSONSubmission ? min(limit, 1 << 60) / 3 * 4 : limit
            guard declared <= most + (1 << 20) else { throw .tooLarge(limit: limit) }
            let query = try Self.fields(of: Query(request.uri.query.map { $0[...] } ?? ""))
            if parser is RawSubmission { fields = query } else { try Self.check(query) }
        }

        private static func multipart(_ type: HeaderValue) throws(Refusal) -> MultipartSubmission {
            guard let boundary = type.parameters["boundary"], let parser = MultipartSubmission(boundary: boundary)
            else {
                throw .malformed("the content type has no boundary, or one that RFC 2046 does not allow")
            }
            return parser
        }

        /// Other forms do not use these; they must be right all the same, so that nobody relies on wrong ones.
        private static func check(_ fields: [String: String]) throws(Refusal) {
            do {
                if let nonce = fields["nonce"] { _ = try Nonce(hex: nonce) }
                if let name = fields["source_name"] { _ = try ArchiveName(name) }
            } catch {
                throw .invalid(error)
            }
        }

        private static func fields(of query: Query) throws(Refusal) -> [String: String] {
            var fields: [String: String] = [:]
            for name in ["nonce", "source_name"] { fields[name] = try query.value(name) }
            return fields
        }
    }
}
