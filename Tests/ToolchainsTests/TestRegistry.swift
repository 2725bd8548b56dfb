// SPDX-License-Identifier: Apache-2.0
import Builds
import Foundation
import Testing

/// A registry of one crate, `dep 1.0.0`, served over HTTP from a folder by Python.
final class TestRegistry: Sendable {
    let url: String
    let checksum: String
    private let folder: TestProject
    private let server: Process

    private static let script = """
        import functools, http.server, sys
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    init() async throws {
        folder = try TestProject([
            "dep-1.0.0/Cargo.toml": "[package]\nname = \"dep\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
            "dep-1.0.0/src/lib.rs": "pub fn seven() -> u8 { 7 }\n",
            "crates/.keep": "",
        ])
        let pack = Command(
            "/bin/tar", ["czf", "crates/dep-1.0.0.crate", "dep-1.0.0"], environment: ["PATH": "/usr/bin:/bin"],
            workingDirectory: folder.root, network: false, writable: [], timeLimit: 60)
        try #require(try await PlainRunner().run(pack) { (_, _) throws(BuildFailure) in }.succeeded)
        checksum = try folder.digest("crates/dep-1.0.0.crate")
        server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        server.arguments = ["python3", "-c", Self.script, folder.root]
        let output = Pipe()
        server.standardOutput = output
        server.standardError = FileHandle.nullDevice
        try server.run()
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        url = "http://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))"
        try folder.write("index/config.json", "{\"dl\":\"\(url)/crates/{crate}-{version}.crate\"}")
        let entry = "\"name\":\"dep\",\"vers\":\"1.0.0\",\"deps\":[],\"features\":{},\"yanked\":false"
        try folder.write("index/3/d/dep", "{\(entry),\"cksum\":\"\(checksum)\"}\n")
    }

    deinit { server.terminate() }
}
