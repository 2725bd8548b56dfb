// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
internal import Foundation
public import Provenance
internal import SourceTrees

extension CargoToolchain {
    /// The tools that build, sorted by name: `cargo`, `rustc` and its libraries, the standard library of each target
    /// (one `dirHash` over its files), the C compiler that links, and the linkers. Versions are annotations, as the
    /// tools tell them when run in the workspace.
    ///
    /// Throws `UnsupportedToolchainError` where a tool is missing, or is not of the version that the project asks for.
    public func tools(_ steps: any BuildSteps) async throws(BuildFailure) -> [ResourceDescriptor] {
        let (workspace, cache) = (steps.workspace, steps.toolDigests)
        let probe = ToolProbe(steps: steps, environment: environment(workspace))
        let compiler = try await probe.version("rustc", rustc(workspace), installation.sysroot + "/bin/rustc", ["-vV"])
        let cargo = try await probe.version("cargo", cargo(workspace), installation.sysroot + "/bin/cargo", ["-V"])
        let host = try checkedHost(of: compiler)
        var texts = ["rustc": compiler.split(separator: "\n").first.map(String.init) ?? "", "cargo": cargo]
        for (name, file) in try linkers(host: host) where !name.hasPrefix("rust-lld") {
            texts[name] = try await probe.version(name, file.command, file.path, ["--version"])
        }
        let versions = texts
        let files = try toolFiles(host: host)
        return try await onOwnThread { () throws(BuildFailure) in
            var tools: [ResourceDescriptor] = []
            for (name, path) in files {
                let digest = try cache.digest(of: path)
                tools.append(ToolProbe.tool(name, ["sha256": digest.hex], version: versions[name]))
            }
            for target in targets(host: host) {
                let digest = try standardLibrary(target, cache: cache)
                let hash = [DirectoryHash.algorithm: digest.hex]
                tools.append(ToolProbe.tool("rust-std-\(target)", hash, version: versions["rustc"]))
            }
            return tools.sorted { ($0.name ?? "").utf8.lexicographicallyPrecedes(($1.name ?? "").utf8) }
        }
    }

    /// From `rustc -vV`; also compares the release with the one that the project asks for.
    private func checkedHost(of version: String) throws(BuildFailure) -> String {
        var fields: [String: String] = [:]
        for line in version.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        guard let host = fields["host"], let release = fields["release"], !host.contains("/") else {
            throw BuildFailure(.unsupportedToolchain, "rustc -vV told neither host nor release")
        }
        if let wanted = installation.wantedVersion, release != wanted, !release.hasPrefix(wanted + ".") {
            throw BuildFailure(
                .unsupportedToolchain, "the project asks for Rust \(wanted), '\(installation.name)' is \(release)")
        }
        return host
    }

    private func targets(host: String) -> [String] {
        var targets = [host]
        for target in settings.targets.isEmpty ? configuration.targets : settings.targets
        where !targets.contains(target) {
            targets.append(target)
        }
        return targets
    }

    /// Names and paths of single files.
    private func toolFiles(host: String) throws(BuildFailure) -> [(name: String, path: String)] {
        var files = ["cargo", "rustc"].map { (name: $0, path: "\(installation.sysroot)/bin/\($0)") }
        for library in compilerLibraries(host: host) { files.append(library) }
        for (name, file) in try linkers(host: host) { files.append((name, file.path)) }
        return files
    }

    private func compilerLibraries(host: String) -> [(name: String, path: String)] {
        let multiarch = host.replacing("-unknown-", with: "-")
        let folders = ["\(installation.sysroot)/lib", "\(installation.sysroot)/lib/\(multiarch)"]
        var names: Set<String> = []
        var libraries: [(name: String, path: String)] = []
        for folder in folders {
            for entry in (try? ProjectFiles.list(folder)) ?? [] where Self.isCompilerLibrary(entry.name) {
                guard let path = ProjectFiles.realPath("\(folder)/\(entry.name)"),
                    ProjectFiles.kind(of: path) == .file, names.insert(entry.name).inserted
                else { continue }
                libraries.append(("rustc/" + entry.name, path))
            }
        }
        return libraries
    }

    private static func isCompilerLibrary(_ name: String) -> Bool {
        let isLibrary = name.hasSuffix(".so") || name.contains(".so.") || name.hasSuffix(".dylib")
        return isLibrary && (name.hasPrefix("librustc_driver") || name.hasPrefix("libLLVM"))
    }

    /// The real files behind `cc` and `ld`, and the linker that comes with Rust, with the program through which `cc`
    /// calls it.
    private func linkers(host: String) throws(BuildFailure) -> [(String, (command: String, path: String))] {
        var found: [(String, (command: String, path: String))] = []
        for name in ["cc", "ld"] {
            let command = ["/usr/bin/\(name)", "/bin/\(name)"].first(where: ProjectFiles.exists)
            guard let command, let path = ProjectFiles.realPath(command) else {
                throw BuildFailure(
                    .unsupportedToolchain,
                    "the linker '\(name)' is not installed on this server; the operator can add the packages gcc and "
                        + "binutils")
            }
            found.append((name, (command, path)))
        }
        let own = "\(installation.sysroot)/lib/rustlib/\(host)/bin"
        for (name, file) in [("rust-lld", "rust-lld"), ("rust-lld/ld.lld", "gcc-ld/ld.lld")] {
            if let path = ProjectFiles.realPath("\(own)/\(file)") { found.append((name, (path, path))) }
        }
        return found
    }

    private func standardLibrary(_ target: String, cache: ToolDigestCache) throws(BuildFailure) -> Digest256 {
        let folder = "\(installation.sysroot)/lib/rustlib/\(target)/lib"
        guard let entries = try? ProjectFiles.list(folder) else {
            throw BuildFailure(
                .unsupportedToolchain,
                "the toolchain '\(installation.name)' has no standard library for the target '\(shown(target))'; the "
                    + "operator can add it with rustup target add")
        }
        var digests: [String: Digest256] = [:]
        for entry in entries where entry.kind == .file || entry.kind == .link {
            digests[entry.name] = try cache.digest(of: "\(folder)/\(entry.name)")
        }
        return DirectoryHash.digest(of: digests)
    }
}
