// SPDX-License-Identifier: Apache-2.0
internal import ByteCoding

/// The SHA-256 tree digest: one digest over every file, mode and symbolic link of a folder.
///
/// It is the SHA-256 of the text `cupel tree 1`, a zero byte, and then one record for each entry, sorted by the bytes
/// of the paths:
///
///     kind SP digest SP path NUL
///
/// `kind` is `file`, `executable` (a file that its owner may execute), `link`, or `folder` (recorded only where
/// nothing is in it, its path ending in `/`; the whole folder, where it is empty, as `/`). `digest` is the SHA-256, in
/// lower-case hexadecimal, of the file's content, of the link's target, or of nothing. `path` is relative, UTF-8, with
/// `/` between its parts. Times, owners and all other mode bits do not count. Left out is an entry called `.git` at the
/// top, and only there.
///
/// With paths that hold no newline, `find`, `sort -z` in the C locale and `sha256sum` can compute it again.
public struct TreeDigest: Sendable {
    /// The name of this digest in a DigestSet.
    public static let algorithm = "cupelTree"

    enum Kind: String { case file, executable, link, folder }

    static let nothing = Digest256(of: [])

    private var stream: Digest256.Stream

    init() {
        stream = Digest256.Stream()
        stream.update(Array("cupel tree 1\0".utf8))
    }

    /// Takes the next entry in the order of the paths' bytes.
    mutating func add(_ kind: Kind, path: String, content: Digest256) {
        stream.update(Array("\(kind.rawValue) \(content.hex) \(path)\0".utf8))
    }

    /// The digest of all entries so far.
    var digest: Digest256 { stream.digest }
}
