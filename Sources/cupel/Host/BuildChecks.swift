// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Sandbox
import StrictJSON
import Toolchains

/// What builds need.
enum BuildChecks {
    /// Runs the real thing: a confined command in a workspace of its own.
    static func sandbox() async -> HostCheck {
        do {
            let folder = try ScratchFolder()
            let sandbox = try await Sandbox.prepare(confinement: .bubblewrap, folder: folder.path)
            return HostCheck(name: "sandbox", state: .present, detail: profile(sandbox))
        } catch {
            return HostCheck(name: "sandbox", state: .missing, detail: CommandFailure(error).message)
        }
    }

    private static func profile(_ sandbox: Sandbox) -> String {
        let members = sandbox.profile.objectValue ?? [:]
        let words = members.sorted { $0.key < $1.key }.map { name, value in
            "\(name) \(value.stringValue ?? String(decoding: value.canonicalBytes, as: UTF8.self))"
        }
        return words.joined(separator: ", ")
    }

    static func git() async -> HostCheck {
        await tool("git", state: .missing, remedy: "apt install git; needed for git sources")
    }

    static func nix() async -> HostCheck {
        guard let nix = NixToolchain.program() else {
            return HostCheck(
                name: "nix", state: .absent, detail: "not found where builds look for it",
                remedy: "apt install nix-bin bash-static; needed for projects with a flake.nix")
        }
        guard let answer = try? await HostTool.run(nix.path, ["--version"]), answer.status == 0 else {
            return HostCheck(name: "nix", state: .absent, detail: "\(nix.path) does not run", remedy: "install it anew")
        }
        return HostCheck(
            name: "nix", state: .present, detail: "\(answer.line) (\(nix.path))",
            remedy: nix.hasShell ? "" : "apt install bash-static: many builds expect a /bin/sh in Nix's own sandbox")
    }

    static func cargo() async -> HostCheck {
        let environment = ProcessInfo.processInfo.environment
        let home = environment["RUSTUP_HOME"] ?? environment["HOME"].map { $0 + "/.rustup" } ?? ""
        let toolchains = (try? FolderNames.list(home + "/toolchains").sorted()) ?? []
        let system = FileManager.default.isExecutableFile(atPath: "/usr/bin/cargo") ? ["/usr/bin/cargo"] : []
        guard let first = (toolchains + system).first else {
            return HostCheck(
                name: "cargo", state: .missing, detail: "no Rust toolchain in \(home)/toolchains or /usr",
                remedy: "install one with rustup (rustup.rs), or: apt install cargo")
        }
        let others = toolchains.count + system.count - 1
        return HostCheck(name: "cargo", state: .present, detail: first + (others > 0 ? ", and \(others) more" : ""))
    }

    static func cgroup() -> HostCheck {
        let membership = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        let path = membership.split(separator: "\n").first { $0.hasPrefix("0::") }.map {
            "/sys/fs/cgroup\($0.dropFirst(3))"
        }
        guard let path, access(path + "/cgroup.procs", W_OK) == 0, access(path + "/cgroup.kill", F_OK) == 0 else {
            return HostCheck(
                name: "cgroup v2", state: .absent, detail: "none that this user may write: a watchdog limits builds",
                remedy: "run cupel as a systemd service with Delegate=yes")
        }
        return HostCheck(name: "cgroup v2", state: .present, detail: path)
    }

    private static func tool(_ name: String, state: HostCheck.State, remedy: String) async -> HostCheck {
        guard let path = HostTool.find(name), let answer = try? await HostTool.run(path, ["--version"]),
            answer.status == 0
        else { return HostCheck(name: name, state: state, detail: "not found in PATH", remedy: remedy) }
        return HostCheck(name: name, state: .present, detail: "\(answer.line) (\(path))")
    }
}
