// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// Where this machine keeps its Rust toolchains.
public struct RustPlaces: Hashable, Sendable {
    /// rustup's folder, which holds `toolchains`; `nil` where there is none.
    public var rustupHome: String?
    /// A folder with `bin/cargo` and `bin/rustc` that the system's packages installed.
    public var system: String

    public init(rustupHome: String?, system: String = "/usr") {
        self.rustupHome = rustupHome
        self.system = system
    }

    /// From `RUSTUP_HOME`, or `.rustup` in `HOME`.
    public init(environment: [String: String]) {
        let home = environment["HOME"].map { $0 + "/.rustup" }
        self.init(rustupHome: environment["RUSTUP_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? home)
    }

    /// Those of this process's environment.
    public static var standard: RustPlaces { RustPlaces(environment: ProcessInfo.processInfo.environment) }
}
