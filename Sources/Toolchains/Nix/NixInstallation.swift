// SPDX-License-Identifier: Apache-2.0
internal import Builds
internal import Foundation

/// Where this machine has Nix. Only its programs are used: never its daemon, its store's other paths or its settings.
struct NixInstallation: Hashable, Sendable {
    /// The folder of `nix` and `nix-store`, absolute: of the system, or within `/nix/store`.
    let programs: String
    /// The names of the store paths that the programs need, each with those that it names; empty where the programs are
    /// the system's own.
    let references: [String: [String]]

    /// The names of the store paths that the programs need, sorted.
    var storePaths: [String] { references.keys.sorted() }

    /// Places of single-user, multi-user, NixOS and distributions' installations.
    static var usualPlaces: [String] {
        var places = ["/usr/bin", "/usr/local/bin", "/run/current-system/sw/bin", "/nix/var/nix/profiles/default/bin"]
        if let home = ProcessInfo.processInfo.environment["HOME"], home.hasPrefix("/") {
            places += ["\(home)/.nix-profile/bin", "\(home)/.local/state/nix/profile/bin"]
        }
        return places
    }

    /// Throws `UnsupportedToolchainError` where there is none.
    static func find(in places: [String] = usualPlaces) throws(BuildFailure) -> NixInstallation {
        for place in places {
            guard ProjectFiles.exists("\(place)/nix-store"), let program = ProjectFiles.realPath("\(place)/nix") else {
                continue
            }
            if program.hasPrefix("/usr/") { return NixInstallation(programs: place, references: [:]) }
            guard let path = NixStore.path(containing: program) else { continue }
            return NixInstallation(
                programs: String(program.dropLast("/nix".count)),
                references: try NixClosure.references(from: path.baseName))
        }
        throw BuildFailure(
            .unsupportedToolchain,
            "Nix is not installed on this server; the operator can add the package nix-bin, or install it from "
                + "https://nixos.org/download")
    }

    var nix: String { programs + "/nix" }
    var store: String { programs + "/nix-store" }

    /// A shell that needs nothing beside it: `/bin/sh` in Nix's own sandbox, which many builds expect there.
    var shell: String? {
        if references.isEmpty { return ["/usr/bin/bash-static"].first(where: ProjectFiles.exists) }
        let shells = storePaths.filter { $0.contains("-busybox-static-") || $0.contains("-busybox-sandbox-shell-") }
        return shells.map { "\(NixStorePath.standardDirectory)/\($0)/bin/busybox" }.first(where: ProjectFiles.exists)
    }

    /// The files of an installation of the system's: `nix` and its own libraries, by name.
    var files: [(name: String, path: String)] {
        guard references.isEmpty else { return [] }
        var files = [(name: "nix", path: nix)]
        let folders = ["/usr/lib/nix", "/usr/lib", "/usr/lib64", "/usr/local/lib"] + Self.multiarchFolders
        for folder in folders {
            for entry in (try? ProjectFiles.list(folder)) ?? [] where entry.name.hasPrefix("libnix") {
                guard entry.name.contains(".so"), !files.contains(where: { $0.name == "nix/\(entry.name)" }) else {
                    continue
                }
                files.append((name: "nix/\(entry.name)", path: "\(folder)/\(entry.name)"))
            }
        }
        if let shell { files.append((name: "sh", path: shell)) }
        return files
    }

    private static var multiarchFolders: [String] {
        let entries = (try? ProjectFiles.list("/usr/lib")) ?? []
        return entries.filter { $0.name.hasSuffix("-linux-gnu") }.map { "/usr/lib/\($0.name)" }
    }
}
