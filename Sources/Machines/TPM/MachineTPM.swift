// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Synchronization

/// A TPM in software for one machine, made before the machine boots and removed with it.
///
/// It has the SHA-256 bank alone, endorsement keys with certificates of the operator's ``TPMAuthority``, and an
/// attestation key at ``attestationKey`` whose certificate is in the NV index ``attestationCertificate``, where
/// attesters look for it. Its state is in a folder of its own within the machine's; no port is opened.
public struct MachineTPM: Hashable, Sendable {
    /// The persistent handle and the NV index where Azure's machines have theirs, too.
    public static let attestationKey: UInt32 = 0x8100_0003
    public static let attestationCertificate: UInt32 = 0x01C1_01D0

    /// Absolute: holds the state and the socket, and nothing else.
    public let folder: String
    /// The control socket, for QEMU's `-chardev socket,id=…,path=…` and `-tpmdev emulator,chardev=…`: control and data
    /// go through it, and swtpm makes it when it starts. Names of sockets have at most 107 bytes (unix(7)).
    public var socket: String { "\(folder)/socket" }
    private var state: String { "\(folder)/state" }

    /// The names of programs that making one needs and this machine lacks, with the packages that have them.
    public static var missingPrograms: [(program: String, package: String)] {
        TPMProgram.allCases.filter { $0.path == nil }.map { ($0.rawValue, $0.package) }
    }

    /// swtpm's command line, an absolute path first. It ends by itself when QEMU ends, may be run by whoever owns
    /// ``folder``, and kills itself rather than make a system call that a TPM has no use for.
    public var arguments: [String] {
        get throws(MachineError) {
            [
                try TPMProgram.swtpm.found(), "socket", "--tpm2", "--tpmstate", "dir=\(state),mode=0600", "--ctrl",
                "type=unixio,path=\(socket),mode=0600", "--seccomp", "action=kill", "--terminate",
            ]
        }
    }

    /// Makes one in `<folder>/tpm`, which must not be there yet. Takes about a second.
    public static func make(in folder: String, authority: TPMAuthority) async throws(MachineError) -> MachineTPM {
        let tpm = MachineTPM(folder: "\(folder)/tpm")
        try tpm.checkPaths()
        let isCancelled = Mutex(false)
        let result: Result<Void, MachineError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // One thread for all: programs are told of the end of the thread that started them.
                let thread = Thread {
                    continuation.resume(
                        returning: Result { () throws(MachineError) in
                            try tpm.make(authority) { isCancelled.withLock { $0 } }
                        })
                }
                thread.name = "tpm"
                thread.start()
            }
        } onCancel: {
            isCancelled.withLock { $0 = true }
        }
        do {
            try result.get()
        } catch {
            tpm.remove()
            throw error
        }
        return tpm
    }

    /// Removes all of it, its keys too. swtpm must have ended.
    public func remove() { PrivateFile.remove(folder) }

    private func make(_ authority: TPMAuthority, _ isCancelled: @escaping @Sendable () -> Bool) throws(MachineError) {
        try PrivateFile.makeFolder(folder)
        try PrivateFile.makeFolder(state)
        let work = "\(folder)/work"
        try PrivateFile.makeFolder(work)
        defer { PrivateFile.remove(work) }
        let tools = TPMTools(folder: work, isCancelled: isCancelled)
        try TPMSetup(tools: tools, state: state, authority: authority).run()
        try SetUpTPM.with(tools, state: state) { () throws(MachineError) in
            try TPMEnrolment(tools: tools, authority: authority).run()
        }
    }

    /// A comma would end a path in swtpm's and QEMU's options.
    private func checkPaths() throws(MachineError) {
        guard folder.hasPrefix("/"), !folder.contains(","), !folder.contains("\n") else {
            throw MachineError(.unusable, "the TPM's folder must be an absolute path without a comma, not '\(folder)'")
        }
    }
}
