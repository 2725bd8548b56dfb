// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Processes

/// A TPM that runs for as long as its keys are being made, before there is a machine that it belongs to.
package enum SetUpTPM {
    /// Until swtpm answers.
    private static let deadline = Duration.seconds(30)

    /// Starts it over `state`, with sockets in the tools' folder, and ends it when `use` is done. What `use` had it store
    /// is in `state` then: swtpm writes before it answers.
    package static func with(_ tools: TPMTools, state: String, _ use: () throws(MachineError) -> Void)
        throws(MachineError)
    {
        let child = try tools.start(try arguments(state: state))
        defer {
            child.kill()
            _ = child.wait()
        }
        try waitForSockets(tools, child)
        try use()
    }

    /// It ends when this process does, whatever happens.
    static func arguments(state: String) throws(MachineError) -> [String] {
        let name = TPMTools.socket
        return [
            try TPMProgram.setpriv.found(), "--pdeathsig", "KILL", "--", try TPMProgram.swtpm.found(), "socket",
            "--tpm2",
            "--tpmstate", "dir=\(state),mode=0600", "--server", "type=unixio,path=\(name),mode=0600", "--ctrl",
            "type=unixio,path=\(name).ctrl,mode=0600", "--flags", "not-need-init,startup-clear", "--seccomp",
            "action=kill",
        ]
    }

    private static func waitForSockets(_ tools: TPMTools, _ child: borrowing ChildProcess) throws(MachineError) {
        let end = ContinuousClock.now + deadline
        let folder = open(tools.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if folder >= 0 { close(folder) } }
        // By the open folder, as names of sockets are short and paths are not.
        let names = [TPMTools.socket, TPMTools.socket + ".ctrl"].map { "/proc/self/fd/\(folder)/\($0)" }
        while !names.allSatisfy(answers) {
            var poll = pollfd(fd: child.ended, events: Int16(POLLIN), revents: 0)
            guard Foundation.poll(&poll, 1, 2) == 0, ContinuousClock.now < end else {
                var words = [UInt8](repeating: 0, count: 1024)
                let count = max(0, read(child.standardError, &words, words.count))
                throw MachineError(
                    .start, "swtpm did not start: \(String(decoding: words.prefix(count), as: UTF8.self))")
            }
        }
    }

    private static func answers(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafeBytes(of: address) { bytes in
            guard let start = bytes.baseAddress else { return false }
            return connect(
                descriptor, start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
        }
    }
}
