// SPDX-License-Identifier: Apache-2.0
// More of something than a build may use. Each takes `times` as much as the limit that the test set, holds it for a
// while, and says so where it is still alive then. Without a sandbox that harms no machine: the limits are small.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void hold(void) { sleep(number("seconds")); }
static long megabytes(const char *limit) { return 2L * number(limit); }

static int processes(void) {
    int wanted = 2 * number("processes"), started = 0;
    setpgid(0, 0);
    for (; started < wanted; started++) {
        pid_t child = fork();
        if (child < 0) break;
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close_range(3, ~0U, 0);
            alarm(30);
            pause();
            _exit(0);
        }
    }
    int code = errno;
    if (started == wanted) hold();
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    return started == wanted ? reached("%d processes", started) : refused(code);
}

static void *wait_in_thread(void *nothing) {
    pause();
    return nothing;
}
static int threads(void) {
    int wanted = 2 * number("processes");
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    for (int i = 0; i < wanted; i++) {
        pthread_t thread;
        int code = pthread_create(&thread, &small, wait_in_thread, NULL);
        if (code) return refused(code);
    }
    hold();
    return reached("%d threads", wanted);
}

static int memory(void) {
    long wanted = megabytes("memory");
    for (long i = 0; i < wanted; i++) {
        char *block = malloc(1 << 20);
        if (!block) return -1;
        memset(block, 1, 1 << 20);
    }
    hold();
    return reached("%ld MB of memory", wanted);
}
// The same in many processes, each of which is small.
static int memory_of_many(void) {
    long wanted = megabytes("memory");
    for (int i = 0; i < 16; i++) {
        pid_t child = fork();
        if (child < 0) return -1;
        if (child) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        size_t size = (size_t)wanted / 16 << 20;
        char *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block != MAP_FAILED) memset(block, 1, size);
        alarm(30);
        pause();
        _exit(0);
    }
    hold();
    return reached("%ld MB of memory in 16 processes", wanted);
}
// Files that are in memory and have no name.
static int files_in_memory(void) {
    long wanted = megabytes("memory");
    static char block[1 << 20];
    memset(block, 1, sizeof block);
    int file = syscall(SYS_memfd_create, "probe", 1U);
    for (long i = 0; i < wanted; i++) if (write(file, block, sizeof block) != sizeof block) return -1;
    hold();
    return reached("%ld MB in a file in memory", wanted);
}

static int fill(const char *folder, int is_deleted) {
    static char block[1 << 20];
    memset(block, 7, sizeof block);
    long wanted = megabytes("disk");
    char *path = joined("%s/%s-fill-%d", folder, target("marker"), getpid());
    int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600), result = file < 0 ? -1 : 0, code = errno;
    if (is_deleted) unlink(path);
    for (long i = 0; !result && i < wanted; i++) {
        result = write(file, block, sizeof block) == sizeof block ? 0 : -1;
        code = errno;
    }
    if (!result) hold();
    unlink(path);
    return result ? refused(code) : reached("%ld MB in %s", wanted, folder);
}
static int output(void) { return fill(getenv("OUT_DIR"), 0); }
static int temporary(void) { return fill("/tmp", 0); }
static int home(void) { return fill(getenv("HOME"), 0); }
static int shared_memory(void) { return fill("/dev/shm", 0); }
static int deleted(void) { return fill(getenv("OUT_DIR"), 1); }

static int many_files(void) {
    int wanted = 2 * number("files");
    char *folder = joined("%s/many", getenv("OUT_DIR"));
    mkdir(folder, 0755);
    int place = open(folder, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < wanted; i++) {
        char name[24];
        sprintf(name, "%d", i);
        int file = openat(place, name, O_CREAT | O_WRONLY, 0600);
        if (file < 0) return -1;
        close(file);
    }
    hold();
    return reached("%d files", wanted);
}
static int deep_folders(void) {
    if (chdir(getenv("OUT_DIR"))) return -1;
    int wanted = 2 * number("files");
    for (int i = 0; i < wanted; i++) if (mkdir("d", 0755) || chdir("d")) return -1;
    hold();
    return reached("%d folders within each other", wanted);
}
static int open_files(void) {
    int wanted = 2 * number("open-files");
    for (int i = 0; i < wanted; i++) if (open("/dev/null", O_RDONLY) < 0) return -1;
    return reached("%d open files", wanted);
}
static int large_file(void) {
    int file = open(joined("%s/large", getenv("OUT_DIR")), O_CREAT | O_WRONLY, 0600);
    off_t wanted = (off_t)megabytes("disk") << 20;
    return ftruncate(file, wanted) ? -1 : reached("a file of %ld MB without content", megabytes("disk"));
}

const struct probe probes[] = {
    {"fork-bomb", processes},
    {"thread-bomb", threads},
    {"memory-bomb", memory},
    {"memory-bomb-of-many", memory_of_many},
    {"files-in-memory", files_in_memory},
    {"fill-output", output},
    {"fill-tmp", temporary},
    {"fill-home", home},
    {"fill-dev-shm", shared_memory},
    {"fill-with-deleted-files", deleted},
    {"many-files", many_files},
    {"deep-folders", deep_folders},
    {"many-open-files", open_files},
    {"file-beyond-the-limit", large_file},
    {NULL, NULL},
};
