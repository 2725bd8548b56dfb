// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A folder of our own, removed with all that is in it when the value goes away.
final class TemporaryFolder: Sendable {
    /// Absolute.
    let path: String

    /// Makes a folder, for its owner only, in `parent`.
    init(in parent: String) throws {
        var template = Array("\(parent)/.cupel-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure("could not make a folder in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
