// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Serves the bare repositories of a folder over HTTP with git's own `git http-backend`: `/git/…` as it is,
/// `/redirect/…` as a redirect, `/private/…` asking for a password, `/dumb/…` as plain files.
final class GitServer {
    let folder: String
    let port: Int
    private let process: Process

    static let isAvailable = ["/usr/bin/python3", "/usr/lib/git-core/git-http-backend"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    init(folder: String) throws {
        self.folder = folder
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.script, folder]
        let output = Pipe()
        let input = Pipe()
        process.standardOutput = output
        process.standardInput = input
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") {
            let piece = output.fileHandleForReading.availableData
            if piece.isEmpty { break }
            line += String(decoding: piece, as: UTF8.self)
        }
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CocoaError(.executableLoad)
        }
        self.port = port
        self.input = input
    }

    /// The server ends when this closes, also where the tests crash.
    private let input: Pipe

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func url(_ repository: String, under prefix: String = "git") -> String {
        "http://127.0.0.1:\(port)/\(prefix)/\(repository)"
    }

    private static let script = #"""
        import http.server, os, subprocess, sys, threading
        root = sys.argv[1]
        class Bridge(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *a): super().__init__(*a, directory=root)
            def log_message(self, *a): pass
            def do_GET(self): self.route()
            def do_POST(self): self.route()
            def route(self):
                prefix, _, rest = self.path[1:].partition("/")
                if prefix == "redirect": return self.answer(302, {"Location": "/git/" + rest})
                if prefix == "private": return self.answer(401, {"WWW-Authenticate": "Basic realm=x"})
                if prefix == "dumb":
                    self.path = "/" + rest.partition("?")[0]
                    return super().do_GET()
                if prefix == "git": return self.backend("/" + rest)
                self.answer(404, {})
            def answer(self, status, headers):
                self.send_response(status)
                for key, value in headers.items(): self.send_header(key, value)
                self.send_header("Content-Length", "0"); self.end_headers()
            def backend(self, path):
                path, _, query = path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while (n := int(self.rfile.readline(), 16)): body += self.rfile.read(n); self.rfile.readline()
                env = {"PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                       "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
                       "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                       "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_GLOBAL": "/dev/null",
                       "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "GIT_CONFIG_COUNT": "1",
                       "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
                out = subprocess.run(["/usr/lib/git-core/git-http-backend"], input=body, env=env, capture_output=True).stdout
                head, _, rest = out.partition(b"\r\n\r\n")
                headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n") if line)
                self.send_response(int(headers.pop("Status", "200").split()[0]))
                for key, value in headers.items(): self.send_header(key, value)
                self.send_header("Content-Length", str(len(rest))); self.end_headers()
                self.wfile.write(rest)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        """#
}
