// SPDX-License-Identifier: Apache-2.0
import Foundation
import Processes

/// Programs of the image, by absolute path, which set the machine up.
enum SystemProgram: String {
    case cryptsetup = "/usr/sbin/cryptsetup"
    case makeFileSystem = "/usr/sbin/mkfs.ext4"
    case network = "/usr/bin/ip"

    /// Where a program finds its first secret or script: not in an argument or a file.
    static let firstPipe = "/proc/self/fd/3"

    /// Runs the program, and returns when it has ended well. `input` goes through a pipe, as ``firstPipe``.
    func run(_ arguments: [String], input: [UInt8] = []) throws(GuestError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw GuestError("no pipe could be made: \(String(cString: strerror(errno)))") }
        defer { close(ends[0]) }
        // A pipe takes 64 KiB before anybody reads it (pipe(7)).
        let written = write(ends[1], input, input.count)
        close(ends[1])
        guard written == input.count else { throw GuestError("a pipe did not take \(input.count) bytes") }
        let tail = OutputTail()
        let status: Int32
        do {
            status = try HostProcess.run([rawValue] + arguments, inherited: [ends[0]]) { tail.add($0) }
        } catch {
            throw GuestError(error.message)
        }
        guard status == 0 else {
            let complaint = tail.text.split(separator: "\n").joined(separator: "; ")
            throw GuestError("\(rawValue) ended with \(status): \(complaint.isEmpty ? "no message" : complaint)")
        }
    }
}
