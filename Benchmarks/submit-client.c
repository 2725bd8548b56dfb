// SPDX-License-Identifier: Apache-2.0
// Sends one request again and again on many connections, each with one request under way, and measures the answers.
//
//     submit-client PORT CONNECTIONS SECONDS < request
//
// Prints: accepted (202), other answers, seconds, and the median, 99th percentile and most of the milliseconds from the
// request to the whole answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4096, MAX_ANSWERS = 4 << 20, BUFFER = 8192 };

struct connection {
    int fd;
    double start;
    size_t held;
    char buffer[BUFFER];
};

static struct connection connections[MAX_CONNECTIONS];
static float latencies[MAX_ANSWERS];
static char request[1 << 20];
static size_t size;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int dial(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void ask(struct connection *connection) {
    connection->start = now();
    connection->held = 0;
    for (size_t sent = 0; sent < size;) {
        ssize_t count = send(connection->fd, request + sent, size - sent, MSG_NOSIGNAL);
        if (count < 0) fail("send");
        sent += count;
    }
}

// The status of a whole answer; 0 where more is to come.
static int answer(struct connection *connection) {
    connection->buffer[connection->held] = 0;
    char *end = strstr(connection->buffer, "\r\n\r\n");
    if (!end) return 0;
    char *length = strcasestr(connection->buffer, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return connection->held - (end + 4 - connection->buffer) >= body ? atoi(connection->buffer + 9) : 0;
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
    if (count != 4) return fprintf(stderr, "usage: submit-client PORT CONNECTIONS SECONDS < request\n"), 2;
    int port = atoi(arguments[1]), many = atoi(arguments[2]);
    double seconds = atof(arguments[3]);
    if (many < 1 || many > MAX_CONNECTIONS) return fprintf(stderr, "1 to %d connections\n", MAX_CONNECTIONS), 2;
    size = fread(request, 1, sizeof request, stdin);
    int poll = epoll_create1(0);
    for (int i = 0; i < many; i++) {
        connections[i].fd = dial(port);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }
    double start = now(), stop = start + seconds;
    for (int i = 0; i < many; i++) ask(&connections[i]);
    size_t accepted = 0, other = 0, answers = 0;
    int open = many;
    while (open > 0) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 10000);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) fail("the server is silent");
        for (int i = 0; i < ready; i++) {
            struct connection *connection = &connections[events[i].data.u32];
            ssize_t got = recv(connection->fd, connection->buffer + connection->held, BUFFER - 1 - connection->held, 0);
            if (got <= 0) fail("the server closed a connection");
            connection->held += got;
            int status = answer(connection);
            if (!status) continue;
            if (status == 202) accepted++;
            else other++;
            if (answers < MAX_ANSWERS) latencies[answers++] = (now() - connection->start) * 1e3;
            if (now() < stop) {
                ask(connection);
            } else {
                close(connection->fd);
                open--;
            }
        }
    }
    double took = now() - start;
    qsort(latencies, answers, sizeof *latencies, compare);
    printf("%zu %zu %.3f %.2f %.2f %.2f\n", accepted, other, took, latencies[answers / 2],
           latencies[answers * 99 / 100], latencies[answers - 1]);
}
