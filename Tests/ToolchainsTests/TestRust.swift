// SPDX-License-Identifier: Apache-2.0
import Foundation
import Toolchains

/// A Rust installation that only looks like one.
struct TestRust: Sendable {
    #if arch(arm64)
        static let host = "aarch64-unknown-linux-gnu"
    #else
        static let host = "x86_64-unknown-linux-gnu"
    #endif

    let folder: TestProject
    let places: RustPlaces

    init(_ names: [String] = ["stable-\(host)"], settings: String? = nil) throws {
        folder = try TestProject()
        for name in names {
            try folder.write("toolchains/\(name)/bin/cargo", "cargo of \(name)")
            try folder.write("toolchains/\(name)/bin/rustc", "rustc of \(name)")
            try folder.write("toolchains/\(name)/lib/rustlib/\(Self.host)/lib/libstd.rlib", "std")
        }
        if let settings { try folder.write("settings.toml", settings) }
        places = RustPlaces(rustupHome: folder.root, system: folder.root + "/none")
    }

    /// Whether this machine can really build.
    static let isInstalled: Bool = {
        guard let project = try? TestProject() else { return false }
        return (try? RustInstallation.find(for: project.root)) != nil
    }()
}
