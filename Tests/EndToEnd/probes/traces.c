// SPDX-License-Identifier: Apache-2.0
// What one build leaves for the next, which somebody else asked for: each probe plants something where the target
// `act` is `plant`, and looks for it otherwise.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <mqueue.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int plants(void) { return !strcmp(target("act"), "plant"); }

static int file_in(const char *folder) {
    char *path = joined("%s/%s", folder, target("marker"));
    if (!plants()) return try_open(path, O_RDONLY);
    int file = open(path, O_CREAT | O_WRONLY, 0666);
    if (file < 0) return -1;
    fchmod(file, 0666);
    return reached("%s", path);
}
static int temporary(void) { return file_in("/tmp"); }
static int temporary_that_stays(void) { return file_in("/var/tmp"); }
static int shared_memory_file(void) { return file_in("/dev/shm"); }
static int home(void) { return file_in(target("home")); }
static int toolchain(void) {
    char place[PATH_MAX];
    if (!realpath(getenv("RUSTC") ? getenv("RUSTC") : "/usr/bin/rustc", place)) return -1;
    return file_in(dirname(place));
}
// Read by every cargo of this user: here it would replace the compiler.
static int cargos_settings(void) {
    char *path = joined("%s/.cargo/config.toml", target("home"));
    if (!plants()) return try_find(path, target("marker"));
    mkdir(joined("%s/.cargo", target("home")), 0777);
    int file = open(path, O_CREAT | O_WRONLY, 0666);
    if (file < 0) return -1;
    dprintf(file, "# %s\n", target("marker"));
    return reached("%s", path);
}

enum { key = 0x43757065 };
static int flags(void) { return plants() ? IPC_CREAT | 0666 : 0; }
static int memory_segment(void) { return shmget(key, 4096, flags()) < 0 ? -1 : reached("a segment of memory"); }
static int messages(void) { return msgget(key, flags()) < 0 ? -1 : reached("a queue of messages"); }
static int semaphores(void) { return semget(key, 1, flags()) < 0 ? -1 : reached("a set of semaphores"); }
static int named_queue(void) {
    mqd_t queue = mq_open(joined("/%s", target("marker")), plants() ? O_RDWR | O_CREAT : O_RDWR, 0666, NULL);
    return queue < 0 ? -1 : reached("a queue by its name");
}
static int keyring(void) {
    const int of_user = -4;
    long result = plants() ? syscall(SYS_add_key, "user", target("marker"), "x", 1, of_user)
                           : syscall(SYS_keyctl, 10, of_user, "user", target("marker"), 0);
    return result < 0 ? -1 : reached("a key of the user");
}

// A process in a session of its own, without parent and without open files, that answers at a name.
static int daemon_process(void) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    strncpy(place.sun_path + 1, target("marker"), sizeof place.sun_path - 2);
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(target("marker"));
    int handle = socket(AF_UNIX, SOCK_STREAM, 0);
    if (!plants()) return connect(handle, (struct sockaddr *)&place, length) ? -1 : reached("a daemon at its socket");
    if (bind(handle, (struct sockaddr *)&place, length) || listen(handle, 8)) return -1;
    if (fork() == 0) {
        setsid();
        if (fork()) _exit(0);
        signal(SIGHUP, SIG_IGN);
        alarm(0);
        dup2(handle, 0);
        close_range(1, ~0U, 0);
        if (chdir("/")) _exit(1);
        for (int i = 0; i < 120; i++) sleep(1);
        _exit(0);
    }
    return reached("a daemon");
}

const struct probe probes[] = {
    {"tmp", temporary},
    {"var-tmp", temporary_that_stays},
    {"dev-shm", shared_memory_file},
    {"operators-home-planted", home},
    {"toolchain-planted", toolchain},
    {"settings-of-cargo-planted", cargos_settings},
    {"sysv-memory", memory_segment},
    {"sysv-messages", messages},
    {"sysv-semaphores", semaphores},
    {"posix-queue", named_queue},
    {"users-keyring", keyring},
    {"daemon", daemon_process},
    {NULL, NULL},
};
