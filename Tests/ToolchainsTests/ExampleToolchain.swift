// SPDX-License-Identifier: Apache-2.0
import Builds
import ByteCoding
import Provenance
import SourceTrees
import Toolchains

/// Builds C projects that have a `Makefile`, and no dependencies but the system's own libraries.
struct MakeToolchain: Toolchain {
    static let name = "make"
    static let buildType = BuildFacts.buildTypeBase + "make-v1.md"
    static let marker = "Makefile"

    private static let programs = ["cc", "ld", "make"]

    let project: Project
    /// What to make; `nil` for the first target of the `Makefile`.
    let target: String?

    static func detect(in folder: String) -> Bool { ProjectFiles.exists("\(folder)/Makefile") }

    init(_ project: Project) throws(BuildFailure) {
        self.project = project
        var table = project.settings.table(of: Self.name)
        target = try table.string("target")
        try table.end()
        if let target, !isPlainName(target, others: "_.-") {
            throw table.unsupported("target", "be a target's name, as 'hello', found '\(shown(target))'")
        }
        for program in Self.programs where !ProjectFiles.exists("/usr/bin/\(program)") {
            throw BuildFailure(
                .unsupportedToolchain,
                "'\(program)' is not installed on this server; the operator can add the package build-essential")
        }
    }

    var mounts: [ReadOnlyFolder] { [] }

    mutating func lock() throws(BuildFailure) -> LockedInputs {
        guard let path = ProjectFiles.confined("Makefile", from: project.folder, root: project.sourceRoot) else {
            throw BuildFailure(.lockfile, "the Makefile is a link that leads out of the source tree, or nowhere")
        }
        do {
            let digest = try ProjectFiles.digest(of: path)
            let lockfile = ResourceDescriptor(name: "Makefile", digest: ["sha256": digest.hex])
            return LockedInputs(lockfile: lockfile, dependencies: [], hosts: [])
        } catch {
            throw BuildFailure(.lockfile, "the Makefile cannot be read: \(error.reason)")
        }
    }

    func tools(_ steps: any BuildSteps) async throws(BuildFailure) -> [ResourceDescriptor] {
        let probe = ToolProbe(steps: steps, environment: environment(steps.workspace))
        let cache = steps.toolDigests
        var tools: [ResourceDescriptor] = []
        for name in Self.programs {
            let command = "/usr/bin/\(name)"
            let file = ProjectFiles.realPath(command) ?? command
            let version = try await probe.version(name, command, file, ["--version"])
            let digest = try await onOwnThread { () throws(BuildFailure) in try cache.digest(of: file) }
            tools.append(ToolProbe.tool(name, ["sha256": digest.hex], version: version))
        }
        return tools
    }

    mutating func fetch(_ steps: any BuildSteps) async throws(BuildFailure) -> FetchedInputs { FetchedInputs() }

    mutating func build(_ steps: any BuildSteps) async throws(BuildFailure) {
        let source = project.inside(steps.workspace)
        let arguments = ["--file=\(source)/Makefile", "--include-dir=\(source)", "VPATH=\(source)", "CC=/usr/bin/cc"]
        let command = Command(
            "/usr/bin/make", arguments + (target.map { [$0] } ?? []), environment: environment(steps.workspace),
            workingDirectory: steps.workspace.inside(.output), network: false, writable: [.output, .home, .temporary],
            timeLimit: 3600)
        let outcome = try await steps.build(command) { Array($0) }
        guard outcome.succeeded else {
            throw BuildFailure(.build, "make failed with status \(outcome.status); the build log says why")
        }
    }

    private func environment(_ workspace: Workspace) -> [String: String] {
        [
            "HOME": workspace.inside(.home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin",
            "SOURCE_DATE_EPOCH": String(project.sourceDateEpoch), "TZ": "UTC",
        ]
    }

    func collect(_ steps: any BuildSteps) async throws(BuildFailure) -> CollectedFiles {
        let output = steps.workspace.path(.output)
        do {
            let programs = try ProjectFiles.list(output).filter { entry in
                entry.kind == .file && ProjectFiles.isExecutable("\(output)/\(entry.name)")
            }
            guard !programs.isEmpty else { throw BuildFailure(.artifact, "make made no program") }
            return CollectedFiles(
                artifacts: programs.map { BuiltArtifact(name: $0.name, relativePath: $0.name, executable: true) })
        } catch {
            throw error as? BuildFailure ?? BuildFailure(.artifact, "the output cannot be read: \(error)")
        }
    }
}
