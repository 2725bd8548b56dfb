// SPDX-License-Identifier: Apache-2.0
import Builds
import Testing
import Toolchains

@Suite struct CargoConfigurationTests {
    private func failureFor(_ configuration: String, file: String = ".cargo/config.toml") throws -> BuildFailure? {
        let rust = try TestRust()
        let project = try TestProject(["Cargo.toml": "", "vendor/x": "", file: configuration])
        return failure { _ = try CargoToolchain(Project(sourceRoot: project.root), places: rust.places) }
    }

    @Test(arguments: [
        "",
        "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"",
        "[source.crates-io]\nreplace-with = \"m\"\n[source.m]\nregistry = \"sparse+https://mirror.example/\"",
        "[registries.mine]\nindex = \"sparse+https://mine.example/\"",
        "[registry]\ndefault = \"mine\"",
        "[profile.release]\nlto = true\n[profile.release.package.x]\nopt-level = 1",
        "[build]\njobs = 2\ntarget-dir = \"target\"\nrustflags = [\"-C\", \"target-cpu=native\"]",
        "[build]\nrustflags = \"-C debuginfo=1\"\ntarget = [\"x86_64-unknown-linux-gnu\"]",
        "[target.'cfg(unix)']\nrustflags = [\"-Clink-arg=-Wl,--as-needed\"]",
        "[net]\nretry = 3\noffline = true\ngit-fetch-with-cli = true",
        "[http]\nmultiplexing = false",
        "[term]\nverbose = true",
        "[alias]\nxtask = \"run --package xtask --\"",
        "[env]\nRUST_BACKTRACE = \"1\"\nMY_SETTING = { value = \"x\", relative = true }",
        "[future-incompat-report]\nfrequency = \"never\"",
    ])
    func harmlessSettingsPass(_ text: String) throws {
        #expect(try failureFor(text) == nil)
    }

    static let replacing: [(String, String)] = [
        ("build.rustc", "[build]\nrustc = \"./evil\""),
        ("build.rustc-wrapper", "[build]\nrustc-wrapper = \"./evil\""),
        ("build.rustc-workspace-wrapper", "[build]\nrustc-workspace-wrapper = \"./evil\""),
        ("build.rustdoc", "build.rustdoc = \"./evil\""),
        ("build.build-dir", "[build]\nbuild-dir = \"/tmp\""),
        ("build.target", "[build]\ntarget = \"./evil.json\""),
        ("build.rustflags", "[build]\nrustflags = [\"-C\", \"linker=./evil\"]"),
        ("build.rustflags", "[build]\nrustflags = \"-Clinker=./evil\""),
        ("build.rustflags", "[build]\nrustflags = [\"--codegen=linker=./evil\"]"),
        ("build.rustflags", "[build]\nrustflags = [\"-Clink-arg=-fuse-ld=./evil\"]"),
        ("build.rustflags", "[build]\nrustflags = [\"@flags\"]"),
        ("build.rustflags", "[build]\nrustflags = [\"--sysroot=/tmp\"]"),
        ("build.rustflags", "[build]\nrustflags = [\"-Clink-arg=-B.\"]"),
        ("target.x86_64-unknown-linux-gnu.linker", "[target.x86_64-unknown-linux-gnu]\nlinker = \"./evil\""),
        ("target.x86_64-unknown-linux-gnu.runner", "[target.x86_64-unknown-linux-gnu]\nrunner = \"./evil\""),
        ("target.cfg(all()).linker", "[target.'cfg(all())']\nlinker = \"./evil\""),
        ("target.cfg(all()).rustflags", "[target.'cfg(all())']\nrustflags = [\"-C\", \"linker=x\"]"),
        ("target.x86_64-unknown-linux-gnu.foo", "[target.x86_64-unknown-linux-gnu.foo]\nrustc-link-lib = [\"x\"]"),
        ("registry.credential-provider", "[registry]\ncredential-provider = \"./evil\""),
        ("registries.m.token", "[registries.m]\nindex = \"https://m.example/\"\ntoken = \"x\""),
        ("registries.m.index", "[registries.m]\nindex = \"file:///etc\""),
        ("source.m.registry", "[source.m]\nregistry = \"file:///etc\""),
        ("source.m.git", "[source.m]\ngit = \"ssh://git@x/y\""),
        ("credential-alias", "[credential-alias]\nx = \"./evil\""),
        ("alias.build", "[alias]\nbuild = \"run\""),
        ("alias.b", "[alias]\nb = \"run\""),
        ("env.RUSTC_WRAPPER", "[env]\nRUSTC_WRAPPER = \"./evil\""),
        ("env.CARGO_HOME", "[env]\nCARGO_HOME = \"/tmp\""),
        ("env.LD_PRELOAD", "[env]\nLD_PRELOAD = { value = \"evil.so\", relative = true }"),
        ("env.PATH", "[env]\nPATH = { value = \"/tmp\", force = true }"),
        ("env.SOURCE_DATE_EPOCH", "[env]\nSOURCE_DATE_EPOCH = \"1\""),
        ("http.proxy", "[http]\nproxy = \"evil:80\""),
        ("http.cainfo", "http.cainfo = \"evil.pem\""),
        ("net.ssh", "[net.ssh]\nknown-hosts = []"),
        ("profile.release.rustflags", "[profile.release]\nrustflags = [\"-Clinker=x\"]"),
        ("profile.dev.package.x.codegen-backend", "[profile.dev.package.x]\ncodegen-backend = \"x\""),
        ("unstable", "[unstable]\nbuild-std = [\"std\"]"),
        ("include", "include = \"more.toml\""),
        ("paths", "paths = [\"/etc\"]"),
        ("host", "[host]\nlinker = \"./evil\""),
    ]

    @Test(arguments: replacing)
    func settingsThatReplaceAPartOfTheBuildAreRefusedByName(_ key: String, _ text: String) throws {
        for file in [".cargo/config.toml", ".cargo/config"] {
            let failure = try #require(try failureFor(text, file: file))
            #expect(failure.kind == .unsupportedToolchain)
            #expect(failure.message.contains("'\(key)'") && failure.message.contains(file), "\(failure.message)")
        }
    }

    @Test(arguments: ["/etc", "..", "vendor/../..", "missing", "out"])
    func sourcesOutsideTheTreeAreRefused(_ path: String) throws {
        let rust = try TestRust()
        let text = "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"\(path)\""
        let project = try TestProject(["vendor/x": "", ".cargo/config.toml": text])
        try project.link("out", to: "/etc")
        #expect(
            failureKind { _ = try CargoToolchain(Project(sourceRoot: project.root), places: rust.places) }
                == .inputVerification)
    }

    @Test func aPatchThatLeadsOutIsRefused() throws {
        #expect(try failureFor("[patch.crates-io]\nx = { path = \"../x\" }")?.kind == .inputVerification)
        #expect(try failureFor("[patch.crates-io]\nx = { path = \"vendor\" }") == nil)
    }

    @Test func aConfigurationThatIsNoTOMLIsRefused() throws {
        #expect(try failureFor("[build")?.kind == .unsupportedToolchain)
    }

    @Test func aConfigurationThatIsALinkOutIsRefused() throws {
        let rust = try TestRust()
        let project = try TestProject([".cargo/x": ""])
        try project.link(".cargo/config.toml", to: "/etc/hostname")
        #expect(
            failureKind { _ = try CargoToolchain(Project(sourceRoot: project.root), places: rust.places) }
                == .inputVerification)
    }
}
