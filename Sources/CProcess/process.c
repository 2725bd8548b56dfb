// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int cprocess_pipe(int ends[2], bool nonblocking) {
    return pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

int cprocess_watch(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int cprocess_kill(int watched) { return (int)syscall(SYS_pidfd_send_signal, watched, SIGKILL, NULL, 0); }

long long cprocess_memory_in_use(const char *path) {
    struct statfs status;
    if (statfs(path, &status) != 0) return -1;
    if (status.f_type != TMPFS_MAGIC && status.f_type != RAMFS_MAGIC) return -1;
    if (status.f_blocks == 0) return -2;
    return (long long)(status.f_blocks - status.f_bfree) * status.f_bsize;
}

static int open_below(int parent, const char *path, int flags) {
    struct open_how how = {
        .flags = (unsigned)(flags | O_DIRECTORY | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    return (int)syscall(SYS_openat2, parent, path, &how, sizeof how);
}

int cprocess_open_folder(int parent, const char *path) { return open_below(parent, path, O_RDONLY); }

int cprocess_unlock_folder(int parent, const char *path) {
    int folder = open_below(parent, path, O_PATH);
    if (folder < 0) return -1;
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", folder);
    int status = chmod(name, 0700);
    close(folder);
    return status;
}

// The descriptors that the child gets may not be 0 to `most` themselves: they would overwrite one another.
enum { most = 16 };

static int add_duplicate(posix_spawn_file_actions_t *actions, int *from, int to) {
    *from = fcntl(*from, F_DUPFD_CLOEXEC, most);
    return *from < 0 ? errno : posix_spawn_file_actions_adddup2(actions, *from, to);
}

static int prepare_files(
    posix_spawn_file_actions_t *actions, const char *directory, int *descriptors, int count) {
    int status = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < count; i++) {
        if (status == 0) status = add_duplicate(actions, &descriptors[i], i + 1);
        else descriptors[i] = -1;
    }
    if (status == 0) status = posix_spawn_file_actions_addclosefrom_np(actions, count + 1);
    if (status == 0 && directory) status = posix_spawn_file_actions_addchdir_np(actions, directory);
    return status;
}

int cprocess_spawn(
    pid_t *process, char *const arguments[], char *const environment[], const char *directory, int output, int errors,
    const int *inherited, int count) {
    int descriptors[most] = {output, errors};
    if (count < 0 || count > most - 3) return EINVAL;
    for (int i = 0; i < count; i++) descriptors[i + 2] = inherited[i];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    int status = prepare_files(&actions, directory, descriptors, count + 2);
    if (status == 0) status = posix_spawn(process, arguments[0], &actions, &attributes, arguments, environment);
    for (int i = 0; i < count + 2; i++) {
        if (descriptors[i] >= 0) close(descriptors[i]);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}
