// SPDX-License-Identifier: Apache-2.0
// More rights than a build is given: users, capabilities, limits, the processor.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int capabilities(void) {
    char line[256];
    unsigned long effective = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return -1;
    while (fgets(line, sizeof line, file)) sscanf(line, "CapEff: %lx", &effective);
    fclose(file);
    return effective ? reached("%lx", effective) : refused(EPERM);
}

static int become_root(void) { return setresuid(0, 0, 0) || setgid(0) ? -1 : reached("user 0"); }
static int other_groups(void) {
    gid_t group = 6;
    return setgid(group) ? -1 : reached("the group of disks");
}

// A file of user 0 that makes whoever runs it user 0.
static int setuid_file(void) {
    char *place = joined("/tmp/%s-setuid", target("marker"));
    int file = open(place, O_CREAT | O_EXCL | O_WRONLY, 0755);
    if (file < 0) return -1;
    struct stat status;
    int failed = fchown(file, 0, 0) || fchmod(file, 04755) || fstat(file, &status), code = errno;
    unlink(place);
    if (failed) return refused(code);
    return status.st_uid == 0 && status.st_mode & S_ISUID ? reached("a setuid file of user 0") : refused(EPERM);
}

static int lift(int resource, rlim_t wanted, const char *what) {
    struct rlimit limit = {wanted, wanted};
    return setrlimit(resource, &limit) ? -1 : reached("%s", what);
}
// Above what the service gives by default.
static int more_files(void) { return lift(RLIMIT_NOFILE, 5000, "5000 open files"); }
static int more_processes(void) { return lift(RLIMIT_NPROC, 5000, "5000 processes"); }
static int larger_files(void) { return lift(RLIMIT_FSIZE, RLIM_INFINITY, "files of any size"); }
static int more_memory(void) { return lift(RLIMIT_DATA, RLIM_INFINITY, "memory without limit"); }

// A dump is written where the machine wants it, by the machine.
static int core_dump(void) {
    pid_t child = fork();
    int status;
    if (child == 0) {
        if (lift(RLIMIT_CORE, RLIM_INFINITY, "") || chdir("/tmp")) _exit(0);
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    waitpid(child, &status, 0);
    unlink("/tmp/core");
    unlink(joined("/tmp/core.%d", child));
    return WIFSIGNALED(status) ? reached("a process that may dump") : refused(EPERM);
}

static int nice_level(void) { return setpriority(PRIO_PROCESS, 0, -20) ? -1 : reached("nice -20"); }
static int real_time(void) {
    struct sched_param parameter = {.sched_priority = 99};
    return sched_setscheduler(0, SCHED_FIFO, &parameter) ? -1 : reached("real time 99");
}
static int disk_priority(void) {
    return syscall(SYS_ioprio_set, 1, 0, 1 << 13) ? -1 : reached("the disk in real time");
}
static int never_killed(void) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY);
    return file < 0 || write(file, "-1000", 5) != 5 ? -1 : reached("never killed for memory");
}
static int pinned_memory(void) {
    size_t size = 64 << 20;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED || mlock(memory, size) ? -1 : reached("64 MiB pinned");
}
const struct probe probes[] = {
    {"capabilities", capabilities},
    {"become-root", become_root},
    {"other-groups", other_groups},
    {"make-setuid-file", setuid_file},
    {"raise-open-files", more_files},
    {"raise-processes", more_processes},
    {"raise-file-size", larger_files},
    {"raise-memory", more_memory},
    {"core-dump", core_dump},
    {"nice", nice_level},
    {"real-time-scheduling", real_time},
    {"real-time-disk", disk_priority},
    {"never-killed-for-memory", never_killed},
    {"pin-memory", pinned_memory},
    {NULL, NULL},
};
