// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A small file that the user named, read whole.
enum InputFile {
    /// Bytes; a larger one is not read.
    static let limit = 4 << 20

    /// Read to its end, be it a file or a pipe. Links are followed: the user named them. `-` is standard input.
    static func read(_ path: String, limit: Int = limit) throws -> [UInt8] {
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
            return bytes
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(Console.plain(path)) could not be read")
        }
    }

    /// Written beside its place and renamed into it, so that no reader sees half of it.
    static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure("\(Console.plain(path)) could not be written")
        }
    }
}
