// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// A repository that git may clone: `https://` or `http://`, with a host, nothing that git would take for another
/// transport, an option or a local path, and no user name or password.
public struct GitURL: Hashable, Sendable, CustomStringConvertible {
    public let text: String
    public let scheme: String
    /// Without port; brackets of an IPv6 address removed.
    public let host: String
    /// The port that the URL names, or the scheme's own.
    public let port: Int

    /// Bytes; longer URLs are refused.
    public static let maximumLength = 2048

    public init(_ text: String) throws(InvalidRequest) {
        guard text.utf8.count <= Self.maximumLength else {
            throw InvalidRequest("repo_url is longer than \(Self.maximumLength) bytes")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw InvalidRequest(
                "repo_url holds white space, control characters, backslashes or non-ASCII; encode them as %XX")
        }
        guard let scheme = ["https", "http"].first(where: { text.lowercased().hasPrefix("\($0)://") }) else {
            throw InvalidRequest("repo_url must start with https:// or http://")
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else {
            throw InvalidRequest("repo_url must not carry a user name or password")
        }
        guard !text.contains("#"), !text.contains("?") else {
            throw InvalidRequest("repo_url must not have a query or fragment; give the ref as repo_ref")
        }
        (host, port) = try Self.hostAndPort(authority, scheme: scheme)
        self.text = text
        self.scheme = scheme
    }

    public var description: String { text }

    /// The last component of the path without `.git`: what git would call the folder.
    public var repositoryName: String {
        let path = text.dropFirst(scheme.count + 3).drop { $0 != "/" }
        let last = PathParts.last(path) ?? host
        let name = last.hasSuffix(".git") && last.count > 4 ? String(last.dropLast(4)) : last
        return ArchiveName.safeFolderName(name)
    }

    private static func hostAndPort(
        _ authority: Substring, scheme: String
    ) throws(InvalidRequest) -> (host: String, port: Int) {
        let standard = scheme == "https" ? 443 : 80
        var host = authority
        var port = standard
        let afterBracket = authority.lastIndex(of: "]").map { authority.index(after: $0) } ?? authority.startIndex
        if let colon = authority[afterBracket...].lastIndex(of: ":") {
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = Int(digits), (1...65535).contains(number)
            else {
                throw InvalidRequest("repo_url has a port that is not a number from 1 to 65535")
            }
            host = authority[..<colon]
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.hasPrefix("-"), host.utf8.allSatisfy({ isHostByte($0) }) else {
            throw InvalidRequest("repo_url has no valid host name")
        }
        return (host.lowercased(), port)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// A branch, tag or commit, by the rules of git-check-ref-format(1), and never an option or a revision expression.
public struct GitRef: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) throws(InvalidRequest) {
        guard !text.isEmpty, text.utf8.count <= 255 else {
            throw InvalidRequest("repo_ref must have 1 to 255 bytes")
        }
        let bytes = Array(text.utf8)
        let isWellFormed =
            bytes.first != UInt8(ascii: "-") && text != "@" && !bytes.contains(Array("..".utf8))
            && !bytes.contains(Array("@{".utf8)) && bytes.last != UInt8(ascii: ".")
            && text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0.value != 0x7F && !"~^:?*[\\".unicodeScalars.contains($0)
            }
            && bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part.first != UInt8(ascii: ".") && !part.suffix(5).elementsEqual(".lock".utf8)
            }
        guard isWellFormed else {
            throw InvalidRequest(
                "repo_ref is not a branch, tag or commit name that git allows (see git-check-ref-format)")
        }
        self.text = text
    }

    /// Whether the ref is a whole object id: 40 (SHA-1) or 64 (SHA-256) hexadecimal digits.
    public var isCommit: Bool {
        (text.utf8.count == 40 || text.utf8.count == 64) && text.allSatisfy { $0.isASCII && $0.isHexDigit }
    }

    public var description: String { text }
}

/// The file name of an upload, reduced to what can safely name a folder.
public struct ArchiveName: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) throws(InvalidRequest) {
        guard text.utf8.count <= 255 else { throw InvalidRequest("source_name is longer than 255 bytes") }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw InvalidRequest("source_name holds control characters")
        }
        self.text = text
    }

    public var description: String { text }

    /// The name without folders and without `.zip`, `.tar.gz`, `.tgz` or `.tar`; `source` where nothing is left.
    public var folderName: String {
        var name = PathParts.last(text.replacing("\\", with: "/")) ?? ""
        for suffix in [".tar.gz", ".tgz", ".tar", ".zip", ".gz"] where name.lowercased().hasSuffix(suffix) {
            name = String(name.dropLast(suffix.count))
            break
        }
        return Self.safeFolderName(name)
    }

    /// `name` with everything but letters, digits, `.`, `_`, `-` and `+` replaced by `-`.
    public static func safeFolderName(_ name: String) -> String {
        let kept = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-+".contains($0)) ? $0 : "-" }
        let trimmed = String(kept.drop { $0 == "." || $0 == "-" }.prefix(100))
        return trimmed.isEmpty ? "source" : trimmed
    }
}
