// SPDX-License-Identifier: Apache-2.0
internal import Archives
internal import Builds

/// What git writes, in bounded memory: its output, and the end of its messages.
struct GitAnswer {
    private(set) var output: [UInt8] = []
    private var lines = LogLines()
    private var messages: [String] = []
    private let limit: Int

    private static let keptMessages = 20

    /// - Parameter limit: bytes of output, beyond which the answer is refused.
    init(limit: Int) { self.limit = limit }

    mutating func take(_ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) throws(BuildFailure) {
        switch stream {
        case .standardOutput:
            guard output.count + bytes.count <= limit else {
                throw BuildFailure(.source, "git's answer is longer than \(limit) bytes")
            }
            output.append(contentsOf: bytes)
        case .standardError:
            messages.append(contentsOf: lines.lines(from: bytes).filter { !$0.isEmpty })
            messages = messages.suffix(Self.keptMessages)
        }
    }

    /// The sentence that explains a failure best: git's `fatal:` line, or the last one.
    func reason(_ outcome: CommandOutcome) -> String {
        var lines = lines
        let all = messages + (lines.finish().map { [$0] } ?? [])
        let marked = all.last { $0.hasPrefix("fatal: ") || $0.hasPrefix("error: ") }
        guard let line = marked ?? all.last else { return "exit status \(outcome.status)" }
        let text = line.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? line
        let reason = printable(marked == nil ? line : text)
        guard reason.contains("redirect") else { return reason }
        return reason + "; give the address to which the server redirects"
    }
}

/// Picks the submodules out of `git ls-tree -r -z`, which may list many files.
struct GitTreeRecords {
    private var record: [UInt8] = []
    private var kept: [[UInt8]] = []
    private var isTooMany = false

    private static let recordLimit = 16 * 1024
    private static let countLimit = 1000

    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if byte == 0 {
                if record.starts(with: "160000 ".utf8) { keep() }
                record.removeAll(keepingCapacity: true)
            } else if record.count < Self.recordLimit {
                record.append(byte)
            }
        }
    }

    func submodules() throws(BuildFailure) -> [String: GitObjectID] {
        guard !isTooMany else {
            throw BuildFailure(.resourceLimit, "the source has more than \(Self.countLimit) submodules")
        }
        var submodules: [String: GitObjectID] = [:]
        for record in kept {
            let parts = record.split(separator: 0x09, maxSplits: 1)
            let fields = String(decoding: parts.first ?? [], as: UTF8.self).split(separator: " ")
            guard parts.count == 2, fields.count == 3, let id = GitObjectID(hex: String(fields[2])),
                let path = String(validating: parts[1], as: UTF8.self)
            else { throw BuildFailure(.source, "git listed a submodule that cannot be read") }
            submodules[path] = id
        }
        return submodules
    }

    private mutating func keep() {
        if kept.count < Self.countLimit { kept.append(record) } else { isTooMany = true }
    }
}
