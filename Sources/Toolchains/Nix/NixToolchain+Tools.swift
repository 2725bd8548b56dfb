// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
public import Provenance
internal import SourceTrees

extension NixToolchain {
    /// Where builds find Nix on this machine, and whether they have a shell for its sandbox; `nil` where there is none.
    public static func program() -> (path: String, hasShell: Bool)? {
        (try? NixInstallation.find()).map { ($0.nix, $0.shell != nil) }
    }

    /// Nix itself: the program, its libraries and the shell of its sandbox, or each store path that it is made of. What
    /// compiles is an input of the build, not a tool of the machine.
    public func tools(_ steps: any BuildSteps) async throws(BuildFailure) -> [ResourceDescriptor] {
        let probe = ToolProbe(steps: steps, environment: ["PATH": "/usr/bin:/bin"])
        let version = try await probe.version("nix", installation.nix, installation.nix, ["--version"])
        let (installation, cache) = (installation, steps.toolDigests)
        return try await onOwnThread { () throws(BuildFailure) in
            var tools: [ResourceDescriptor] = []
            for (name, path) in installation.files {
                let digest = try cache.digest(of: path)
                tools.append(ToolProbe.tool(name, ["sha256": digest.hex], version: name == "nix" ? version : nil))
            }
            for name in installation.storePaths {
                let path = "\(NixStorePath.standardDirectory)/\(name)"
                let digest = try cache.digest(of: path, by: NixArchive.digest)
                var tool = ToolProbe.tool(
                    path, ["sha256": digest.hex], version: installation.nix.hasPrefix(path + "/") ? version : nil)
                tool.mediaType = ResourceDescriptor.nixArchiveType
                tools.append(tool)
            }
            return tools
        }
    }

    /// What the new store must know of the paths that Nix itself is made of, as `nix-store --dump-db` writes it; empty
    /// where there are none. Without it Nix would take them for remains, and try to remove them.
    func givenPaths(_ steps: any BuildSteps) async throws(BuildFailure) -> String {
        let (references, cache) = (installation.references, steps.toolDigests)
        return try await onOwnThread { () throws(BuildFailure) in
            var lines: [String] = []
            for (name, named) in references.sorted(by: { $0.key < $1.key }) {
                let path = "\(NixStorePath.standardDirectory)/\(name)"
                // Path, hash, size (0: not known), deriver, and the paths that it names, with their count.
                lines += [path, try cache.digest(of: path, by: NixArchive.digest).hex, "0", "", String(named.count)]
                lines += named.map { "\(NixStorePath.standardDirectory)/\($0)" }
            }
            return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
        }
    }
}
