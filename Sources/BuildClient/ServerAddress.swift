// SPDX-License-Identifier: Apache-2.0

/// Where a build server answers: `http://host:port`, possibly with a path in front of the API's own paths.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Without a slash at the end.
    public let text: String

    /// Throws where `text` is no `http` or `https` URL, or carries a user name, a query or a fragment.
    public init(_ text: String) throws(BuildClientError) {
        let base = String(text.reversed().drop { $0 == "/" }.reversed())
        guard let scheme = ["https://", "http://"].first(where: { base.lowercased().hasPrefix($0) }) else {
            throw BuildClientError(
                .invalidAddress, "'\(text)' is no server address: expected http://host:port or https://host")
        }
        let rest = base.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        guard isPlain, !authority.isEmpty, !rest.contains(where: { "@?#\"<>".contains($0) }) else {
            throw BuildClientError(
                .invalidAddress, "'\(text)' is no server address: a host is needed, and no user name, query or fragment"
            )
        }
        self.text = scheme + rest
    }

    public var description: String { text }

    /// The URL of one of the API's paths, which starts with a slash.
    func url(_ path: String) -> String { text + path }
}

/// A job as its server names it.
public struct RemoteJob: Hashable, Sendable, CustomStringConvertible {
    /// 1 to 128 letters, digits, `-`, `_` and `.`, the first no dot.
    public let id: String

    /// Throws where the id could be mistaken for something else within a URL.
    public init(id: String) throws(BuildClientError) {
        let isPlain = id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard isPlain, (1...128).contains(id.utf8.count), !id.hasPrefix(".") else {
            throw BuildClientError(.malformedAnswer, "the server gave a job id that is none: '\(id.prefix(40))'")
        }
        self.id = id
    }

    public var description: String { id }
}
