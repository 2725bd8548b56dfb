// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CProcess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

int cprocess_pipe(int ends[2], bool nonblocking) {
    return pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

int cprocess_watch(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

static int prepare_files(
    posix_spawn_file_actions_t *actions, const char *directory, int output, int errors, int inherited) {
    int status = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (status == 0) status = posix_spawn_file_actions_adddup2(actions, output, 1);
    if (status == 0) status = posix_spawn_file_actions_adddup2(actions, errors, 2);
    if (status == 0 && inherited >= 0) status = posix_spawn_file_actions_adddup2(actions, inherited, 3);
    if (status == 0) status = posix_spawn_file_actions_addclosefrom_np(actions, inherited >= 0 ? 4 : 3);
    if (status == 0 && directory) status = posix_spawn_file_actions_addchdir_np(actions, directory);
    return status;
}

int cprocess_spawn(
    pid_t *process, char *const arguments[], char *const environment[], const char *directory, int output, int errors,
    int inherited) {
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
    int status = prepare_files(&actions, directory, output, errors, inherited);
    if (status == 0) status = posix_spawn(process, arguments[0], &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}
