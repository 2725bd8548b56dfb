// SPDX-License-Identifier: Apache-2.0
// The builder of the flakes that tests build: it does what its arguments say. Each that names an action takes those
// behind it. What fails is printed, and ends the program.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char **next;
static char *take(void) { if (!*next) exit(90); return *next++; }
static void check(int good, const char *what, const char *subject) {
    if (good) return;
    printf("%s %s: %s\n", what, subject, strerror(errno));
    exit(1);
}
static void put(const char *path, const char *text, size_t length, mode_t mode) {
    FILE *file = fopen(path, "w");
    check(file != NULL, "write", path);
    fwrite(text, 1, length, file);
    fclose(file);
    chmod(path, mode);
}
static int connected(const char *address, const char *port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_pton(AF_INET, address, &place.sin_addr);
    int handle = socket(AF_INET, SOCK_STREAM, 0);
    check(handle >= 0 && connect(handle, (struct sockaddr *)&place, sizeof place) == 0, "connect", address);
    return handle;
}
static char answer[1 << 16];
static void get(const char *address, const char *port, const char *path, const char *target) {
    int handle = connected(address, port), length = 0, more;
    dprintf(handle, "GET %s HTTP/1.0\r\n\r\n", path);
    while ((more = read(handle, answer + length, sizeof answer - 1 - length)) > 0) length += more;
    char *body = strstr(answer, "\r\n\r\n");
    check(body != NULL, "get", path);
    body += 4;
    put(target, body, answer + length - body, 0644);
}
static void show(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) { printf("%s: %s\n", path, strerror(errno)); return; }
    size_t length = fread(answer, 1, 200, file);
    printf("%s: REACHED %zu\n", path, length);
    fclose(file);
}
int main(int count, char **arguments) {
    next = arguments + 1;
    setvbuf(stdout, NULL, _IONBF, 0);
    while (*next) {
        char *verb = take(), *first = take();
        if (!strcmp(verb, "folder")) check(mkdir(first, 0755) == 0, verb, first);
        else if (!strcmp(verb, "write")) { char *text = take(); put(first, text, strlen(text), 0644); }
        else if (!strcmp(verb, "program")) { char *text = take(); put(first, text, strlen(text), 0755); }
        else if (!strcmp(verb, "link")) check(symlink(take(), first) == 0, verb, first);
        else if (!strcmp(verb, "mode")) printf("mode: %d\n", chmod(first, strtol(take(), NULL, 8)));
        else if (!strcmp(verb, "show")) show(first);
        else if (!strcmp(verb, "wait")) sleep(atoi(first));
        else if (!strcmp(verb, "connect")) connected(first, take());
        else if (!strcmp(verb, "get")) { char *port = take(), *path = take(); get(first, port, path, take()); }
        else return 91;
    }
    return 0;
}
