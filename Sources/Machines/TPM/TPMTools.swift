// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Processes
internal import Synchronization

/// Runs short programs in a folder, one after the other, all on the thread that calls.
package struct TPMTools: Sendable {
    /// Where they run, and where all their files are.
    let folder: String
    /// The socket's name in ``folder`` by which they reach a TPM.
    static let socket = "s"
    private let isCancelled: @Sendable () -> Bool

    /// Each takes well under a second; on a machine that is short of everything, some.
    private static let deadline = Duration.seconds(60)
    /// Bytes of a program's output that are kept.
    private static let outputLimit = 64 << 10

    package init(folder: String, isCancelled: @escaping @Sendable () -> Bool = { false }) {
        self.folder = folder
        self.isCancelled = isCancelled
    }

    /// What programs get: nothing of this process's, and a folder of their own for temporary files.
    var environment: [String: String] {
        [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "HOME": folder, "TMPDIR": folder, "TSS2_LOG": "all+none", "TPM2TOOLS_TCTI": "swtpm:path=\(Self.socket)",
        ]
    }

    /// Returns what the program wrote to standard output. Throws unless it ends with 0.
    @discardableResult
    func run(_ program: TPMProgram, _ arguments: [String]) throws(MachineError) -> String {
        guard !isCancelled() else { throw MachineError(.cancelled, "the TPM is not wanted any longer") }
        let child = try start([try program.found()] + arguments)
        var outputs: [Int32: [UInt8]] = [child.standardOutput: [], child.standardError: []]
        var open = Array(outputs.keys)
        let end = ContinuousClock.now + Self.deadline
        while !open.isEmpty {
            guard Self.collect(&open, into: &outputs, until: end) else {
                child.kill()
                _ = child.wait()
                throw MachineError(.start, "\(program.rawValue) did not end within \(Self.deadline)")
            }
        }
        let status = child.wait()
        guard status == 0 else {
            let words = Self.lastLines(outputs[child.standardError] ?? [], outputs[child.standardOutput] ?? [])
            throw MachineError(.start, "\(program.rawValue) ended with \(status)\(words)")
        }
        return String(decoding: outputs[child.standardOutput] ?? [], as: UTF8.self)
    }

    func start(_ arguments: [String]) throws(MachineError) -> ChildProcess {
        do {
            return try ChildProcess(arguments, environment: environment, workingDirectory: folder)
        } catch {
            throw MachineError(.start, error.message)
        }
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func read(_ name: String) throws(MachineError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path(name)) else {
            throw MachineError(.start, "\(path(name)), which a program should have written, cannot be read")
        }
        return Array(data)
    }

    /// Nobody else may read what is written.
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws(MachineError) {
        try PrivateFile.write(Array(bytes), to: path(name))
    }

    /// Waits for output, and takes it. `false` at the deadline.
    private static func collect(
        _ open: inout [Int32], into outputs: inout [Int32: [UInt8]], until end: ContinuousClock.Instant
    ) -> Bool {
        let left = end - .now
        guard left > .zero else { return false }
        var polls = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = poll(&polls, nfds_t(polls.count), Int32(left.components.seconds * 1000 + 1000))
        var buffer = [UInt8](repeating: 0, count: 4096)
        for entry in polls where entry.revents != 0 {
            let count = Foundation.read(entry.fd, &buffer, buffer.count)
            if count > 0, outputs[entry.fd, default: []].count < outputLimit {
                outputs[entry.fd, default: []] += buffer[..<count]
            }
            if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { open.removeAll { $0 == entry.fd } }
        }
        return true
    }

    private static func lastLines(_ errors: [UInt8], _ output: [UInt8]) -> String {
        let lines = String(decoding: errors.isEmpty ? output : errors, as: UTF8.self).split(separator: "\n").suffix(4)
        return lines.isEmpty ? "" : ": " + lines.joined(separator: "; ")
    }
}

/// Files that hold secrets, or lie where nobody else should look.
enum PrivateFile {
    /// Throws where there is such a file already.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(MachineError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw failure("made", path) }
        defer { close(file) }
        guard Foundation.write(file, bytes, bytes.count) == bytes.count else { throw failure("written", path) }
    }

    static func makeFolder(_ path: String) throws(MachineError) {
        guard mkdir(path, 0o700) == 0 else { throw failure("made", path) }
    }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    private static func failure(_ what: String, _ path: String) -> MachineError {
        MachineError(.start, "\(path) could not be \(what): \(String(cString: strerror(errno)))")
    }
}
