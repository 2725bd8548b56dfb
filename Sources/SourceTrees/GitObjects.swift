// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import ByteCoding
internal import Crypto

/// Git's object ids (gitformat-pack(5), "SHA-1"), made from contents rather than taken from a repository.
public struct GitObjectID: Hashable, Sendable, CustomStringConvertible {
    /// 20 bytes.
    let bytes: [UInt8]

    private init(_ hash: Insecure.SHA1) { bytes = Array(hash.finalize()) }

    /// `nil` unless `hex` is 40 hexadecimal digits.
    public init?(hex: String) {
        guard let bytes = try? Hex.decode(hex), bytes.count == 20 else { return nil }
        self.bytes = bytes
    }

    /// 40 lower-case digits.
    public var hex: String { Hex.encode(bytes) }
    public var description: String { hex }

    /// The id of a whole object.
    init(of type: String, _ content: [UInt8]) {
        var stream = Stream(type: type, size: Int64(content.count))
        content.withUnsafeBytes { stream.update($0) }
        self = stream.id
    }

    /// An id being computed piece by piece; the header names the size first.
    struct Stream {
        private var hash = Insecure.SHA1()

        init(type: String, size: Int64) { hash.update(data: Array("\(type) \(size)\0".utf8)) }

        mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

        var id: GitObjectID { GitObjectID(hash) }
    }
}

/// A tree object being put together. Entries must come in git's order: by name, a folder's as if it ended in `/`.
struct GitTreeBuilder {
    enum Mode: String {
        case file = "100644"
        case executable = "100755"
        case link = "120000"
        case folder = "40000"
        case submodule = "160000"
    }

    private var content: [UInt8] = []
    var isEmpty: Bool { content.isEmpty }

    mutating func add(_ mode: Mode, _ name: String, _ id: GitObjectID) {
        content.append(contentsOf: "\(mode.rawValue) \(name)\0".utf8)
        content.append(contentsOf: id.bytes)
    }

    var id: GitObjectID { GitObjectID(of: "tree", content) }
}

/// A commit object: its id computed from its bytes, and what they say.
struct GitCommit {
    let id: GitObjectID
    let tree: GitObjectID
    /// Seconds since 1970 of the committer's line; `nil` where it has none that can be read.
    let time: Int?

    init(_ content: [UInt8]) throws(BuildFailure) {
        id = GitObjectID(of: "commit", content)
        let header = String(decoding: content, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .prefix { !$0.isEmpty }
        guard let first = header.first, first.hasPrefix("tree "),
            let tree = GitObjectID(hex: String(first.dropFirst("tree ".count)))
        else { throw BuildFailure(.source, "git showed a commit that names no tree") }
        self.tree = tree
        let committer = header.first { $0.hasPrefix("committer ") }
        time = committer?.split(separator: " ").dropLast().last.flatMap { Int($0) }
    }
}
