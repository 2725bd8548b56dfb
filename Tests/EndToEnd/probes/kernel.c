// SPDX-License-Identifier: Apache-2.0
// Ways around a sandbox, and parts of the kernel that no build needs.
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int did(long result, const char *what) { return result < 0 ? -1 : reached("%s", what); }

static int trace_child(void) { return did(ptrace(PTRACE_TRACEME, 0, 0, 0), "ptrace"); }
static int user_namespace(void) { return did(unshare(CLONE_NEWUSER), "a user namespace"); }
static int mount_namespace(void) { return did(unshare(CLONE_NEWNS), "a mount namespace"); }
static int network_namespace(void) { return did(unshare(CLONE_NEWNET), "a network namespace"); }
static int time_namespace(void) { return did(unshare(0x80), "a time namespace"); }
static int clone_namespace(void) {
    pid_t child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    return did(child, "a process namespace");
}
static int clone3_namespace(void) {
    struct clone_args arguments = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
    pid_t child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) _exit(0);
    return did(child, "a process namespace");
}
static int join_namespace(void) {
    int space = open("/proc/self/ns/uts", O_RDONLY);
    return did(setns(space, 0), "a namespace");
}
static int mount_memory(void) {
    char place[] = "/tmp/probe-mount-XXXXXX";
    if (!mkdtemp(place)) return -1;
    int result = mount(target("marker"), place, "tmpfs", 0, NULL), code = errno;
    if (!result) umount2(place, MNT_DETACH);
    rmdir(place);
    errno = code;
    return did(result, "a file system");
}
static int remount_root(void) {
    return did(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL), "/ is mounted again");
}
static int new_mount_call(void) { return did(syscall(SYS_fsopen, "tmpfs", 0), "fsopen"); }
static int clone_of_a_tree(void) { return did(syscall(SYS_open_tree, AT_FDCWD, "/", 1 | O_CLOEXEC), "a copy of /"); }
// The way out of a root folder: a second one below, then up beyond the first.
static int change_root(void) {
    char place[] = "/tmp/probe-root-XXXXXX";
    if (!mkdtemp(place)) return -1;
    int result = chroot(place), code = errno;
    for (int i = 0; !result && i < 64; i++) result = chdir("..");
    rmdir(place);
    if (!result) result = chroot(".");
    else errno = code;
    return result ? -1 : try_open("/etc/shadow", O_RDONLY);
}
static int load_program(void) {
    union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return did(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes), "a map");
}
static int count_events(void) {
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .config = PERF_COUNT_SW_CONTEXT_SWITCHES};
    return did(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0), "events of a processor");
}
static int ring(void) {
    char parameters[120] = {0};
    return did(syscall(SYS_io_uring_setup, 4, parameters), "a ring");
}
static int page_faults(void) { return did(syscall(SYS_userfaultfd, O_CLOEXEC), "page faults"); }
static int keys(void) { return did(syscall(SYS_add_key, "user", target("marker"), "x", 1, -2), "a key"); }
static int watch_files(void) {
    int watch = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
    if (watch < 0) return -1;
    return did(fanotify_mark(watch, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "/"), "files that are opened");
}
static int compare_processes(void) {
    return did(syscall(SYS_kcmp, getpid(), getppid(), 0, 0, 0), "an order of kernel addresses");
}
static int ports(void) { return did(iopl(3), "the machine's ports"); }
static int descriptor_table(void) {
    struct { unsigned number, base, limit, flags; } entry = {.limit = 1};
    return did(syscall(SYS_modify_ldt, 0x11, &entry, sizeof entry), "a segment");
}
static int kernel_log(void) {
    static char log[4096];
    return did(klogctl(3, log, sizeof log), "the kernel's log");
}
static int kernel_log_device(void) { return try_open("/dev/kmsg", O_RDONLY); }
static int set_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return did(clock_settime(CLOCK_REALTIME, &now), "the clock");
}
static int accounting(void) { return did(acct(NULL), "accounting"); }
static int host_name(void) {
    char name[65];
    gethostname(name, sizeof name);
    return did(sethostname(name, strlen(name)), "the machine's name");
}
// The same value as before: nothing changes where it is let through.
static int write_same(const char *path) {
    char text[256];
    int file = open(path, O_RDWR);
    if (file < 0) return -1;
    ssize_t count = read(file, text, sizeof text);
    if (count <= 0) return -1;
    return pwrite(file, text, count, 0) == count ? reached("%s", path) : -1;
}
static int kernel_setting(void) { return write_same("/proc/sys/kernel/core_pattern"); }
static int kernel_object(void) { return write_same("/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan"); }
static int control_group(void) {
    const char *roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids"};
    int result = -1;
    for (size_t i = 0; result && i < sizeof roots / sizeof *roots; i++) {
        char *place = joined("%s/%s", roots[i], target("marker"));
        result = did(mkdir(place, 0755), place);
        if (!result) rmdir(place);
    }
    return result;
}
static int block_device(void) {
    DIR *folder = opendir("/dev");
    int result = refused(ENOENT);
    for (struct dirent *entry; folder && result && (entry = readdir(folder));) {
        if (entry->d_type == DT_BLK) result = try_open(joined("/dev/%s", entry->d_name), O_RDONLY);
    }
    return result;
}
static int device_node(void) {
    char *place = joined("/tmp/%s-device", target("marker"));
    if (mknod(place, S_IFCHR | 0600, makedev(1, 1))) return -1;
    unlink(place);
    return reached("a node for the machine's memory");
}
static int shared_memory(void) { return did(syscall(SYS_shmget, 0, 4096, 0600), "memory that nobody's is"); }
static int type_into_terminal(void) {
    int terminal = open(target("terminal"), O_RDWR | O_NOCTTY);
    return terminal < 0 ? -1 : did(ioctl(terminal, TIOCSTI, "x"), target("terminal"));
}
// Memory at address 0, where the kernel's own faults would look.
static int memory_at_zero(void) {
    return personality(MMAP_PAGE_ZERO) < 0 ? -1 : reached("MMAP_PAGE_ZERO");
}
#ifdef __x86_64__
// ptrace(PTRACE_TRACEME) as a program of 32 bits calls it.
static int calls_of_32_bits(void) {
    long result = 26;
    __asm__ volatile("int $0x80"
                     : "+a"(result) : "b"(0L), "c"(0L), "d"(0L), "S"(0L) : "memory", "r8", "r9", "r10", "r11");
    return result < 0 ? refused(-result) : reached("ptrace by int 0x80");
}
static int calls_of_x32(void) {
    if (syscall(0x40000000 | SYS_getpid) < 0) return errno == ENOSYS ? absent("the kernel has no x32") : -1;
    return reached("getpid of x32");
}
#endif
// What runs from memory has no name, and must be as confined as all else.
static int run_from_memory(void) {
    int program = memfd_create("probe", MFD_CLOEXEC), own = open("/proc/self/exe", O_RDONLY), ends[2];
    static char block[1 << 16];
    for (ssize_t count; (count = read(own, block, sizeof block)) > 0;)
        if (write(program, block, count) != count) return -1;
    if (pipe(ends)) return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        char *arguments[] = {"probe", (char *)target("targets"), "ptrace", NULL}, *none[] = {NULL};
        fexecve(program, arguments, none);
        _exit(1);
    }
    close(ends[1]);
    ssize_t count = read(ends[0], block, sizeof block - 1);
    waitpid(child, NULL, 0);
    block[count > 0 ? count : 0] = 0;
    return strstr(block, "REACHED") ? reached("ptrace from memory") : refused(EPERM);
}

const struct probe probes[] = {
    {"ptrace", trace_child},
    {"user-namespace", user_namespace},
    {"mount-namespace", mount_namespace},
    {"network-namespace", network_namespace},
    {"time-namespace", time_namespace},
    {"clone-with-namespace", clone_namespace},
    {"clone3-with-namespace", clone3_namespace},
    {"setns", join_namespace},
    {"mount", mount_memory},
    {"remount-root", remount_root},
    {"fsopen", new_mount_call},
    {"open-tree", clone_of_a_tree},
    {"chroot-escape", change_root},
    {"bpf", load_program},
    {"perf-event-open", count_events},
    {"io-uring", ring},
    {"userfaultfd", page_faults},
    {"add-key", keys},
    {"fanotify", watch_files},
    {"kcmp", compare_processes},
    {"iopl", ports},
    {"modify-ldt", descriptor_table},
    {"kernel-log", kernel_log},
    {"kernel-log-device", kernel_log_device},
    {"set-clock", set_clock},
    {"process-accounting", accounting},
    {"set-host-name", host_name},
    {"write-sysctl", kernel_setting},
    {"write-sysfs", kernel_object},
    {"make-cgroup", control_group},
    {"read-block-device", block_device},
    {"make-device-node", device_node},
    {"sysv-shared-memory", shared_memory},
    {"type-into-a-terminal", type_into_terminal},
    {"memory-at-address-0", memory_at_zero},
#ifdef __x86_64__
    {"int-0x80", calls_of_32_bits},
    {"x32", calls_of_x32},
#endif
    {"exec-from-memory", run_from_memory},
    {NULL, NULL},
};
