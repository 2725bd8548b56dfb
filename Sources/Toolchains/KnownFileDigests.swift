// SPDX-License-Identifier: Apache-2.0
package import Builds
internal import ByteCoding
internal import Foundation

/// Digests of files that nobody can change, taken when their file system was made: a list of them stands on that file
/// system, and is read instead of the files. Only as much to be believed as whatever else runs from there, which would
/// compute them.
public struct KnownFileDigests: Sendable {
    private static let sizeLimit = 16 << 20

    /// By paths as bytes: to a String, names that differ only in how their letters are composed are the same.
    private let digests: [[UInt8]: Digest256]
    private let device: UInt64

    /// Reads a list, as sha256sum(1) writes it: lines of 64 hexadecimal digits, two spaces, and the absolute path of a
    /// regular file without links in it; sorted by the bytes of the paths, none twice.
    ///
    /// Throws where it cannot be read, or is not in this form: none of its lines counts then.
    package init(listAt path: String) throws(BuildFailure) {
        device = try ToolDigestCache.Identity(path).device
        do throws(UnreadableFile) {
            guard let bytes = try ProjectFiles.read(path, limit: Self.sizeLimit) else {
                throw UnreadableFile(reason: "it is not there")
            }
            digests = try Self.read(bytes)
        } catch {
            throw BuildFailure(.internal, "the list of known digests '\(path)' cannot be used: \(error.reason)")
        }
    }

    private static func read(_ bytes: [UInt8]) throws(UnreadableFile) -> [[UInt8]: Digest256] {
        guard bytes.last == newline else { throw UnreadableFile(reason: "its last line has no end") }
        var digests: [[UInt8]: Digest256] = [:]
        var last: ArraySlice<UInt8> = []
        for line in bytes.dropLast().split(separator: newline, omittingEmptySubsequences: false) {
            let path = line.dropFirst(66)
            guard line.dropFirst(64).starts(with: Array("  /".utf8)), last.lexicographicallyPrecedes(path),
                let digest = try? Digest256(hex: String(decoding: line.prefix(64), as: UTF8.self))
            else {
                let expected = "64 digits, two spaces, and a path that sorts after the last"
                throw UnreadableFile(reason: "line \(digests.count + 1) is not \(expected)")
            }
            digests[Array(path)] = digest
            last = path
        }
        return digests
    }

    private static let newline = UInt8(ascii: "\n")

    /// - Parameter path: links are followed.
    /// - Parameter device: the file system that the file is on. What is on another than the list is not of the list,
    ///   whatever its name.
    func digest(of path: String, on device: UInt64) -> Digest256? {
        guard device == self.device, let real = ProjectFiles.realPath(path) else { return nil }
        return digests[Array(real.utf8)]
    }
}
