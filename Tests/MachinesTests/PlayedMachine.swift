// SPDX-License-Identifier: Apache-2.0
import ByteCoding
import Foundation
import Machines
import Measurements
import Processes
import Testing

/// A folder with an image, and a program that takes QEMU's place and plays a machine: it speaks QMP, has a console and
/// answers to `GET /health`, as told by the model of its processor.
final class PlayedMachine: Sendable {
    /// What it does.
    enum Role: String, CaseIterable {
        /// Answers; when its network is cut, it powers itself off.
        case ready
        /// Answers; when its network is cut, it dies.
        case mortal
        /// Answers; when its network is cut, it asks for a new start.
        case restless
        /// Answers; when its network is cut, it never answers again.
        case fading
        /// Accepts connections, and never answers.
        case deaf
        /// Answers with 503.
        case ill
        /// Sends whoever asks to another place, which answers.
        case misleading
        /// Refuses its command line.
        case broken
        /// Says something else than QMP.
        case babbling
    }

    private static let program = #"""
        #!/usr/bin/python3
        import http.server, json, os, re, signal, socket, sys, threading, time
        role = sys.argv[sys.argv.index("-cpu") + 1]
        print("\x1b[1mbooting\x1b[0m as", role, flush=True)
        if role == "broken":
            sys.exit("there is no such option")
        gone = False
        class Health(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                while gone or role == "deaf":
                    time.sleep(1)
                leads = role == "misleading" and self.path == "/health"
                self.send_response(302 if leads else 503 if role == "ill" else 200)
                if leads:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monitor = socket.socket(fileno=int(re.search(r"socket,id=qmp,fd=(\d+)", " ".join(sys.argv)).group(1)))
        def say(message):
            monitor.sendall(json.dumps(message).encode() + b"\r\n")
        say({"QMP": {"version": {}, "capabilities": []}})
        for line in monitor.makefile("r"):
            command = json.loads(line)
            result = {}
            if role == "babbling":
                say("babble")
            if command["execute"] == "human-monitor-command":
                result = ("Hub -1 (control):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port\r\n"
                    f"  TCP[HOST_FORWARD]  12  127.0.0.1 {server.server_port}  10.0.2.15  8080  0  0\r\n")
            say({"return": result, "id": command["id"]})
            if command["execute"] != "set_link":
                continue
            print("link", command["arguments"]["name"], command["arguments"]["up"], flush=True)
            if role == "mortal":
                os.kill(os.getpid(), signal.SIGKILL)
            if role in ("ready", "restless"):
                say({"event": "SHUTDOWN", "data": {"reason": "guest-shutdown" if role == "ready" else "guest-reset"}})
                sys.exit(0)
            gone = True
        """#

    let folder: String
    let settings: MachineSettings

    /// Of the kind tdx: it needs no TPM, and the program does not look at its options.
    init(_ role: Role, bootDeadline: Duration = .seconds(60), silence: Duration = .seconds(60)) throws {
        // As processes see it: without links or doubled slashes.
        let temporary = URL(filePath: NSTemporaryDirectory(), directoryHint: .isDirectory).resolvingSymlinksInPath()
        folder = temporary.appending(path: "machines-" + UUID().uuidString.prefix(13)).path
        let image = folder + "/image"
        try FileManager.default.createDirectory(atPath: image, withIntermediateDirectories: true)
        chmod(folder, 0o755)
        try Self.writeImage(image)
        try Data(Self.program.utf8).write(to: URL(filePath: folder + "/qemu"))
        try Data("firmware".utf8).write(to: URL(filePath: folder + "/firmware"))
        chmod(folder + "/qemu", 0o755)
        var settings = MachineSettings(
            image: try MachineImage(folder: image), kind: .tdx, accelerator: .kvm,
            firmware: try MachineFirmware(for: .tdx, path: folder + "/firmware"), cpus: 2, memory: 512 << 20,
            disk: 64 << 20, bootDeadline: bootDeadline, silence: silence, folder: folder + "/state",
            tpmAuthority: folder + "/ca", qemu: folder + "/qemu", cpuModel: role.rawValue)
        settings.network = .user
        self.settings = settings
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func launch() async throws(MachineError) -> Machine {
        try await MachineLaunch(settings: settings) { _ in }.run()
    }

    /// What is left of machines: files, and processes that work where they were.
    var remains: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: settings.folder)) ?? []
        let processes = ProcessTable.names(in: "/proc").filter { name in
            ProcessTable.link("/proc/\(name)/cwd")?.hasPrefix(settings.folder) == true
        }
        return files + processes
    }

    private static func writeImage(_ folder: String) throws {
        var files: [String: ImageDescription.File] = [:]
        for name in ImageDescription.Name.all {
            let bytes = Array("the bytes of \(name)".utf8)
            try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)"))
            files[name] = .init(size: bytes.count, sha256: Digest256(of: bytes))
        }
        let root = Digest256(of: [])
        let description = ImageDescription(
            name: "played", version: "1.0.0", kernelRelease: "6.12.1",
            commandLine: "quiet cupel.roothash=\(root.hex) cupel.hashoffset=8", rootHash: root, hashOffset: 8,
            files: files)
        try Data(description.canonicalBytes).write(to: URL(filePath: folder + "/image.json"))
    }
}
