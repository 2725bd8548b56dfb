// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A folder for workspaces that every build user may reach, for as long as the value lives.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/var/tmp"
        var template = Array("\(parent)/cupel-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure(
                "could not make a folder in \(parent): \(String(cString: strerror(errno)))",
                hint: "name a folder that is there with TMPDIR")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, 0o711)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
