// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A program of this machine that the command line asks something. Builds never run this way.
enum HostTool {
    struct Answer {
        let status: Int32
        let output: [UInt8]
        let errors: String

        /// The first line of the output.
        var line: String {
            String(decoding: output, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
        }
    }

    /// The program called `name` in PATH; `nil` where there is none.
    static func find(_ name: String) -> String? {
        let folders = ProcessInfo.processInfo.environment["PATH", default: "/usr/local/bin:/usr/bin:/bin"]
        return folders.split(separator: ":").map { "\($0)/\(name)" }
            .first { $0.hasPrefix("/") && FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs the program at `path` in the C locale, without input; returns when it has ended.
    static func run(_ path: String, _ arguments: [String]) async throws -> Answer {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw CommandFailure("could not run \(path): \(error.localizedDescription)")
        }
        let complaints = Task.detached { (try? errors.fileHandleForReading.readToEnd()) ?? Data() }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        let complaint = String(decoding: await complaints.value, as: UTF8.self)
        process.waitUntilExit()
        return Answer(status: process.terminationStatus, output: Array(data), errors: complaint)
    }

    /// Ours, without what would make git look at another repository than the one it is asked about.
    private static var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
        environment["LC_ALL"] = "C"
        environment["GIT_OPTIONAL_LOCKS"] = "0"
        environment["GIT_TERMINAL_PROMPT"] = "0"
        return environment
    }
}
