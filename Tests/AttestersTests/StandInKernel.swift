// SPDX-License-Identifier: Apache-2.0
import Attesters
import Dispatch
import Foundation
import Synchronization

/// Plays the kernel's part of configfs-tsm in a folder of files: a folder that is made there is filled, a thread of its
/// own takes what is written to `inblob` and answers at `outblob`, both of them pipes, and counts in `generation`.
final class StandInKernel: Sendable {
    /// What a request is answered with.
    struct Answer: Sendable {
        var provider = "sev_guest\n"
        /// Made of what was written to `inblob`.
        var outblob: @Sendable ([UInt8]) -> [UInt8] = { MadeReports.snp(over: $0) }
        var auxblob: [UInt8]? = []
        var floor: String?
        /// Writes of somebody else to the same request: one number for each request, the last for all that follow.
        var foreignWrites = [0]
        /// The error number that making a folder ends with.
        var refusal: Int32 = 0
    }

    let root: TemporaryFolder
    private let answer: Answer
    private let made = Mutex(0)
    private let asked = Mutex<[[UInt8]]>([])
    private let ends = Mutex<[String: DispatchSemaphore]>([:])

    init(_ change: (inout Answer) -> Void = { _ in }) throws {
        // A request that is given up leaves nobody at the other end.
        signal(SIGPIPE, SIG_IGN)
        root = try TemporaryFolder()
        var answer = Answer()
        change(&answer)
        self.answer = answer
    }

    var folder: TSMFolder {
        TSMFolder(path: root.path, make: { self.make($0) }, remove: { self.remove($0) })
    }

    /// How many requests were made.
    var requests: Int { made.withLock { $0 } }
    /// What was written to `inblob`, request after request.
    var inblobs: [[UInt8]] { asked.withLock { $0 } }

    private func make(_ entry: String) -> Int32 {
        guard answer.refusal == 0 else { return answer.refusal }
        guard mkdir(entry, 0o700) == 0 else { return errno }
        let number = made.withLock { made in
            made += 1
            return made - 1
        }
        put(answer.provider, "\(entry)/provider")
        put("7\n", "\(entry)/generation")
        if let auxblob = answer.auxblob { put(auxblob, "\(entry)/auxblob") }
        if let floor = answer.floor {
            put(floor, "\(entry)/privlevel_floor")
            put("", "\(entry)/privlevel")
        }
        for pipe in ["inblob", "outblob"] { mkfifo("\(entry)/\(pipe)", 0o600) }
        let end = DispatchSemaphore(value: 0)
        ends.withLock { $0[entry] = end }
        Thread {
            self.serve(entry, number)
            end.signal()
        }.start()
        return 0
    }

    private func serve(_ entry: String, _ number: Int) {
        let inblob = Self.read("\(entry)/inblob")
        guard !inblob.isEmpty else { return }
        asked.withLock { $0.append(inblob) }
        // A write to privlevel counts as well.
        let own = Self.read("\(entry)/privlevel").isEmpty ? 1 : 2
        let foreign = answer.foreignWrites[min(number, answer.foreignWrites.count - 1)]
        put("\(7 + own + foreign)\n", "\(entry)/generation")
        put(answer.outblob(inblob), "\(entry)/outblob")
    }

    /// As `rmdir` of a folder of the kernel's: what is in it goes with it. The thread ends first: where it waits for
    /// somebody at a pipe, somebody comes and goes.
    private func remove(_ entry: String) -> Int32 {
        let end = ends.withLock { $0.removeValue(forKey: entry) }
        while let end, end.wait(timeout: .now() + .milliseconds(1)) == .timedOut {
            for (pipe, mode) in [("inblob", O_WRONLY), ("outblob", O_RDONLY)] {
                let file = open("\(entry)/\(pipe)", mode | O_NONBLOCK | O_CLOEXEC)
                if file >= 0 { close(file) }
            }
        }
        return (try? FileManager.default.removeItem(atPath: entry)) == nil ? ENOENT : 0
    }

    private func put(_ text: String, _ path: String) { put(Array(text.utf8), path) }

    private func put(_ bytes: [UInt8], _ path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        _ = write(file, bytes, bytes.count)
        close(file)
    }

    private static func read(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = Foundation.read(file, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return bytes
    }
}
