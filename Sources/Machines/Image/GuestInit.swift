// SPDX-License-Identifier: Apache-2.0

/// The first process of a machine that builds once, as the image has it.
public enum GuestInit {
    /// Where it stands in the root: what the initrd hands over to.
    public static let path = "/usr/lib/cupel/init"

    /// A script for BusyBox's shell (BusyBox 1.35). It mounts what is missing, hardens the kernel, runs the agent as its
    /// child, reaps whatever loses its parent, and powers off when the agent ends, however that is. If this script itself
    /// ends, the kernel panics, which ends the machine as well (`panic=-1`).
    public static let script = #"""
        #!/bin/busybox sh
        # SPDX-License-Identifier: Apache-2.0
        PATH=/usr/sbin:/usr/bin; export PATH
        exec </dev/null >/dev/console 2>&1
        umask 022

        # What was written is nobody's any more: nothing is synced.
        off() {
            [ -z "$1" ] || echo "cupel-init: error: $1"
            busybox poweroff -n -f
            echo o >/proc/sysrq-trigger
            while :; do busybox sleep 1; done
        }

        # Only the agent's disk can be written, and these, in memory.
        busybox mkdir -p /dev/shm /dev/pts
        busybox mount -a -T /proc/self/fd/0 <<'END' || off 'the system folders could not be mounted'
        proc /proc proc remount,nosuid,nodev,noexec 0 0
        tmpfs /run tmpfs nosuid,nodev,noexec,mode=755,size=4m 0 0
        tmpfs /tmp tmpfs nosuid,nodev,noexec,mode=1777,size=16m 0 0
        tmpfs /dev/shm tmpfs nosuid,nodev,noexec,mode=1777,size=16m 0 0
        devpts /dev/pts devpts nosuid,noexec,mode=600,ptmxmode=666 0 0
        cgroup2 /sys/fs/cgroup cgroup2 nosuid,nodev,noexec,nsdelegate 0 0
        END

        # The kernel's log of what the firmware measured, and the interface to a confidential machine's reports.
        busybox mount -t securityfs -o ro,nosuid,nodev,noexec securityfs /sys/kernel/security ||
            off 'securityfs could not be mounted'
        [ ! -d /sys/kernel/config ] ||
            busybox mount -t configfs -o nosuid,nodev,noexec configfs /sys/kernel/config ||
            off 'configfs could not be mounted'
        busybox mount -o remount,ro,nosuid,nodev,noexec /sys || off '/sys could not be made read-only'

        # What the kernel has of these is set, or the machine does not run.
        while read -r name value; do
            [ -z "$name" ] || [ ! -e "/proc/sys/$name" ] || echo "$value" >"/proc/sys/$name" ||
                off "$name could not be set"
        done <<'END'
        kernel/hostname cupel-guest
        kernel/sysrq 0
        kernel/kptr_restrict 2
        kernel/dmesg_restrict 1
        kernel/perf_event_paranoid 3
        kernel/unprivileged_bpf_disabled 1
        kernel/yama/ptrace_scope 2
        kernel/kexec_load_disabled 1
        kernel/io_uring_disabled 2
        kernel/panic_on_oops 1
        kernel/modules_disabled 1
        net/core/bpf_jit_harden 2
        net/ipv6/conf/all/disable_ipv6 1
        dev/tty/ldisc_autoload 0
        fs/protected_symlinks 1
        fs/protected_hardlinks 1
        fs/protected_fifos 2
        fs/protected_regular 2
        vm/unprivileged_userfaultfd 0
        END

        # The agent's own part of the control groups, which it divides among builds.
        echo '+cpu +io +memory +pids' >/sys/fs/cgroup/cgroup.subtree_control || off 'control groups are missing'
        busybox mkdir /sys/fs/cgroup/cupel || off 'the control group of the agent could not be made'

        ulimit -c 0
        ulimit -n 65536
        busybox env -i PATH="$PATH" LC_ALL=C.UTF-8 busybox sh -c \
            'echo $$ >/sys/fs/cgroup/cupel/cgroup.procs && exec /usr/lib/cupel/cupel-guest' &
        agent=$!
        wait "$agent"
        status=$?
        [ "$status" = 0 ] && off ''
        off "the agent ended with $status"

        """#
}
