// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing
import Toolchains

@Suite struct RustInstallationTests {
    static let host = TestRust.host

    private func rust() throws -> TestRust {
        let rust = try TestRust(
            ["stable-\(Self.host)", "nightly-\(Self.host)", "1.80.1-\(Self.host)"],
            settings: "default_toolchain = \"nightly-\(Self.host)\"\n")
        try rust.folder.write("toolchains/stable-\(Self.host)/lib/libLLVM.so.22.1-rust-1.95.0-stable", "x")
        return rust
    }

    static let channels: [(String, String, String)] = [
        ("", "", "nightly-"),
        ("rust-toolchain", "stable\n", "stable-"),
        ("rust-toolchain", "[toolchain]\nchannel = \"stable\"", "stable-"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.80.1\"\ncomponents = [\"clippy\"]", "1.80.1-"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"", "stable-"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95\"", "stable-"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"stable-\(host)\"", "stable-"),
        ("rust-toolchain.toml", "[toolchain]\ncomponents = []", "nightly-"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\ntargets = [\"\(host)\"]", "stable-"),
    ]

    @Test(arguments: channels)
    func theProjectsChannelIsFound(_ file: String, _ text: String, _ expected: String) throws {
        let project = try TestProject(file.isEmpty ? [:] : [file: text])
        let found = try RustInstallation.find(for: project.root, in: rust().places)
        #expect(found.name.hasPrefix(expected))
        #expect(!found.isSystem)
    }

    static let refused: [(String, String)] = [
        ("rust-toolchain", "1.70.0"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"beta\""),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.9\""),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"../../../tmp\""),
        ("rust-toolchain.toml", "[toolchain]\nchannel = 1.80"),
        ("rust-toolchain.toml", "[toolchain]\npath = \"/tmp/evil\""),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\ntargets = [\"wasm32-wasip1\"]"),
        ("rust-toolchain.toml", "[toolchain"),
    ]

    @Test(arguments: refused)
    func otherToolchainsAreRefused(_ file: String, _ text: String) throws {
        let project = try TestProject([file: text])
        let rust = try rust()
        #expect(
            failureKind { _ = try RustInstallation.find(for: project.root, in: rust.places) } == .unsupportedToolchain)
    }

    @Test func aMissingChannelIsToldWithWhatIsThere() throws {
        let project = try TestProject(["rust-toolchain": "beta"])
        let rust = try rust()
        let message = failure { _ = try RustInstallation.find(for: project.root, in: rust.places) }?.message ?? ""
        #expect(message.contains("'beta'") && message.contains("1.80.1-\(Self.host)"))
    }

    @Test func aSystemToolchainIsFoundAndNotMounted() throws {
        let rust = try TestRust([])
        #expect(failureKind { _ = try RustInstallation.find(for: rust.folder.root, in: rust.places) } != nil)
        let project = try TestProject(["usr/bin/cargo": "", "usr/bin/rustc": "", "usr/lib/rustlib/x": ""])
        let places = RustPlaces(rustupHome: nil, system: project.root + "/usr")
        #expect(try RustInstallation.find(for: project.root, in: places).name == "system")
    }

    @Test func placesComeFromTheEnvironment() {
        #expect(RustPlaces(environment: ["HOME": "/h"]).rustupHome == "/h/.rustup")
        #expect(RustPlaces(environment: ["HOME": "/h", "RUSTUP_HOME": "/r"]).rustupHome == "/r")
        #expect(RustPlaces(environment: [:]).rustupHome == nil)
    }
}
