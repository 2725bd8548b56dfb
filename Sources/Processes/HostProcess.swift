// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Programs of the host that are trusted and short: asked for their version.
package enum HostProcess {
    /// Runs a program on the calling thread; returns its exit status. `inherited` are descriptors that it gets as numbers
    /// 3, 4 and so on.
    package static func run(
        _ arguments: [String], inherited: [Int32] = [], output: (UnsafeRawBufferPointer) -> Void
    ) throws(ProcessError) -> Int32 {
        let child = try ChildProcess(arguments, environment: ["LC_ALL": "C.UTF-8"], inherited: inherited)
        var buffer = [UInt8](repeating: 0, count: 4096)
        var open = [child.standardOutput, child.standardError]
        while !open.isEmpty {
            var polls = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = poll(&polls, nfds_t(polls.count), -1)
            for entry in polls where entry.revents != 0 {
                let count = read(entry.fd, &buffer, buffer.count)
                if count > 0 { buffer.withUnsafeBytes { output(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
                if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { open.removeAll { $0 == entry.fd } }
            }
        }
        return child.wait()
    }
}
