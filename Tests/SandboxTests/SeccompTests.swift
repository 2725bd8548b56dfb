// SPDX-License-Identifier: Apache-2.0
import Builds
import Sandbox
import Testing

/// A system call from Python, and how it must end.
struct SystemCall: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// An expression that returns what libc's syscall(2) did.
    let call: String
    let errno: String
}

@Suite("The seccomp filter", .enabled(if: Host.canProbe, Host.whyProbe))
struct SeccompTests {
    #if arch(x86_64)
        private static let (ptrace, keyctl, bpf, unshare, clone, mount, handle, perf) =
            (101, 250, 321, 272, 56, 165, 304, 298)
        private static let (userfault, shmget) = (323, 29)
    #else
        private static let (ptrace, keyctl, bpf, unshare, clone, mount, handle, perf) =
            (117, 219, 280, 97, 220, 40, 265, 241)
        private static let (userfault, shmget) = (282, 194)
    #endif

    static let calls = [
        SystemCall(testDescription: "mount", call: "s(\(mount), b'x', b'/tmp', b'tmpfs', 0, 0)", errno: "EPERM"),
        SystemCall(testDescription: "unshare a user namespace", call: "s(\(unshare), 0x10000000)", errno: "EPERM"),
        SystemCall(testDescription: "unshare a mount namespace", call: "s(\(unshare), 0x20000)", errno: "EPERM"),
        SystemCall(
            testDescription: "clone a user namespace", call: "s(\(clone), 0x10000011, 0, 0, 0, 0)", errno: "EPERM"),
        SystemCall(testDescription: "clone3", call: "s(435, 0, 0)", errno: "ENOSYS"),
        SystemCall(testDescription: "ptrace", call: "s(\(ptrace), 0, 0, 0, 0)", errno: "EPERM"),
        SystemCall(testDescription: "keyctl", call: "s(\(keyctl), 0, -3, 0)", errno: "EPERM"),
        SystemCall(testDescription: "bpf", call: "s(\(bpf), 0, 0, 0)", errno: "EPERM"),
        SystemCall(testDescription: "perf_event_open", call: "s(\(perf), 0, 0, -1, -1, 0)", errno: "EPERM"),
        SystemCall(testDescription: "userfaultfd", call: "s(\(userfault), 1)", errno: "EPERM"),
        SystemCall(testDescription: "open_by_handle_at", call: "s(\(handle), 0, 0, 0)", errno: "EPERM"),
        SystemCall(testDescription: "io_uring_setup", call: "s(425, 1, 0)", errno: "ENOSYS"),
        SystemCall(testDescription: "System V shared memory", call: "s(\(shmget), 0, 4096, 0o1600)", errno: "ENOSYS"),
        SystemCall(testDescription: "type into a terminal", call: "l.ioctl(0, 0x5412, b'x')", errno: "EPERM"),
        SystemCall(testDescription: "memory at address 0", call: "l.personality(0x100000)", errno: "EPERM"),
        SystemCall(testDescription: "all memory executable", call: "l.personality(0x400000)", errno: "EPERM"),
        SystemCall(testDescription: "an AF_PACKET socket", call: "l.socket(17, 2, 0)", errno: "EAFNOSUPPORT"),
        SystemCall(testDescription: "an AF_VSOCK socket", call: "l.socket(40, 1, 0)", errno: "EAFNOSUPPORT"),
        SystemCall(testDescription: "an AF_ALG socket", call: "l.socket(38, 5, 0)", errno: "EAFNOSUPPORT"),
        SystemCall(testDescription: "an IPv4 packet", call: "l.socket(2, 3, 1)", errno: "EPERM"),
        SystemCall(
            testDescription: "a netlink socket of the packet filter", call: "l.socket(16, 3, 12)",
            errno: "EPROTONOSUPPORT"),
    ]

    /// In namespaces of its own a program has all capabilities, so the filter alone refuses these.
    static let nested = [
        SystemCall(testDescription: "an IPv4 packet", call: "l.socket(2, 3, 1)", errno: "EPERM"),
        SystemCall(
            testDescription: "an IPv6 packet, with flags", call: "l.socket(10, 3 | 0o2004000, 58)", errno: "EPERM"),
        SystemCall(testDescription: "an IPv4 frame", call: "l.socket(2, 10, 768)", errno: "EPERM"),
        SystemCall(testDescription: "an IPv6 frame", call: "l.socket(10, 10, 768)", errno: "EPERM"),
        SystemCall(testDescription: "an AF_PACKET socket", call: "l.socket(17, 3, 768)", errno: "EAFNOSUPPORT"),
        SystemCall(testDescription: "a cgroup namespace", call: "s(\(unshare), 0x2000000)", errno: "EPERM"),
    ]

    private func answer(_ call: String, _ test: TestSandbox) async throws -> String {
        let script = """
            import ctypes, errno
            l = ctypes.CDLL(None, use_errno=True)
            s = lambda n, *a: l.syscall(ctypes.c_long(n), *[ctypes.c_long(x) if isinstance(x, int) else x for x in a])
            r = \(call)
            print('done' if r >= 0 else errno.errorcode[ctypes.get_errno()])
            """
        return try await test.run(test.python(script)).text
    }

    @Test("refuses", arguments: calls)
    func refused(call: SystemCall) async throws {
        try await TestSandbox.run { test in
            let answer = try await answer(call.call, test)
            #expect(answer == call.errno)
        }
    }

    @Test(
        "lets through what builds need",
        arguments: [
            "l.socket(1, 1, 0)", "l.socket(2, 1, 0)", "l.socket(10, 1, 0)", "l.socket(16, 3, 0)", "l.getpid()",
            "l.personality(0xFFFFFFFF)", "l.personality(0x40000)",
        ])
    func allowed(call: String) async throws {
        try await TestSandbox.run { test in
            let answer = try await answer(call, test)
            #expect(answer == "done")
        }
    }

    /// Makes user and network namespaces, and calls there.
    private func nestedAnswer(_ call: String, _ test: TestSandbox) async throws -> String {
        let script = """
            import ctypes, errno, os
            l = ctypes.CDLL(None, use_errno=True)
            s = lambda n, *a: l.syscall(ctypes.c_long(n), *[ctypes.c_long(x) for x in a])
            if l.unshare(0x10000000 | 0x40000000) != 0: raise OSError('no namespaces')
            r = \(call)
            print('done' if r >= 0 else errno.errorcode[ctypes.get_errno()])
            """
        var command = test.python(script)
        command.nestsNamespaces = true
        return try await test.run(command).text
    }

    @Test("refuses to a program in namespaces of its own", arguments: nested)
    func refusedToNesting(call: SystemCall) async throws {
        try await TestSandbox.run { test in
            let answer = try await nestedAnswer(call.call, test)
            #expect(answer == call.errno)
        }
    }

    @Test("lets Nix set up its networks", arguments: ["l.socket(2, 2, 0)", "l.socket(10, 1 | 0o2004000, 0)"])
    func allowedToNesting(call: String) async throws {
        try await TestSandbox.run { test in
            let answer = try await nestedAnswer(call, test)
            #expect(answer == "done")
        }
    }

    @Test("threads and processes start without clone3")
    func fallsBack() async throws {
        try await TestSandbox.run { test in
            let script = """
                import threading, subprocess
                t = threading.Thread(target=lambda: print(subprocess.run(['/bin/echo', 'a child']).returncode))
                t.start(); t.join()
                """
            let text = try await test.run(test.python(script)).text
            #expect(text.contains("a child"))
        }
    }

    @Test("bites: without a sandbox such a call is let through")
    func bites() async throws {
        try await TestSandbox.run(.none) { test in
            let answer = try await answer("s(\(Self.ptrace), 0, 0, 0, 0)", test)
            #expect(answer == "done")
        }
    }
}
