// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Measurements

/// Digests of the root's files, in the root: the guest names its tools by them and need not read these, which are most of
/// the image, before its build can begin. The list is measured with the root, and dm-verity holds the files to what they
/// were when it was made.
struct RootDigests {
    /// The root, with all that will be in it.
    let root: String

    /// Writes the list as sha256sum(1) would, sorted by the bytes of the paths.
    func write() throws(ImageError) {
        var lines: [String] = []
        for path in try files().sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            guard !path.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") }) else {
                throw ImageError(.content, "no list can hold the name of the root's file \(path.debugDescription)")
            }
            lines.append("\(try ImageFile.read("\(root)/\(path)").sha256.hex)  /\(path)\n")
        }
        try ImageFile.write(Array(lines.joined().utf8), to: "\(root)/\(ImageFormat.Path.digests)")
    }

    /// Regular files that are large enough to be listed; links are not followed.
    private func files() throws(ImageError) -> [String] {
        guard let entries = FileManager.default.enumerator(atPath: root) else {
            throw ImageError(.file, "could not read the folder \(root)")
        }
        var found: [String] = []
        while let path = entries.nextObject() as? String {
            var status = stat()
            guard lstat("\(root)/\(path)", &status) == 0 else {
                throw ImageFile.failure("could not read \(root)/\(path)", errno)
            }
            if status.st_mode & S_IFMT == S_IFREG, status.st_size >= ImageFormat.listedSize { found.append(path) }
        }
        return found
    }
}
