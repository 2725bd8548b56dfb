// SPDX-License-Identifier: Apache-2.0
public import Builds
public import ByteCoding
internal import Crypto
internal import Foundation

/// Hashes of file trees on disk as Nix computes them: over an archive (NAR) of names, contents, executable bits and
/// link targets, and of nothing else (Nix manual, "Nix Archive (NAR) format").
public enum NixArchive {
    /// Folders within each other; deeper trees are refused. Nix itself refuses more than 64 since version 2.30.
    public static let maximumDepth = 256

    /// The SHA-256 of the archive of what is at `path`, links not followed. Blocks, and holds no file in memory.
    ///
    /// Throws `InputVerificationError` where something cannot be read, is neither file, folder nor link, or changes
    /// while it is read.
    public static func digest(of path: String) throws(BuildFailure) -> Digest256 {
        var sink = ArchiveSink(Digest256.Stream()) { $0.update($1) }
        try TreeArchiver.write(path, to: &sink)
        return sink.finished().digest
    }

    /// The hash of what is at `path`, in the mode and by the algorithm of `promise`. Fails as ``digest(of:)`` does, and
    /// where a flat hash is asked of what is no file.
    public static func output(at path: String, like promise: NixFixedOutput) throws(BuildFailure) -> NixFixedOutput {
        let bytes =
            switch promise.hash.algorithm {
            case .md5: try hash(of: path, promise.mode, Insecure.MD5())
            case .sha1: try hash(of: path, promise.mode, Insecure.SHA1())
            case .sha256: try hash(of: path, promise.mode, SHA256())
            case .sha512: try hash(of: path, promise.mode, SHA512())
            }
        do {
            return NixFixedOutput(mode: promise.mode, hash: try NixHash(promise.hash.algorithm, bytes: bytes))
        } catch {
            throw BuildFailure(.internal, "\(error)")
        }
    }

    private static func hash<Function: HashFunction>(
        of path: String, _ mode: NixFixedOutput.Mode, _ function: Function
    ) throws(BuildFailure) -> [UInt8] {
        var sink = ArchiveSink(function) { $0.update(bufferPointer: $1) }
        switch mode {
        case .flat: try TreeArchiver.writeContents(of: path, to: &sink)
        case .archive: try TreeArchiver.write(path, to: &sink)
        }
        return Array(sink.finished().finalize())
    }
}

/// Gathers an archive's small pieces before they are hashed.
struct ArchiveSink<Hash> {
    private static var capacity: Int { 1 << 16 }

    private var hash: Hash
    private let update: (inout Hash, UnsafeRawBufferPointer) -> Void
    private var waiting: [UInt8] = []

    init(_ hash: Hash, update: @escaping (inout Hash, UnsafeRawBufferPointer) -> Void) {
        self.hash = hash
        self.update = update
        waiting.reserveCapacity(Self.capacity)
    }

    /// A string of the archive: its length as 8 bytes, little-endian, its bytes, and zeros up to a multiple of 8.
    mutating func string(_ bytes: some Collection<UInt8>) {
        number(UInt64(bytes.count))
        waiting.append(contentsOf: bytes)
        pad(UInt64(bytes.count))
    }

    mutating func string(_ text: String) { string(Array(text.utf8)) }

    mutating func number(_ value: UInt64) {
        if waiting.count >= Self.capacity { flush() }
        for shift in 0..<8 { waiting.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
    }

    mutating func pad(_ count: UInt64) {
        waiting.append(contentsOf: repeatElement(0, count: Int((8 - count % 8) % 8)))
    }

    /// Bytes as they are, of a file's contents.
    mutating func contents(_ bytes: UnsafeRawBufferPointer) {
        flush()
        update(&hash, bytes)
    }

    mutating func finished() -> Hash {
        flush()
        return hash
    }

    private mutating func flush() {
        waiting.withUnsafeBytes { update(&hash, $0) }
        waiting.removeAll(keepingCapacity: true)
    }
}
