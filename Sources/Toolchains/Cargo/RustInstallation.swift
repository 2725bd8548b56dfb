// SPDX-License-Identifier: Apache-2.0
public import Builds
internal import ByteCoding
internal import Foundation
internal import StrictJSON
internal import StrictTOML

/// One Rust toolchain of this machine: a folder with `bin/cargo` and `bin/rustc`. rustup's proxies are never run, and
/// nothing is ever installed.
public struct RustInstallation: Hashable, Sendable {
    /// Where commands in a sandbox see a toolchain that is not part of the system.
    public static let mountPoint = "/toolchain/rust"

    /// Absolute path on this machine, without links.
    public let sysroot: String
    /// Its name for people: `stable-x86_64-unknown-linux-gnu`, `system`.
    public let name: String
    /// The version that the project asked for, which the compiler must confirm.
    let wantedVersion: String?

    /// Whether the toolchain is seen by every command without being mounted.
    public var isSystem: Bool { sysroot == "/usr" || sysroot.hasPrefix("/usr/") }

    /// The toolchain's folder as commands of this workspace see it: without a sandbox, where it is.
    func inside(_ workspace: Workspace) -> String {
        isSystem || workspace.mountPoint == workspace.root ? sysroot : Self.mountPoint
    }

    /// The toolchain that the project at `root` asks for, else rustup's default, else the system's.
    ///
    /// Throws `UnsupportedToolchainError` naming what is there, where it is not installed.
    public static func find(
        for root: String, in places: RustPlaces = .standard
    ) throws(BuildFailure) -> RustInstallation {
        try find(RustToolchainFile.read(in: root), in: places)
    }

    static func find(_ wanted: RustToolchainFile, in places: RustPlaces) throws(BuildFailure) -> RustInstallation {
        let installed = installedToolchains(places)
        let found: RustInstallation?
        if let channel = wanted.channel {
            found = match(channel, installed) ?? matchVersion(channel, installed)
        } else {
            found = defaultToolchain(places, installed)
        }
        guard let found else { throw missing(wanted.channel, installed) }
        for target in wanted.targets where !ProjectFiles.exists("\(found.sysroot)/lib/rustlib/\(target)/lib") {
            throw BuildFailure(
                .unsupportedToolchain,
                "the project asks for the target '\(target)', which the toolchain '\(found.name)' does not have; the "
                    + "operator can add it with rustup target add")
        }
        return found
    }

    private static func installedToolchains(_ places: RustPlaces) -> [RustInstallation] {
        var found: [RustInstallation] = []
        if let home = places.rustupHome, let entries = try? ProjectFiles.list(home + "/toolchains") {
            found = entries.compactMap { installation(at: "\(home)/toolchains/\($0.name)", name: $0.name) }
        }
        if let system = installation(at: places.system, name: "system") { found.append(system) }
        return found
    }

    /// rustup's proxies are one program under many names, without a library beside it.
    private static func installation(at path: String, name: String) -> RustInstallation? {
        guard let sysroot = ProjectFiles.realPath(path), ProjectFiles.exists(sysroot + "/bin/cargo"),
            ProjectFiles.exists(sysroot + "/bin/rustc"), ProjectFiles.exists(sysroot + "/lib/rustlib")
        else { return nil }
        return RustInstallation(sysroot: sysroot, name: name, wantedVersion: nil)
    }

    /// By the name of rustup's folder: the channel, then the host.
    private static func match(_ channel: String, _ installed: [RustInstallation]) -> RustInstallation? {
        let rustup = installed.filter { $0.name != "system" }
        return rustup.first { $0.name == channel } ?? rustup.first { $0.name == "\(channel)-\(host)" }
    }

    /// A channel that is a version may be installed under another name: `stable` is some version too.
    private static func matchVersion(_ channel: String, _ installed: [RustInstallation]) -> RustInstallation? {
        let parts = channel.split(separator: "-").first?.split(separator: ".") ?? []
        guard channel.hasSuffix(host) || !channel.contains("-"), (2...3).contains(parts.count),
            parts.allSatisfy({ Int($0) != nil })
        else { return nil }
        let version = parts.joined(separator: ".")
        let found = installed.first { installation in
            guard let release = installation.release else { return false }
            return release == version || (parts.count == 2 && release.hasPrefix(version + "."))
        }
        return found.map { RustInstallation(sysroot: $0.sysroot, name: $0.name, wantedVersion: version) }
    }

    /// The release as the names of rustc's own libraries tell it (`libLLVM.so.22.1-rust-1.95.0-stable`); stable ones
    /// only. Only a guess, that the compiler confirms later.
    private var release: String? {
        let names = ((try? ProjectFiles.list(sysroot + "/lib")) ?? []).map(\.name)
        for name in names where name.hasPrefix("libLLVM") && name.contains("-stable") {
            guard let start = name.range(of: "-rust-")?.upperBound else { continue }
            return String(name[start...].prefix { $0 != "-" })
        }
        return nil
    }

    private static func defaultToolchain(
        _ places: RustPlaces, _ installed: [RustInstallation]
    ) -> RustInstallation? {
        let settings = places.rustupHome.flatMap { try? ProjectFiles.read($0 + "/settings.toml", limit: 1 << 18) }
        let table = settings.flatMap { try? TOMLDocument.parse($0, name: "settings.toml") }
        if let name = table?["default_toolchain"]?.stringValue, let found = match(name, installed) { return found }
        return match("stable", installed) ?? installed.first { $0.name == "system" } ?? installed.first
    }

    private static func missing(_ channel: String?, _ installed: [RustInstallation]) -> BuildFailure {
        let there = installed.isEmpty ? "none" : installed.map(\.name).joined(separator: ", ")
        guard let channel else {
            return BuildFailure(
                .unsupportedToolchain,
                "this server has no Rust toolchain; the operator can install one with rustup or the system's packages")
        }
        return BuildFailure(
            .unsupportedToolchain,
            "the project asks for the Rust toolchain '\(channel)', installed here: \(there); the operator can add it "
                + "with rustup toolchain install")
    }

    /// The target triple of this machine.
    static var host: String {
        #if arch(arm64)
            let machine = "aarch64"
        #else
            let machine = "x86_64"
        #endif
        #if os(macOS)
            return machine + "-apple-darwin"
        #else
            return machine + "-unknown-linux-gnu"
        #endif
    }
}
