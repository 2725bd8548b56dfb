// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Reads a file of evidence whole, or the two files in which Linux hands evidence out.
enum EvidenceReader {
    /// Bytes; a larger file is not read. Event logs are the largest kind of evidence.
    static let limit = 64 << 20

    /// A file, `-` for standard input, or a folder as configfs-tsm has it: its `outblob`, and its `auxblob` after it.
    static func read(_ path: String) throws -> [UInt8] {
        guard isReport(folder: path) else { return try InputFile.read(path, limit: limit) }
        let auxiliary = "\(path)/auxblob"
        let report = try InputFile.read("\(path)/outblob", limit: limit)
        return access(auxiliary, F_OK) == 0 ? report + (try InputFile.read(auxiliary, limit: limit)) : report
    }

    /// Whether this is a folder with an `outblob` (Linux, Documentation/ABI/testing/configfs-tsm-report).
    static func isReport(folder path: String) -> Bool { access("\(path)/outblob", F_OK) == 0 }
}
