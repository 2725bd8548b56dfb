// SPDX-License-Identifier: Apache-2.0
import Appraisal
import Attesters
import ByteCoding
import CProcess
import Evidence
import Foundation
import Machines
import Processes
import Testing

/// A folder with a CA and TPMs of machines, for as long as the value lives.
final class TPMScene: Sendable {
    static let isInstalled = MachineTPM.missingPrograms.isEmpty && access("/usr/bin/tpm2_checkquote", X_OK) == 0

    let folder: String
    let authority: TPMAuthority

    init() throws {
        folder = "/tmp/tpm-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        request = try AttestationRequest(provenanceDigest: Digest256(of: Array("provenance".utf8)), nonce: [1, 2, 3])
        authority = try TPMAuthority(folder: folder + "/tpm-ca")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func machine(_ name: String = "machine") async throws -> MachineTPM {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: false)
        return try await MachineTPM.make(in: "\(folder)/\(name)", authority: authority)
    }

    /// What a guest with this TPM would send.
    func evidence(_ tpm: MachineTPM) throws -> TPMEvidence {
        let running = try RunningTPM(tpm)
        let envelope = try withExtendedLifetime(running) {
            try TPMAttester(place: TPMPlace(tcti: running.tcti), eventLogPath: "/nonexistent").attest(request)
        }
        return try TPMEvidence(envelope.evidence)
    }

    let request: AttestationRequest

    /// The codes of why evidence is refused by who trusts `authority`.
    func reasons(_ evidence: TPMEvidence, _ authority: TPMAuthority? = nil, after days: Int64 = 0) throws -> [String] {
        var policy = AppraisalPolicy()
        policy.acceptAnyMeasurementUnsafely = true
        let path = (authority ?? self.authority).certificatePath
        policy.tpm.trustedCertificates = [Array(try Data(contentsOf: URL(fileURLWithPath: path)))]
        let now = Int64(Date().timeIntervalSince1970) + days * 86_400
        switch appraise(evidence.envelope, policy: policy, now: now).verdict {
        case .accepted: return []
        case .rejected(let first, let more): return ([first] + more).map(\.code.rawValue)
        case .cannotCheck(let obstacle): return ["?" + obstacle.code.rawValue]
        }
    }

    /// Runs a program in the folder; returns its status and standard output.
    func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.environment = environment.merging(["PATH": "/usr/bin:/bin", "TSS2_LOG": "all+none"]) { first, _ in first
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        try Data(Array(bytes)).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(path)")) ?? []).sorted()
    }
}

/// A machine's TPM in use, reached as its guest would but without a machine.
final class RunningTPM {
    private let process: pid_t
    let tcti: String

    init(_ tpm: MachineTPM) throws {
        let socket = "\(tpm.folder)/t"
        let status = try HostProcess.run(
            [
                "/usr/bin/swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(tpm.folder)/state", "--server",
                "type=unixio,path=\(socket)", "--ctrl", "type=unixio,path=\(socket).ctrl", "--flags",
                "not-need-init,startup-clear", "--daemon", "--pid", "file=\(socket).pid",
            ]
        ) { _ in }
        try #require(status == 0)
        let number = try String(contentsOfFile: socket + ".pid", encoding: .utf8)
        process = try #require(pid_t(number.trimmingCharacters(in: .whitespacesAndNewlines)))
        tcti = "swtpm:path=\(socket)"
    }

    /// Waits for its end: then somebody else may have the state.
    deinit {
        let ended = cprocess_watch(process)
        kill(process, SIGKILL)
        var wait = pollfd(fd: ended, events: Int16(POLLIN), revents: 0)
        _ = poll(&wait, 1, 10_000)
        close(ended)
    }
}
