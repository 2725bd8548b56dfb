// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/// What Swift's view of the C library lacks to start a process well: it hides GNU and Linux functions, and those with
/// a variable number of arguments.

/// pipe2(2): both ends are closed in programs that are started.
int cprocess_pipe(int ends[2], bool nonblocking);

/// pidfd_open(2): a descriptor that becomes readable when the process ends.
int cprocess_watch(pid_t process);

/// pidfd_send_signal(2): ends the process of a descriptor, and never another that got its number since.
int cprocess_kill(int watched);

/// openat2(2): opens a folder below `parent`; no part of `path` may be a symbolic link or lead out of `parent`.
int cprocess_open_folder(int parent, const char *path);

/// The same for a folder that this user may not read: gives it the mode 0700.
int cprocess_unlock_folder(int parent, const char *path);

/// statfs(2): bytes in use of the file system in memory (tmpfs, ramfs) on which `path` lies. -1 where it lies on another
/// one or there is none, -2 where the kernel does not count them, as without a limit of size.
long long cprocess_memory_in_use(const char *path);

/// posix_spawn(3) into a session of its own, with no signal blocked or ignored, standard input empty, and no descriptor
/// but 1, 2 and, from 3 on, the `count` descriptors of `inherited`. Returns 0 or an error number.
int cprocess_spawn(
    pid_t *process, char *const arguments[], char *const environment[], const char *directory, int output, int errors,
    const int *inherited, int count);
