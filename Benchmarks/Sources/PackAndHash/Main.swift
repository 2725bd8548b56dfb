// SPDX-License-Identifier: Apache-2.0
import Archives
import Builds
import ByteCoding
import Foundation
import SourceTrees

/// What a service does with files, and nothing else:
///
///     pack-and-hash pack FOLDER RESULT.tar.gz             hashes and packs as `cupel build` does
///     pack-and-hash both FOLDER RESULT.tar.gz RESULT.zst  as `cupel serve` does, with the copy in zstd
///     pack-and-hash copy FOLDER RESULT.zst                hashes, and makes only that copy
///     pack-and-hash hash FILE                             the SHA-256 of a file, read piece by piece
///     pack-and-hash tree FOLDER                           the tree digest of a source
@main
enum PackAndHash {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch (arguments.first, arguments.count) {
        case ("pack", 3): try pack(arguments[1], to: arguments[2], copy: nil)
        case ("both", 4): try pack(arguments[1], to: arguments[2], copy: arguments[3])
        case ("copy", 3): try copy(arguments[1], to: arguments[2])
        case ("hash", 2): print(try hash(arguments[1]) { _ in })
        case ("tree", 2):
            let tree = try SourceTree(of: arguments[1], limits: BuildLimits())
            print(tree.digest, tree.fileCount, tree.size)
        default: throw Failure("usage: pack-and-hash pack|both|copy|hash|tree PATH…")
        }
    }

    private static func pack(_ folder: String, to path: String, copy: String?) throws {
        let writer = try TarGzipWriter(path: path, encodedCopy: copy)
        for name in try files(in: folder) {
            try writer.add(file: "\(folder)/\(name)", as: "p/artifacts/\(name)", executable: false)
        }
        try writer.close()
        guard writer.hasEncodedCopy == (copy != nil) else { throw Failure("the copy could not be written") }
    }

    private static func copy(_ folder: String, to path: String) throws {
        let copy = EncodedCopy(path: path)
        for name in try files(in: folder) {
            let size = try OpenFile(reading: "\(folder)/\(name)", otherwise: .artifact).size()
            copy.begin(TarHeader(name: "p/artifacts/\(name)", kind: .file(size: size, executable: false)))
            _ = try hash("\(folder)/\(name)") { copy.write($0) }
        }
        guard copy.close() else { throw Failure("the copy could not be written") }
    }

    private static func hash(_ path: String, _ use: (UnsafeRawBufferPointer) -> Void) throws -> Digest256 {
        let file = try OpenFile(reading: path, otherwise: .artifact)
        let buffer = FileBuffer()
        var stream = Digest256.Stream()
        while case let count = try file.read(into: buffer.bytes), count > 0 {
            stream.update(buffer.prefix(count))
            use(buffer.prefix(count))
        }
        return stream.digest
    }

    private static func files(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
