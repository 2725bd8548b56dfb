// SPDX-License-Identifier: Apache-2.0
public import ByteCoding

/// What somebody asks to have built (the API, "Submit"), checked.
public struct BuildRequest: Hashable, Sendable {
    public let nonce: Nonce
    public let source: SourceRequest

    public init(nonce: Nonce, source: SourceRequest) {
        self.nonce = nonce
        self.source = source
    }
}

public enum SourceRequest: Hashable, Sendable {
    case git(GitSource)
    case archive(ArchiveSource)
    /// A folder of this machine, for a build without a server. Its name becomes the result's top folder.
    case folder(FolderSource)
}

/// A request that the API answers with `400`.
public struct InvalidRequest: Error, Hashable, Sendable {
    /// What is wrong and what to do, one sentence.
    public let message: String

    public init(_ message: String) { self.message = message }
}

/// The requester's random value, 1 to 16 bytes, that the evidence carries as a proof of freshness.
public struct Nonce: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(hex: String) throws(InvalidRequest) {
        guard let bytes = try? Hex.decode(hex) else {
            throw InvalidRequest("the nonce must be hexadecimal with an even number of digits, for example 00ff17")
        }
        try self.init(bytes: bytes)
    }

    public init(bytes: [UInt8]) throws(InvalidRequest) {
        guard (1...16).contains(bytes.count) else {
            throw InvalidRequest(
                "the nonce must be 1 to 16 bytes (2 to 32 hexadecimal digits), found \(bytes.count) bytes")
        }
        self.bytes = bytes
    }

    public var hex: String { Hex.encode(bytes) }
    public var description: String { hex }
}

public struct GitSource: Hashable, Sendable {
    public let url: GitURL
    /// Branch, tag or commit; `nil` for the server's default branch.
    public let ref: GitRef?

    public init(url: GitURL, ref: GitRef?) {
        self.url = url
        self.ref = ref
    }
}

/// An uploaded ZIP or gzip-compressed tar file, as it was received.
public struct ArchiveSource: Hashable, Sendable {
    /// The file name that the requester gave; names the result's folder where the archive has no single top folder.
    public let name: ArchiveName
    public let sha256: Digest256
    /// Bytes.
    public let size: Int64

    public init(name: ArchiveName, sha256: Digest256, size: Int64) {
        self.name = name
        self.sha256 = sha256
        self.size = size
    }
}

public struct FolderSource: Hashable, Sendable {
    /// Absolute path.
    public let path: String
    public init(path: String) { self.path = path }
}

/// Unguessable: 128 random bits as 32 lower-case hexadecimal digits.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// `nil` unless `text` is 32 lower-case hexadecimal digits.
    public init?(_ text: String) {
        guard text.utf8.count == 32, let bytes = try? Hex.decode(text), Hex.encode(bytes) == text else { return nil }
        self.text = text
    }

    /// An id from 128 random bits.
    public init(high: UInt64, low: UInt64) {
        let digits = [high, low].map { word in
            let hex = String(word, radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }
        text = digits.joined()
    }

    public var description: String { text }
}
