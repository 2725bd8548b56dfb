// SPDX-License-Identifier: Apache-2.0
import Attesters
import CProcess
import Foundation
import Testing

/// A TPM in software, swtpm, for as long as the value lives. It is a real TPM but for who made it.
final class SoftwareTPM: Sendable {
    static let tools = ["swtpm", "tpm2_checkquote", "tpm2_nvdefine", "tpm2_createprimary"]
    /// Whether this machine has swtpm and the tools that check it.
    static let isInstalled = tools.allSatisfy { path(of: $0) != nil }

    /// Bytes that an NV index of it can have.
    static let maximumIndex = 2048

    let folder: TemporaryFolder
    private let process: pid_t

    init() throws {
        folder = try TemporaryFolder()
        let (state, socket) = (folder.path + "/state", folder.path + "/s")
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
        // The command ends when its daemon answers.
        let status = try Self.run(
            "swtpm",
            [
                "socket", "--tpm2", "--tpmstate", "dir=\(state)", "--server", "type=unixio,path=\(socket)",
                "--ctrl", "type=unixio,path=\(socket).ctrl", "--flags", "not-need-init,startup-clear",
                "--daemon", "--pid", "file=\(socket).pid",
            ], in: folder.path, environment: [:]
        ).status
        try #require(status == 0, "swtpm ended with \(status)")
        let number = try String(contentsOfFile: socket + ".pid", encoding: .utf8)
        process = try #require(pid_t(number.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// Without time to store its state in a folder that goes.
    deinit { kill(process, SIGKILL) }

    var place: TPMPlace { TPMPlace(tcti: tcti) }
    var tcti: String { "swtpm:path=\(folder.path)/s" }

    /// Not by `Process`, which waits for a daemon as well as for the command that makes it, and lets both have the open
    /// connections of other tests: a TPM that is told of a connection's end by nobody answers nobody else.
    private static func run(
        _ tool: String, _ arguments: [String], in folder: String, environment: [String: String]
    ) throws -> (status: Int32, output: String) {
        let variables = environment.merging(["PATH": "/usr/bin:/bin", "TSS2_LOG": "all+none"]) { first, _ in first }
        var words = ([try #require(Self.path(of: tool))] + arguments).map { strdup($0) }
        var settings = variables.map { strdup("\($0.key)=\($0.value)") }
        defer { for pointer in words + settings { free(pointer) } }
        words.append(nil)
        settings.append(nil)
        let path = folder + "/output-\(UUID())"
        let output = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let errors = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer {
            close(output)
            close(errors)
        }
        var process = pid_t()
        try #require(cprocess_spawn(&process, words, settings, folder, output, errors, nil, 0) == 0)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return (status, try String(contentsOfFile: path, encoding: .utf8))
    }

    /// Runs one of tpm2-tools in ``folder`` and returns its status.
    func run(_ tool: String, _ arguments: [String]) throws -> Int32 {
        try Self.run(tool, arguments, in: folder.path, environment: ["TPM2TOOLS_TCTI": tcti]).status
    }

    /// As ``run(_:_:)``, and must succeed.
    func must(_ tool: String, _ arguments: [String]) throws {
        let status = try run(tool, arguments)
        try #require(status == 0, "\(tool) \(arguments.joined(separator: " ")) ended with \(status)")
    }

    /// Writes bytes to a new NV index that its owner can read.
    func define(_ index: String, _ bytes: [UInt8]) throws {
        let file = try folder.write(bytes, to: "nv")
        try must("tpm2_nvdefine", [index, "-C", "o", "-s", "\(bytes.count)", "-a", "ownerread|ownerwrite|authread"])
        try must("tpm2_nvwrite", [index, "-C", "o", "-i", file])
    }

    /// Makes a restricted RSA key for quotes, as clouds do, and keeps it at a handle. Returns its modulus.
    func persist(_ handle: String) throws -> [UInt8] {
        try must(
            "tpm2_createprimary",
            [
                "-C", "e", "-g", "sha256", "-G", "rsa2048:rsassa-sha256:null", "-c", "ak.ctx", "-a",
                "restricted|userwithauth|sign|fixedtpm|fixedparent|sensitivedataorigin",
            ])
        try must("tpm2_evictcontrol", ["-C", "o", "-c", "ak.ctx", handle])
        try must("tpm2_flushcontext", ["-t"])
        try must("tpm2_readpublic", ["-c", handle, "-f", "tpmt", "-o", "ak.tpmt"])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/ak.tpmt"))
        // unique is the last field of a TPMT_PUBLIC.
        return Array(bytes.suffix(256))
    }

    /// How many keys are loaded.
    func transientObjects() throws -> Int {
        let (status, output) = try Self.run(
            "tpm2_getcap", ["handles-transient"], in: folder.path, environment: ["TPM2TOOLS_TCTI": tcti])
        try #require(status == 0)
        return output.split(separator: "\n").count
    }

    private static func path(of tool: String) -> String? {
        ["/usr/bin/", "/usr/local/bin/", "/bin/"].map { $0 + tool }.first { access($0, X_OK) == 0 }
    }
}
