// SPDX-License-Identifier: Apache-2.0
// Files and processes of the machine, of the service and of other builds.
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int look_into(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return -1;
    int entries = 0;
    while (readdir(folder)) entries++;
    closedir(folder);
    return reached("%s with %d entries", path, entries - 2);
}

// The first entry of a folder for which the rest of the path holds the text.
static int find_below(const char *path, const char *rest, const char *text) {
    DIR *folder = opendir(path);
    if (!folder) return -1;
    int result = refused(ENOMSG);
    for (struct dirent *entry; result && (entry = readdir(folder));) {
        if (entry->d_name[0] != '.') result = try_find(joined("%s/%s%s", path, entry->d_name, rest), text);
    }
    closedir(folder);
    return result;
}

// Has to come first: the other build does not wait for long.
static int other_build(void) {
    return find_below(joined("%s/workspaces", target("data")), "/source/secret", target("secret-of-other"));
}
static int host_file(void) { return try_find(target("file"), target("secret")); }
static int passwords(void) { return try_open("/etc/shadow", O_RDONLY); }
static int operators_home(void) { return look_into(target("home")); }
static int other_folders(void) {
    const char *places[] = {"/root", "/home", "/var/log", "/run", "/boot", "/sys/kernel", "/srv", "/opt", "/mnt"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!look_into(places[i])) return 0;
    return -1;
}
static int database(void) { return try_open(joined("%s/cupel.sqlite", target("data")), O_RDWR); }
static int signing_key(void) { return try_open(joined("%s/software.key", target("data")), O_RDONLY); }
static int other_results(void) { return look_into(joined("%s/jobs", target("data"))); }
static int first_process(void) { return try_open("/proc/1/root/etc/shadow", O_RDONLY); }
static int servers_root(void) {
    return try_find(joined("/proc/%s/root%s", target("server"), target("file")), target("secret"));
}
static int environments(void) { return find_below("/proc", "/environ", target("secret-of-environment")); }
static int command_lines(void) { return find_below("/proc", "/cmdline", target("secret-of-command-line")); }
static int servers_memory(void) { return try_open(joined("/proc/%s/mem", target("server")), O_RDWR); }
static int servers_descriptors(void) { return look_into(joined("/proc/%s/fd", target("server"))); }
static int signal_to_server(void) { return kill(number("server"), 0) ? -1 : reached("process %d", number("server")); }
static int kill_a_process(void) { return kill(number("prey"), SIGKILL) ? -1 : reached("process %d", number("prey")); }

static int trace_a_process(void) {
    if (ptrace(PTRACE_SEIZE, number("victim"), 0, 0)) return -1;
    return reached("process %d", number("victim"));
}

static int read_a_process(void) {
    FILE *maps = fopen(joined("/proc/%s/maps", target("victim")), "r");
    unsigned long begin = 0;
    if (maps && fscanf(maps, "%lx", &begin) != 1) begin = 0;
    char bytes[16];
    struct iovec here = {bytes, sizeof bytes}, there = {(void *)begin, sizeof bytes};
    if (process_vm_readv(number("victim"), &here, 1, &there, 1, 0) < 0) return -1;
    return reached("memory of process %d", number("victim"));
}

static int take_a_descriptor(void) {
    int process = syscall(SYS_pidfd_open, number("victim"), 0);
    if (process < 0) return -1;
    int taken = syscall(SYS_pidfd_getfd, process, 1, 0);
    return taken < 0 ? -1 : reached("a file of process %d", number("victim"));
}

// A program cannot be written while it runs, but a path to it that was opened before leads to it afterwards. Within a
// sandbox the first process is what confines.
static int overwrite_a_program(void) {
    int program = open(joined("/proc/%s/exe", target("runner")), O_PATH);
    if (program >= 0) kill(number("runner"), SIGKILL);
    else program = open("/proc/1/exe", O_PATH);
    if (program < 0) return -1;
    for (int i = 0; i < 100; i++) {
        if (!try_open(joined("/proc/self/fd/%d", program), O_WRONLY)) return 0;
        if (errno != ETXTBSY) return -1;
        usleep(10000);
    }
    return -1;
}

static int open_by_handle(void) {
    struct { struct file_handle handle; char room[128]; } place = {.handle.handle_bytes = 128};
    int mount;
    if (name_to_handle_at(AT_FDCWD, "/", &place.handle, &mount, 0)) return -1;
    int root = open("/", O_RDONLY), file = open_by_handle_at(root, &place.handle, O_RDONLY);
    return file < 0 ? -1 : reached("/ by its handle");
}

static int write_programs(void) { return try_create("/usr/bin"); }
static int write_settings(void) { return try_create("/etc"); }
static int write_source(void) { return try_open("src/main.rs", O_WRONLY); }
static int write_lockfile(void) { return try_open("Cargo.lock", O_WRONLY); }
static int write_dependencies(void) { return try_create(getenv("CARGO_HOME") ? getenv("CARGO_HOME") : "/nonexistent"); }
static int write_toolchain(void) {
    char place[PATH_MAX];
    if (!realpath(getenv("RUSTC") ? getenv("RUSTC") : "/usr/bin/rustc", place)) return -1;
    return try_create(dirname(place));
}
static int write_service(void) { return try_create(target("data")); }

const struct probe probes[] = {
    {"other-builds-source", other_build},
    {"host-file", host_file},
    {"password-file", passwords},
    {"operators-home", operators_home},
    {"folders-of-the-machine", other_folders},
    {"service-database", database},
    {"service-signing-key", signing_key},
    {"other-builds-results", other_results},
    {"root-of-process-1", first_process},
    {"root-of-the-server", servers_root},
    {"environments-of-processes", environments},
    {"command-lines-of-processes", command_lines},
    {"memory-of-the-server", servers_memory},
    {"descriptors-of-the-server", servers_descriptors},
    {"signal-to-the-server", signal_to_server},
    {"kill-a-process", kill_a_process},
    {"ptrace-a-process", trace_a_process},
    {"process-vm-readv", read_a_process},
    {"pidfd-getfd", take_a_descriptor},
    {"overwrite-a-running-program", overwrite_a_program},
    {"open-by-handle", open_by_handle},
    {"write-system-programs", write_programs},
    {"write-system-settings", write_settings},
    {"write-source-after-hashing", write_source},
    {"write-lockfile-after-hashing", write_lockfile},
    {"write-dependencies", write_dependencies},
    {"write-toolchain", write_toolchain},
    {"write-service-folder", write_service},
    {NULL, NULL},
};
