// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The machine's serial console, which the host reads.
enum MachineConsole {
    /// Shows one line, with the time since the kernel began.
    static func say(_ text: String) {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: "; ")
        FileHandle.standardOutput.write(Data("cupel-guest: \(line) (\(uptime) s)\n".utf8))
    }

    /// As the kernel tells it: seconds and hundredths (proc(5), uptime).
    private static var uptime: String {
        let text = FileManager.default.contents(atPath: "/proc/uptime") ?? Data()
        return String(decoding: text.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    }
}
