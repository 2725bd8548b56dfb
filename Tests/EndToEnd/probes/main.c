// SPDX-License-Identifier: Apache-2.0
// Runs the probes of a group, each in a process of its own: probe TARGETS [NAME...]. TARGETS is a file of lines
// KEY=VALUE. Prints a line for each: `probe: NAME: REACHED what`, `probe: NAME: refused (why)` or
// `probe: NAME: absent (why)`.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_targets = 64, most_probes = 64, patience = 60 };
static struct { char *key, *value; } targets[most_targets];
static char said[512];
static const char *path_of_targets;

const char *target(const char *key) {
    if (!strcmp(key, "targets")) return path_of_targets;
    for (int i = 0; i < most_targets && targets[i].key; i++)
        if (!strcmp(targets[i].key, key)) return targets[i].value;
    return "/nonexistent";
}

int number(const char *key) { return atoi(target(key)); }

int reached(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(said, sizeof said, format, list);
    va_end(list);
    return 0;
}

int absent(const char *what) {
    reached("%s", what);
    return 1;
}

int refused(int code) {
    errno = code;
    return -1;
}

char *joined(const char *format, ...) {
    static char texts[10][4096];
    static int next;
    char *text = texts[next++ % 10];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof texts[0], format, list);
    va_end(list);
    return text;
}

int try_open(const char *path, int flags) {
    int file = open(path, flags | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return -1;
    close(file);
    return reached("%s", path);
}

int try_create(const char *folder) {
    char *path = joined("%s/%s", folder, target("marker"));
    if (try_open(path, O_CREAT | O_EXCL | O_WRONLY)) return -1;
    unlink(path);
    return 0;
}

int try_find(const char *path, const char *text) {
    static char bytes[1 << 16];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return -1;
    ssize_t count = read(file, bytes, sizeof bytes);
    int code = errno;
    close(file);
    if (count < 0) return refused(code);
    if (!memmem(bytes, count, text, strlen(text))) return refused(ENOMSG);
    return reached("%s in %s", text, path);
}

static void read_targets(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) exit(2);
    char *line = NULL;
    size_t room = 0;
    for (int i = 0; i < most_targets && getline(&line, &room, file) > 0; i++) {
        char *key = strdup(line), *equals = strchr(key, '=');
        if (!equals) exit(2);
        *equals = 0;
        equals[1 + strcspn(equals + 1, "\n")] = 0;
        targets[i].key = key;
        targets[i].value = equals + 1;
    }
    fclose(file);
}

struct started { const struct probe *probe; pid_t process; int answer; };

// What the child starts may live on with its end of the pipe, so the answer is one line and no more.
static struct started start(const struct probe *probe) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) exit(3);
    struct started started = {probe, fork(), ends[0]};
    if (started.process == 0) {
        alarm(patience);
        errno = 0;
        int result = probe->run();
        const char *why = strerror(errno);
        if (result == 0) dprintf(ends[1], "REACHED %s\n", said);
        else if (result > 0) dprintf(ends[1], "absent (%s)\n", said);
        else dprintf(ends[1], "refused (%s)\n", why);
        _exit(0);
    }
    close(ends[1]);
    return started;
}

static void finish(struct started started) {
    char line[1024] = "";
    size_t length = 0;
    while (length < sizeof line - 1 && read(started.answer, line + length, 1) == 1 && line[length] != '\n') length++;
    line[length] = 0;
    close(started.answer);
    int status = 0;
    waitpid(started.process, &status, 0);
    if (!length && WIFSIGNALED(status)) sprintf(line, "refused (killed by signal %d)", WTERMSIG(status));
    printf("probe: %s: %s\n", started.probe->name, line);
    fflush(stdout);
}

static int is_wanted(const char *name, char **names) {
    if (!*names) return 1;
    for (; *names; names++)
        if (!strcmp(*names, name)) return 1;
    return 0;
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    path_of_targets = arguments[1];
    read_targets(path_of_targets);
    int together = !strcmp(target("together"), "yes"), running = 0;
    struct started all[most_probes];
    for (const struct probe *probe = probes; probe->name; probe++) {
        if (!is_wanted(probe->name, arguments + 2)) continue;
        if (running == most_probes) return 2;
        all[running++] = start(probe);
        if (!together) finish(all[running - 1]);
    }
    for (int i = 0; together && i < running; i++) finish(all[i]);
    // As the builder of a derivation it owes an output.
    int output = getenv("out") ? open(getenv("out"), O_CREAT | O_WRONLY, 0644) : 0;
    return output < 0;
}
