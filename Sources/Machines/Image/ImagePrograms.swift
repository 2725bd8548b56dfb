// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Processes

/// Runs the programs that make an image, one after another, on one thread. Each gets the same environment whoever runs
/// it, and is killed with all that it started when the task is cancelled.
struct ImagePrograms {
    struct Answer {
        let status: Int32
        let output: [UInt8]
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// For temporary files.
    let folder: String
    let cancellation: Cancellation

    private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    /// How a machine's way out is named; apt needs it where there is a proxy.
    private static let passed = ["http_proxy", "https_proxy", "no_proxy"]

    /// The path of a program of this machine. Throws, with the package that has it, where there is none.
    static func find(_ name: String, package: String) throws(ImageError) -> String {
        let paths = folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw ImageError(
                .host, "'\(name)' is needed to make an image and was not found", hint: "apt-get install \(package)")
        }
        return path
    }

    /// Runs a program whose success is expected, and returns its output.
    @discardableResult
    func run(_ arguments: [String], in directory: String? = nil, named name: String? = nil) throws(ImageError)
        -> [UInt8]
    {
        let answer = try answer(arguments, in: directory)
        guard answer.status == 0 else {
            let name = name ?? arguments.first.flatMap { PathParts.last($0) } ?? "the program"
            throw ImageError(.program, "\(name) ended with \(answer.status)\(Self.complaint(answer.errors))")
        }
        return answer.output
    }

    /// The last lines of a program's errors, for a sentence.
    static func complaint(_ errors: String) -> String {
        let lines = errors.split { $0.isNewline }.suffix(4)
        return lines.isEmpty ? "" : ": " + lines.joined(separator: "; ")
    }

    /// Runs a program to its end, whatever that is. The first argument is a path.
    func answer(_ arguments: [String], in directory: String? = nil) throws(ImageError) -> Answer {
        try checkCancellation()
        let child: ChildProcess
        do {
            child = try ChildProcess(arguments, environment: environment, workingDirectory: directory)
        } catch {
            throw ImageError(.program, error.message)
        }
        let errors = OutputTail()
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var open = [child.standardOutput, child.standardError]
        while !open.isEmpty {
            var polls = (open + [cancellation.descriptor]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = poll(&polls, nfds_t(polls.count), -1)
            if polls.last?.revents != 0 {
                child.kill()
                _ = child.wait()
                child.waitForGroup()
                throw Self.cancelled
            }
            for entry in polls.dropLast() where entry.revents != 0 {
                let count = read(entry.fd, &buffer, buffer.count)
                if count > 0, entry.fd == child.standardOutput { output += buffer[..<count] }
                if count > 0, entry.fd == child.standardError {
                    buffer.withUnsafeBytes { errors.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                }
                if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { open.removeAll { $0 == entry.fd } }
            }
        }
        return Answer(status: child.wait(), output: output, errors: errors.text)
    }

    /// Throws where the task was cancelled.
    func checkCancellation() throws(ImageError) {
        var entry = pollfd(fd: cancellation.descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, 0) > 0 { throw Self.cancelled }
    }

    private static let cancelled = ImageError(.cancelled, "the making of the image was interrupted")

    private var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { Self.passed.contains($0.key.lowercased()) }
        environment["PATH"] = Self.folders.joined(separator: ":")
        environment["LC_ALL"] = "C.UTF-8"
        environment["TZ"] = "UTC"
        environment["TMPDIR"] = folder
        environment["HOME"] = folder
        environment["DEBIAN_FRONTEND"] = "noninteractive"
        environment["SOURCE_DATE_EPOCH"] = String(ImageFormat.time)
        return environment
    }
}
