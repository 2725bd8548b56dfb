// SPDX-License-Identifier: Apache-2.0
import Attesters
import Foundation
import Testing

/// A TPM in software, swtpm, for as long as the value lives. It is a real TPM but for who made it.
final class SoftwareTPM: Sendable {
    static let tools = ["swtpm", "tpm2_checkquote", "tpm2_nvdefine", "tpm2_createprimary"]
    /// Whether this machine has swtpm and the tools that check it.
    static let isInstalled = tools.allSatisfy { path(of: $0) != nil }

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

    /// Not by a signal that it may have inherited as blocked.
    deinit { kill(process, SIGKILL) }

    var place: TPMPlace { TPMPlace(tcti: tcti) }
    var tcti: String { "swtpm:path=\(folder.path)/s" }

    /// Not by `Process`, which waits for a daemon as well as for the command that makes it.
    private static func run(
        _ tool: String, _ arguments: [String], in folder: String, environment: [String: String]
    ) throws -> (status: Int32, output: String) {
        let variables = environment.merging(["PATH": "/usr/bin:/bin", "TSS2_LOG": "all+none"]) { first, _ in first }
        let words =
            ["/usr/bin/env", "-C", folder, "-i"] + variables.map { "\($0.key)=\($0.value)" }
            + [try #require(Self.path(of: tool))] + arguments
        let output = folder + "/output-\(UUID())"
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0)
        var pointers = words.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var process = pid_t()
        let error = posix_spawn(&process, "/usr/bin/env", &files, nil, pointers, nil)
        try #require(error == 0)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return (status, try String(contentsOfFile: output, encoding: .utf8))
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
