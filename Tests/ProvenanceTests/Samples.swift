// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Provenance
import StrictJSON

/// A small build's facts; tests change what they are about.
enum Samples {
    static func digest(_ text: String) -> Digest256 { Digest256(of: Array(text.utf8)) }

    static func input(_ uri: String) -> ResourceDescriptor {
        ResourceDescriptor(uri: uri, digest: ["sha256": digest(uri).hex])
    }

    static func tool(_ name: String) -> ResourceDescriptor {
        ResourceDescriptor(name: name, digest: ["sha256": digest(name).hex], annotations: ["version": "1"])
    }

    static let commit = String(repeating: "ab", count: 20)

    static func facts() -> BuildFacts {
        BuildFacts(
            buildType: BuildFacts.buildTypeBase + "cargo-v1.md",
            source: ResolvedSource(
                descriptor: ResourceDescriptor(
                    uri: "git+https://example.com/p@main", digest: ["gitCommit": commit, "gitTree": commit]),
                externalParameters: ["uri": "git+https://example.com/p", "ref": "main"]),
            nonceHex: "00ff", isolation: "sandbox", internalParameters: ["sandbox": ["seccomp": true]],
            tools: [tool("rustc"), tool("cargo")], commandLine: ["cargo", "build"], environment: ["LC_ALL": "C.UTF-8"],
            phases: [Phase(name: "build", network: false, commandLine: ["cargo", "build"])],
            lockfile: ResourceDescriptor(name: "Cargo.lock", digest: ["sha256": digest("lock").hex]),
            dependencies: [input("pkg:cargo/b@1"), input("pkg:cargo/a@1")], builderID: "https://example.com/builder",
            builderVersion: ["cupel": "0.1.0"], invocationID: "job", attempt: 1, startedOn: "2026-01-01T00:00:00Z",
            finishedOn: "2026-01-01T00:01:00Z", logDigest: digest("log"), launchMeasurement: nil,
            subjects: [
                Subject(name: "z", sha256: digest("z")), Subject(name: "lib/a.so", sha256: digest("a")),
            ])
    }
}
