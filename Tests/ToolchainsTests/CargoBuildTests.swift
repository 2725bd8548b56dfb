// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Provenance
import StrictJSON
import Synchronization
import Testing
import Toolchains

/// The real Cargo of this machine, unconfined, on small projects.
@Suite(.enabled(if: TestRust.isInstalled, "no Rust toolchain is installed"), .serialized)
struct CargoBuildTests {
    struct Finished {
        var locked: LockedInputs
        var artifacts: [BuiltArtifact]
        var log: String
    }

    /// Lock, fetch, build and collect, as the pipeline does it.
    private func build(_ project: TestProject, runner: any CommandRunner = PlainRunner()) async throws -> Finished {
        let steps = TestSteps(workspace: try project.workspace(), runner: runner)
        var toolchain = try CargoToolchain(Project(sourceRoot: steps.workspace.path(.source)))
        let locked = try toolchain.lock()
        _ = try await toolchain.fetch(steps)
        try await toolchain.build(steps)
        let collected = try await toolchain.collect(steps)
        return Finished(locked: locked, artifacts: collected.artifacts, log: steps.log)
    }

    private func runs(_ artifact: BuiltArtifact?, in project: TestProject) async throws -> String {
        let path = project.root + "/output/" + (try #require(artifact)).relativePath
        let output = Mutex("")
        let command = Command(
            path, [], environment: [:], workingDirectory: project.root, network: false, writable: [], timeLimit: 60)
        let outcome = try await PlainRunner().run(command) { (_, bytes) throws(BuildFailure) in
            output.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        }
        #expect(outcome.succeeded)
        return output.withLock { $0 }
    }

    private static func manifest(_ name: String, _ more: String = "") -> String {
        "[package]\nname = \"\(name)\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\(more)\n"
    }

    private static func lockfile(_ names: String...) -> String {
        "version = 4\n" + names.map { "\n[[package]]\nname = \"\($0)\"\nversion = \"0.1.0\"\n" }.joined()
    }

    @Test func aWorkspaceWithABuildScriptMakesProgramsAndALibrary() async throws {
        let project = try TestProject([
            "source/Cargo.toml": "[workspace]\nmembers = [\"one\", \"two\", \"lib\"]\nresolver = \"2\"\n",
            "source/Cargo.lock": Self.lockfile("lib", "one", "two"),
            "source/one/Cargo.toml": Self.manifest("one"),
            "source/one/build.rs": "fn main() { println!(\"cargo:rustc-env=E={}\", std::env::var(\"TZ\").unwrap()) }",
            "source/one/src/main.rs": "fn main() { println!(\"{}\", env!(\"E\")) }",
            "source/one/examples/sample.rs": "fn main() {}",
            "source/two/Cargo.toml": Self.manifest("two"),
            "source/two/src/main.rs": "fn main() { println!(\"two\") }",
            "source/lib/Cargo.toml": Self.manifest("lib", "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]"),
            "source/lib/src/lib.rs": "#[no_mangle]\npub extern \"C\" fn f() -> u8 { 1 }",
            "source/target/release/stale": "not built here",
        ])
        let finished = try await build(project)
        #expect(finished.artifacts.map(\.name) == ["liblib.so", "one", "two"])
        #expect(finished.artifacts.map(\.executable) == [false, true, true])
        #expect(finished.locked.dependencies.isEmpty)
        #expect(finished.log.contains("Compiling one v0.1.0"))
        #expect(try await runs(finished.artifacts[1], in: project) == "UTC\n")
    }

    /// What Cargo does where two jobs end at one time: it copies the program of one over that of the other.
    private struct CollidingCargo: CommandRunner {
        let output: String

        func run(_ command: Command, output receiver: @escaping OutputReceiver) async throws(BuildFailure)
            -> CommandOutcome
        {
            let outcome = try await PlainRunner().run(command, output: receiver)
            guard command.arguments.first == "build", !command.arguments.contains("--jobs") else { return outcome }
            do {
                let programs = try FileManager.default.contentsOfDirectory(atPath: output + "/release/deps")
                    .filter { $0.hasPrefix("my_tool-") && !$0.contains(".") }.map { output + "/release/deps/" + $0 }
                let first = try Data(contentsOf: URL(fileURLWithPath: try #require(programs.first)))
                for program in programs { try first.write(to: URL(fileURLWithPath: program)) }
            } catch {
                throw BuildFailure(.internal, "\(error)")
            }
            return outcome
        }
    }

    @Test(arguments: [false, true]) func twoProgramsWithOneNameAreBothKept(collided: Bool) async throws {
        let target = "[[bin]]\nname = \"my-tool\"\npath = \"src/main.rs\""
        let project = try TestProject([
            "source/Cargo.toml": "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"2\"\n",
            "source/Cargo.lock": Self.lockfile("a", "b"),
            "source/a/Cargo.toml": Self.manifest("a", target), "source/b/Cargo.toml": Self.manifest("b", target),
            "source/a/src/main.rs": "fn main() { println!(\"I am a\") }",
            "source/b/src/main.rs": "fn main() { println!(\"I am b\") }",
        ])
        let runner: any CommandRunner = collided ? CollidingCargo(output: project.root + "/output") : PlainRunner()
        let artifacts = try await build(project, runner: runner).artifacts
        #expect(artifacts.map(\.name) == ["a/my-tool", "b/my-tool"])
        #expect(try await runs(artifacts.first, in: project) == "I am a\n")
        #expect(try await runs(artifacts.last, in: project) == "I am b\n")
    }

    @Test func aLibraryAloneIsNoArtifact() async throws {
        let project = try TestProject([
            "source/Cargo.toml": Self.manifest("quiet"), "source/Cargo.lock": Self.lockfile("quiet"),
            "source/src/lib.rs": "",
        ])
        await #expect { _ = try await build(project) } throws: { ($0 as? BuildFailure)?.kind == .artifact }
    }

    @Test func aLockfileThatDoesNotFitTheManifestsIsALockfileError() async throws {
        let project = try TestProject([
            "source/Cargo.toml": Self.manifest("app"), "source/Cargo.lock": Self.lockfile("other"),
            "source/src/main.rs": "fn main() {}",
        ])
        await #expect { _ = try await build(project) } throws: { ($0 as? BuildFailure)?.kind == .lockfile }
    }

    @Test func aRegistryOverHTTPIsFetchedAndVerified() async throws {
        let registry = try await TestRegistry()
        let index = "sparse+\(registry.url)/index/"
        let lock =
            Self.lockfile("app").replacing("version = \"0.1.0\"", with: "version = \"0.1.0\"\ndependencies = [\"dep\"]")
            + "\n[[package]]\nname = \"dep\"\nversion = \"1.0.0\"\nsource = \"\(index)\"\nchecksum = \"\(registry.checksum)\"\n"
        let project = try TestProject([
            "source/Cargo.toml": Self.manifest("app", "[dependencies]\ndep = { version = \"1\", registry = \"mine\" }"),
            "source/Cargo.lock": lock,
            "source/.cargo/config.toml": "[registries.mine]\nindex = \"\(index)\"\n",
            "source/src/main.rs": "fn main() { println!(\"{}\", dep::seven()) }",
        ])
        let finished = try await build(project)
        #expect(finished.locked.dependencies.first?.digest == ["sha256": registry.checksum])
        #expect(try await runs(finished.artifacts.first, in: project) == "7\n")

        let wrong = lock.replacing(registry.checksum, with: String(repeating: "0", count: 64))
        let changed = try TestProject([
            "source/Cargo.toml": Self.manifest("app", "[dependencies]\ndep = { version = \"1\", registry = \"mine\" }"),
            "source/Cargo.lock": wrong,
            "source/.cargo/config.toml": "[registries.mine]\nindex = \"\(index)\"\n",
            "source/src/main.rs": "fn main() {}",
        ])
        await #expect { _ = try await build(changed) } throws: { ($0 as? BuildFailure)?.kind == .inputVerification }
        withExtendedLifetime(registry) {}
    }

    @Test func theToolsAreTheFilesThatBuild() async throws {
        let project = try TestProject(["source/Cargo.toml": ""])
        let steps = TestSteps(workspace: try project.workspace())
        let toolchain = try CargoToolchain(Project(sourceRoot: steps.workspace.path(.source)))
        let tools = try await toolchain.tools(steps)
        let names = Set(tools.compactMap(\.name))
        #expect(names.isSuperset(of: ["cargo", "cc", "ld", "rust-std-\(TestRust.host)", "rustc"]))
        #expect(names.contains { $0.hasPrefix("rustc/librustc_driver") })
        #expect(names.count == tools.count)
        #expect(tools.allSatisfy { ($0.digest["sha256"] ?? $0.digest["dirHash"])?.utf8.count == 64 })
        let rustc = try #require(tools.first { $0.name == "rustc" })
        let file = try #require(FileManager.default.contents(atPath: toolchain.installation.sysroot + "/bin/rustc"))
        let copy = try TestProject()
        try copy.write("rustc", Array(file))
        #expect(rustc.digest["sha256"] == (try copy.digest("rustc")))
        #expect(rustc.annotations["version"]?.stringValue?.hasPrefix("rustc 1.") == true)
        #expect(try await toolchain.tools(steps) == tools)
    }

    @Test func commandsAreFixedAndSayWhatTheyMayDo() throws {
        let project = try TestProject(["Cargo.toml": ""])
        let toolchain = try CargoToolchain(Project(sourceRoot: project.root), places: TestRust().places)
        let workspace = Workspace(root: "/srv/w", mountPoint: "/build")
        let build = toolchain.buildCommand(workspace: workspace)
        #expect(build.executable == "/toolchain/rust/bin/cargo")
        #expect(!build.network)
        #expect(build.writable == [.output, .home, .temporary])
        #expect(build.environment["CARGO_TARGET_DIR"] == "/build/output")
        #expect(build.environment["PATH"] == "/toolchain/rust/bin:/usr/bin:/bin")
        #expect(build.environment["SOURCE_DATE_EPOCH"] == "0")
        #expect(build.environment["TMPDIR"] == nil)
        let fetch = toolchain.fetchCommand(workspace: workspace)
        #expect(fetch.network && fetch.writable == [.dependencies, .home, .temporary])
        #expect(fetch.arguments == ["fetch", "--locked"])
        #expect(toolchain.mounts.map(\.inside) == ["/toolchain/rust"])
        let bare = toolchain.buildCommand(workspace: Workspace(root: "/srv/w", mountPoint: "/srv/w"))
        #expect(bare.executable == toolchain.installation.sysroot + "/bin/cargo")
    }
}
