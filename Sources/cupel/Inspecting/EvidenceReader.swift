// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Reads a file of evidence whole, or the two files in which Linux hands evidence out.
enum EvidenceReader {
    /// Bytes; a larger file is not read. Event logs are the largest kind of evidence.
    static let limit = 64 << 20

    /// A file, `-` for standard input, or a folder as configfs-tsm has it: its `outblob`, and its `auxblob` after it.
    static func read(_ path: String) throws -> [UInt8] {
        guard isReport(folder: path) else { return try readFile(path) }
        let auxiliary = "\(path)/auxblob"
        return try readFile("\(path)/outblob") + (access(auxiliary, F_OK) == 0 ? readFile(auxiliary) : [])
    }

    /// Whether this is a folder with an `outblob` (Linux, Documentation/ABI/testing/configfs-tsm-report).
    static func isReport(folder path: String) -> Bool { access("\(path)/outblob", F_OK) == 0 }

    private static func readFile(_ path: String) throws -> [UInt8] {
        guard let file = path == "-" ? .standardInput : FileHandle(forReadingAtPath: path) else {
            throw CommandFailure("\(Console.plain(path)) could not be opened: \(String(cString: strerror(errno)))")
        }
        var bytes: [UInt8] = []
        do {
            while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
                bytes.append(contentsOf: piece)
                guard bytes.count <= limit else {
                    throw CommandFailure("\(Console.plain(path)) has more than \(limit) bytes")
                }
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(Console.plain(path)) could not be read")
        }
        return bytes
    }
}
