// SPDX-License-Identifier: Apache-2.0
import Builds
import CProcess
import CSeccomp
import Foundation

/// The seccomp program of every confined command: what builds need is allowed, what reaches around the sandbox or into
/// rarely used parts of the kernel is refused. Programs of another architecture are killed.
enum SeccompFilter {
    /// Refused with EPERM.
    static let refused = [
        // Mounts and namespaces.
        "mount", "umount", "umount2", "pivot_root", "chroot", "setns", "move_mount", "open_tree", "fsopen", "fsconfig",
        "fsmount", "fspick", "mount_setattr",
        // Other processes.
        "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd",
        // The kernel's own memory, code and keys.
        "bpf", "perf_event_open", "userfaultfd", "add_key", "request_key", "keyctl", "kexec_load", "kexec_file_load",
        "init_module", "finit_module", "delete_module", "lookup_dcookie", "syslog", "fanotify_init",
        // Handles that pass by the mount namespace.
        "open_by_handle_at", "name_to_handle_at",
        // The machine.
        "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "settimeofday", "clock_settime",
        "clock_adjtime", "adjtimex", "iopl", "ioperm", "modify_ldt", "vhangup", "nfsservctl",
    ]

    /// Of these, what a program needs that confines others in namespaces of its own. The kernel still asks for the
    /// capabilities, which it has in its own user namespace only.
    static let nesting: Set<String> = ["mount", "umount", "umount2", "pivot_root", "chroot", "setns"]

    /// Refused with ENOSYS, so that programs fall back to what can be filtered, and to memory that can be counted.
    static let absent = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "shmget"]

    /// CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (clone(2), unshare(2)).
    private static let namespaceFlags: [UInt64] = [
        0x80, 0x20000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]
    /// Of these, the ones that stay refused to a program that nests: CLONE_NEWTIME, NEWCGROUP.
    private static let flagsNeverNested: [UInt64] = [0x80, 0x0200_0000]

    /// AF_NETLINK, of which getaddrinfo needs protocol 0 (NETLINK_ROUTE).
    private static let netlink: UInt64 = 16
    /// With AF_UNIX, AF_INET and AF_INET6.
    private static let families: Set<UInt64> = [1, 2, 10, netlink]

    /// AF_INET and AF_INET6, of which builds need no packets of their own making.
    private static let internet: [UInt64] = [2, 10]
    /// SOCK_RAW and SOCK_PACKET, below the flags in the type (socket(2)). To a program that nests, the kernel would give
    /// them in a network namespace of its own.
    private static let rawTypes: [UInt64] = [3, 10]
    private static let typeMask: UInt64 = 0xF

    /// Personalities that change how memory is laid out (personality(2)): MMAP_PAGE_ZERO, READ_IMPLIES_EXEC. The highest
    /// bit is set in the question for the present one, which is let through.
    private static let personalities: [UInt64] = [0x10_0000, 0x40_0000]
    private static let personalityQuestion: UInt64 = 0x8000_0000

    /// Terminal ioctls that type for somebody else: TIOCSTI, TIOCLINUX.
    private static let terminalRequests: [UInt64] = [0x5412, 0x541C]

    /// The program in the kernel's form.
    ///
    /// - Parameter nestsNamespaces: whether commands may make namespaces and mounts of their own.
    static func program(nestsNamespaces: Bool = false) throws(BuildFailure) -> [UInt8] {
        guard let context = seccomp_init(UInt32(0x7FFF_0000)) else { throw failure("could not begin") }
        defer { seccomp_release(context) }
        // A binary tree instead of a list: the program runs at every system call of the build.
        seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        for name in refused where !nestsNamespaces || !nesting.contains(name) {
            try add(context, errno: EPERM, name, [])
        }
        for name in absent { try add(context, errno: ENOSYS, name, []) }
        for flag in nestsNamespaces ? flagsNeverNested : namespaceFlags {
            // The lowest bits of clone's flags are the signal: NEWTIME exists for unshare alone.
            if flag > 0xFF { try add(context, errno: EPERM, "clone", [masked(0, flag, flag)]) }
            try add(context, errno: EPERM, "unshare", [masked(0, flag, flag)])
        }
        for request in terminalRequests { try add(context, errno: EPERM, "ioctl", [masked(1, 0xFFFF_FFFF, request)]) }
        for personality in personalities {
            let asked = masked(0, personality | personalityQuestion, personality)
            try add(context, errno: EPERM, "personality", [asked])
        }
        let highest = families.max() ?? 0
        for family in 0..<highest where !families.contains(family) {
            try add(context, errno: EAFNOSUPPORT, "socket", [compare(0, SCMP_CMP_EQ, family)])
        }
        try add(context, errno: EAFNOSUPPORT, "socket", [compare(0, SCMP_CMP_GT, highest)])
        let otherProtocols = [compare(0, SCMP_CMP_EQ, netlink), compare(2, SCMP_CMP_NE, 0)]
        try add(context, errno: EPROTONOSUPPORT, "socket", otherProtocols)
        for family in internet {
            for type in rawTypes {
                let raw = [compare(0, SCMP_CMP_EQ, family), masked(1, typeMask, type)]
                try add(context, errno: EPERM, "socket", raw)
            }
        }
        return try export(context)
    }

    private static func add(
        _ context: scmp_filter_ctx, errno code: Int32, _ name: String, _ conditions: [scmp_arg_cmp]
    ) throws(BuildFailure) {
        let number = seccomp_syscall_resolve_name(name)
        // Unknown to this architecture or this library: then no program can call it by a name of this list.
        guard number >= 0 else { return }
        let action = 0x0005_0000 | UInt32(code)
        let status = conditions.withUnsafeBufferPointer {
            seccomp_rule_add_array(context, action, number, UInt32($0.count), $0.baseAddress)
        }
        guard status == 0 else { throw failure("refused the rule for '\(name)' (\(status))") }
    }

    private static func masked(_ argument: UInt32, _ mask: UInt64, _ value: UInt64) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
    }

    private static func compare(_ argument: UInt32, _ operation: scmp_compare, _ value: UInt64) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: operation, datum_a: value, datum_b: 0)
    }

    private static func export(_ context: scmp_filter_ctx) throws(BuildFailure) -> [UInt8] {
        let (reader, writer) = try pipe()
        let status = seccomp_export_bpf(context, writer)
        close(writer)
        defer { close(reader) }
        var program = [UInt8](repeating: 0, count: pipeCapacity)
        let count = read(reader, &program, program.count)
        guard status == 0, count > 0, count < pipeCapacity else { throw failure("could not be written") }
        return Array(program[..<count])
    }

    /// A descriptor from which `program` can be read once.
    static func descriptor(of program: [UInt8]) throws(BuildFailure) -> Int32 {
        let (reader, writer) = try pipe()
        let count = write(writer, program, program.count)
        close(writer)
        guard count == program.count else {
            close(reader)
            throw failure("could not be handed over")
        }
        return reader
    }

    /// What a pipe holds without a reader (pipe(7)); programs are much smaller.
    private static let pipeCapacity = 64 << 10

    private static func pipe() throws(BuildFailure) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard cprocess_pipe(&ends, false) == 0 else { throw failure("could not be handed over") }
        return (ends[0], ends[1])
    }

    private static func failure(_ what: String) -> BuildFailure {
        BuildFailure(.sandbox, "the seccomp filter \(what): check the installed libseccomp")
    }
}
