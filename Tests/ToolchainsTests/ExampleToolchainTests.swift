// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Provenance
import StrictJSON
import Synchronization
import Testing
import Toolchains

/// Whether this machine has what the example runs.
private let isInstalled = ["cc", "ld", "make"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/" + $0)
}

/// The toolchain that `docs/adding-a-toolchain.md` adds, with the real make and C compiler of this machine.
@Suite(.enabled(if: isInstalled, "make or a C compiler is not installed"))
struct ExampleToolchainTests {
    private static let greeting = [
        "source/Makefile": "hello: hello.o words.o\nother: other.c\nclean:\n",
        "source/hello.c": "#include <stdio.h>\n#include \"words.h\"\nint main(void) { puts(words()); }\n",
        "source/other.c": "int main(void) { return 0; }\n",
        "source/words.c": "#include \"words.h\"\nconst char *words(void) { return \"hello\"; }\n",
        "source/words.h": "const char *words(void);\n",
    ]

    private static func greeting(_ name: String, _ text: String) throws -> TestProject {
        try TestProject(greeting.merging(["source/" + name: text]) { _, new in new })
    }

    private func toolchain(_ steps: TestSteps) throws -> any Toolchain {
        let project = try Project(sourceRoot: steps.workspace.path(.source), among: [MakeToolchain.self])
        return try Toolchains.find(for: project, among: [MakeToolchain.self]).init(project)
    }

    /// All steps, in the order in which a build asks them.
    @discardableResult
    private func build(_ steps: TestSteps) async throws -> CollectedFiles {
        var toolchain = try toolchain(steps)
        let locked = try toolchain.lock()
        try await steps.check(locked.hosts)
        _ = try await toolchain.tools(steps)
        _ = try await toolchain.fetch(steps)
        try await toolchain.build(steps)
        return try await toolchain.collect(steps)
    }

    private func refusal(_ project: TestProject) async throws -> BuildFailure? {
        let steps = TestSteps(workspace: try project.workspace())
        do {
            try await build(steps)
            return nil
        } catch {
            return error as? BuildFailure
        }
    }

    @Test func aProgramIsMadeOfItsFilesAndRuns() async throws {
        let project = try TestProject(Self.greeting)
        let steps = TestSteps(workspace: try project.workspace())
        let collected = try await build(steps)
        #expect(collected.artifacts == [BuiltArtifact(name: "hello", relativePath: "hello", executable: true)])
        #expect(steps.log.contains("words.c"))
        let sources = try FileManager.default.contentsOfDirectory(atPath: steps.workspace.path(.source))
        #expect(sources.count == Self.greeting.count)
        let output = Mutex("")
        let program = Command(
            steps.workspace.path(.output) + "/hello", [], environment: [:], workingDirectory: project.root,
            network: false, writable: [], timeLimit: 60)
        _ = try await PlainRunner().run(program) { (_, bytes) throws(BuildFailure) in
            output.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        }
        #expect(output.withLock { $0 } == "hello\n")
    }

    @Test func theSettingsChooseFolderAndTarget() async throws {
        var files = ["source/cupel.toml": "directory = 'c'\n[make]\ntarget = 'other'\n"]
        for (name, text) in Self.greeting { files[name.replacing("source/", with: "source/c/")] = text }
        let collected = try await build(TestSteps(workspace: try TestProject(files).workspace()))
        #expect(collected.artifacts.map(\.name) == ["other"])
    }

    @Test(arguments: [
        ("targets = 'other'", BuildFailure.Kind.source), ("target = 1", .source),
        ("target = '--eval=x'", .unsupportedToolchain), ("target = 'CC=x'", .unsupportedToolchain),
        ("target = '../x'", .unsupportedToolchain),
    ])
    func otherSettingsAreRefused(_ line: String, _ kind: BuildFailure.Kind) async throws {
        let project = try Self.greeting("cupel.toml", "[make]\n\(line)\n")
        #expect(try await refusal(project)?.kind == kind)
    }

    @Test func aProjectOfAnotherKindIsNotDetected() async throws {
        let refusal = try await refusal(TestProject(["source/Cargo.toml": ""]))
        #expect(refusal?.kind == .unsupportedToolchain)
        #expect(refusal?.message.contains("expected a Makefile") == true)
    }

    @Test func theLockfileIsDigested() throws {
        let project = try TestProject(Self.greeting)
        var toolchain = try toolchain(TestSteps(workspace: try project.workspace()))
        let locked = try toolchain.lock()
        #expect(locked.lockfile.digest == ["sha256": try project.digest("source/Makefile")])
        #expect(locked.dependencies.isEmpty && locked.hosts.isEmpty)
    }

    @Test func aMakefileElsewhereIsRefused() async throws {
        let project = try TestProject(["elsewhere": "hello:\n", "source/hello.c": ""])
        try project.link("source/Makefile", to: "../elsewhere")
        #expect(try await refusal(project)?.kind == .lockfile)
    }

    @Test func aMakefileThatIsNoFileIsRefused() async throws {
        #expect(try await refusal(TestProject(["source/Makefile/x": ""]))?.kind == .lockfile)
    }

    @Test func theToolsAreTheFilesThatBuild() async throws {
        let project = try TestProject(Self.greeting)
        let steps = TestSteps(workspace: try project.workspace())
        let tools = try await toolchain(steps).tools(steps)
        #expect(tools.map(\.name) == ["cc", "ld", "make"])
        let compiler = try #require(FileManager.default.contents(atPath: "/usr/bin/cc"))
        try project.write("copy", Array(compiler))
        #expect(tools.first?.digest == ["sha256": try project.digest("copy")])
        #expect(tools.last?.annotations["version"]?.stringValue?.hasPrefix("GNU Make") == true)
        #expect(steps.phases.isEmpty)
    }

    @Test func theOnlyPhaseHasNoNetworkAndLeavesTheSourceAlone() async throws {
        let steps = TestSteps(workspace: try TestProject(Self.greeting).workspace())
        try await build(steps)
        #expect(steps.phases.map(\.network) == [false])
        #expect(steps.phases.first?.writable == [.output, .home, .temporary])
    }

    /// The provenance names `cc`. On make's command line it is stronger than what a `Makefile` says ordinarily, and no
    /// more: the page says so.
    @Test(arguments: [
        ("CC = /bin/false\nhello: hello.o words.o\n", nil),
        ("override CC = /bin/false\nhello: hello.o words.o\n", BuildFailure.Kind.build),
        ("hello:\n\tcp /bin/true hello\n", nil), ("hello:\n\t/bin/false\n", .build),
    ])
    func theCommandLineNamesTheCompilerInTheOrdinaryCaseOnly(_ text: String, _ kind: BuildFailure.Kind?) async throws {
        #expect(try await refusal(Self.greeting("Makefile", text))?.kind == kind)
    }

    @Test func aFaultOfTheSourceIsABuildError() async throws {
        let project = try Self.greeting("words.c", "no C\n")
        #expect(try await refusal(project)?.kind == .build)
    }

    @Test func aBuildWithoutProgramsIsRefused() async throws {
        #expect(try await refusal(Self.greeting("cupel.toml", "make.target = 'clean'"))?.kind == .artifact)
    }

    private static let file = URL(filePath: #filePath)
    private static let root = file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// `verify` knows build types by where their pages are.
    @Test func everyToolchainHasItsPage() throws {
        let base = BuildFacts.buildTypeBase
        for buildType in Toolchains.all.map({ $0.buildType }) {
            #expect(buildType.hasPrefix(base))
            let page = Self.root.appending(path: "docs/build-types/" + buildType.dropFirst(base.count))
            #expect(try String(contentsOf: page, encoding: .utf8).contains(buildType))
        }
        #expect(MakeToolchain.buildType.hasPrefix(base))
        #expect(Set(Toolchains.all.map { $0.name }).count == Toolchains.all.count)
    }

    /// A reader who puts the page's blocks together has the file.
    @Test func thePageShowsTheWholeToolchain() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/adding-a-toolchain.md"), encoding: .utf8)
        let blocks = page.split(separator: "```swift\n").dropFirst().compactMap { block in
            block.firstRange(of: "```").map { String(block[..<$0.lowerBound]) }
        }
        let example = Self.file.deletingLastPathComponent().appending(path: "ExampleToolchain.swift")
        #expect(blocks.count >= 6)
        #expect(blocks.joined(separator: "\n") == (try String(contentsOf: example, encoding: .utf8)))
    }
}
