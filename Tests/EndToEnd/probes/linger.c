// SPDX-License-Identifier: Apache-2.0
// A process that lives on when cargo is done, and changes an artifact afterwards: linger HOW ARTIFACT CARGO, where HOW
// is `open` (by its name), `descriptor` or `mapping` (held since before), or `lease` (nobody else may open it).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { patience = 60 };
static const char change[] = "TAMPERED";

int main(int count, char **arguments) {
    if (count < 4 || fork()) return count < 4;
    const char *how = arguments[1], *artifact = arguments[2];
    pid_t cargo = atoi(arguments[3]);
    setsid();
    if (fork()) return 0;
    close_range(0, ~0U, 0);
    signal(SIGHUP, SIG_IGN);
    signal(SIGIO, SIG_IGN);
    alarm(patience);
    int file = -1;
    char *mapping = NULL;
    while (kill(cargo, 0) == 0 || errno == EPERM) {
        struct stat status;
        if (!strcmp(how, "open") || !strcmp(how, "lease")) usleep(1000);
        else if (file < 0) file = open(artifact, O_RDWR);
        else if (!mapping && fstat(file, &status) == 0 && status.st_size > 4096)
            mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (!strcmp(how, "lease")) {
        file = open(artifact, O_RDONLY);
        // Not while somebody else has it open.
        while (fcntl(file, F_SETLEASE, F_WRLCK) < 0) usleep(1000);
        for (;;) pause();
    }
    usleep(300000);
    if (file < 0) file = open(artifact, O_RDWR);
    if (!strcmp(how, "mapping") && mapping) memcpy(mapping + 64, change, sizeof change);
    else if (pwrite(file, change, sizeof change, 64) < 0) return 1;
    for (;;) pause();
}
