/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers of event streams, many of them from one thread: stream-load MODE PORT PATH READERS [ids]
 *
 *   replay  read to the end of every stream
 *   live    time the events that say "n=NUMBER t=NANOSECONDS", the clock's when they were printed; check the numbers
 *   idle    read whatever comes
 *   stall   stop reading after the first bytes of each answer
 *
 * Prints "ready" when every reader has had its first event. All but replay go on until standard input ends. The last
 * line is JSON. "ids" asks for event ids, as browsers do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD, SIZE, DATA, DATA_END, ENDED };
enum { LINE_MAX_ = 256, BUFFER = 1 << 18 };

struct reader {
    int socket, state, is_chunked, line_length, status;
    uint64_t left, bytes, newlines;
    int64_t last;
    double asked, first;
    char line[LINE_MAX_];
};

static enum { REPLAY, LIVE, IDLE, STALL } mode;
static char buffer[BUFFER], request[1024];
static uint64_t gaps, repeats, delivered, recorded, capacity;
static float *delays;
static int ended, ready, is_recording;

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void record(struct reader *reader) {
    reader->line[reader->line_length] = 0;
    const char *number = strstr(reader->line, "n="), *time = strstr(reader->line, " t=");
    if (number == NULL || time == NULL) return;
    int64_t n = atoll(number + 2);
    if (reader->last >= 0 && n <= reader->last) repeats++;
    if (reader->last >= 0 && n > reader->last + 1) gaps++;
    reader->last = n;
    delivered++;
    if (!is_recording) return;
    if (recorded == capacity) {
        capacity = capacity ? capacity * 2 : 1 << 20;
        if ((delays = realloc(delays, capacity * sizeof *delays)) == NULL) fail("memory");
    }
    delays[recorded++] = (float)((now(CLOCK_REALTIME) - (double)atoll(time + 3) * 1e-9) * 1e3);
}

static void take_lines(struct reader *reader, const char *bytes, size_t count) {
    for (const char *end = bytes + count; bytes < end;) {
        const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t length = (size_t)((line_end ? line_end : end) - bytes);
        size_t room = (size_t)(LINE_MAX_ - 1 - reader->line_length);
        memcpy(reader->line + reader->line_length, bytes, length < room ? length : room);
        reader->line_length += (int)(length < room ? length : room);
        if (line_end == NULL) return;
        record(reader);
        reader->line_length = 0;
        bytes = line_end + 1;
    }
}

static void take(struct reader *reader, const char *bytes, size_t count) {
    if (count > 0 && reader->first == 0) {
        reader->first = now(CLOCK_MONOTONIC);
        ready++;
    }
    reader->bytes += count;
    if (mode == LIVE) return take_lines(reader, bytes, count);
    uint64_t newlines = 0;
    for (size_t i = 0; i < count; i++) newlines += bytes[i] == '\n';
    reader->newlines += newlines;
}

/* Returns where the body begins, or NULL while the head is not whole; the answer's head comes in one piece or two. */
static const char *take_head(struct reader *reader, const char *bytes, size_t count) {
    size_t kept = (size_t)reader->line_length, room = LINE_MAX_ - 1 - kept;
    if (kept == 0) reader->status = count > 12 ? atoi(bytes + 9) : 0;
    const char *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (memmem(bytes, end ? (size_t)(end - bytes) : count, "chunked", 7)) reader->is_chunked = 1;
    if (end == NULL) {
        reader->line_length = (int)(kept + (count < room ? 1 : 0));
        return NULL;
    }
    reader->line_length = 0;
    reader->state = reader->is_chunked ? SIZE : DATA;
    return end + 4;
}

static void take_all(struct reader *reader, const char *bytes, size_t count) {
    const char *end = bytes + count;
    if (reader->state == HEAD && (bytes = take_head(reader, bytes, count)) == NULL) return;
    if (!reader->is_chunked) return take(reader, bytes, (size_t)(end - bytes));
    while (bytes < end && reader->state != ENDED) {
        if (reader->state == DATA) {
            size_t part = (size_t)(end - bytes) < reader->left ? (size_t)(end - bytes) : reader->left;
            take(reader, bytes, part);
            bytes += part;
            if ((reader->left -= part) == 0) reader->state = DATA_END;
        } else if (*bytes++ == '\n') {
            if (reader->state == DATA_END) reader->state = SIZE;
            else reader->state = reader->left ? DATA : ENDED;
        } else if (reader->state == SIZE && bytes[-1] != '\r') {
            int digit = bytes[-1] <= '9' ? bytes[-1] - '0' : (bytes[-1] | 32) - 'a' + 10;
            reader->left = reader->left * 16 + (uint64_t)digit;
        }
    }
}

static void connect_reader(struct reader *reader, int port, int poll) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    reader->socket = socket(AF_INET, SOCK_STREAM, 0);
    reader->last = -1;
    if (connect(reader->socket, (struct sockaddr *)&address, sizeof address)) fail("connect");
    reader->asked = now(CLOCK_MONOTONIC);
    if (write(reader->socket, request, strlen(request)) != (ssize_t)strlen(request)) fail("write");
    fcntl(reader->socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
    epoll_ctl(poll, EPOLL_CTL_ADD, reader->socket, &event);
}

static void read_some(struct reader *reader, int poll) {
    ssize_t count = read(reader->socket, buffer, mode == STALL ? 512 : BUFFER);
    if (count < 0 && errno == EAGAIN) return;
    if (count > 0) take_all(reader, buffer, (size_t)count);
    if (mode == STALL && reader->first > 0) epoll_ctl(poll, EPOLL_CTL_DEL, reader->socket, NULL);
    if (count > 0 && reader->state != ENDED) return;
    close(reader->socket);
    ended++;
}

static int by_value(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static double share(const float *sorted, uint64_t count, double part) {
    return count ? (double)sorted[(uint64_t)((double)(count - 1) * part)] : 0;
}

static void print(const struct reader *readers, int count, double wall) {
    uint64_t bytes = 0, newlines = 0;
    int refused = 0;
    float *first = calloc((size_t)count, sizeof *first);
    if (first == NULL) fail("memory");
    for (int i = 0; i < count; i++) {
        bytes += readers[i].bytes;
        newlines += readers[i].newlines;
        refused += readers[i].status != 200;
        first[i] = (float)((readers[i].first - readers[i].asked) * 1e3);
    }
    qsort(first, (size_t)count, sizeof *first, by_value);
    qsort(delays, recorded, sizeof *delays, by_value);
    printf("{\"wall\":%.4f,\"bytes\":%llu,\"newlines\":%llu,\"refused\":%d,\"ended\":%d,\"first_p50\":%.3f,\"first_p99\":%.3f,",
           wall, (unsigned long long)bytes, (unsigned long long)newlines, refused, ended, share(first, (uint64_t)count, 0.5),
           share(first, (uint64_t)count, 0.99));
    printf("\"delivered\":%llu,\"gaps\":%llu,\"repeats\":%llu,\"delay_p50\":%.3f,\"delay_p99\":%.3f}\n",
           (unsigned long long)delivered, (unsigned long long)gaps, (unsigned long long)repeats,
           share(delays, recorded, 0.5), share(delays, recorded, 0.99));
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    mode = argv[1][0] == 'r' ? REPLAY : argv[1][0] == 'l' ? LIVE : argv[1][0] == 'i' ? IDLE : STALL;
    int count = atoi(argv[4]), poll = epoll_create1(0), is_told = 0;
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", argv[3],
             argc > 5 ? "Accept: text/event-stream\r\n" : "");
    struct reader *readers = calloc((size_t)count, sizeof *readers);
    if (readers == NULL) fail("memory");
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    if (mode != REPLAY) epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
    double start = now(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) connect_reader(&readers[i], atoi(argv[2]), poll);
    while (ended < count) {
        int found = epoll_wait(poll, events, 256, -1), is_over = 0;
        for (int i = 0; i < found; i++) {
            if (events[i].data.ptr) read_some(events[i].data.ptr, poll);
            else is_over = 1;
        }
        if (is_over) break;
        if (ready < count || is_told) continue;
        is_told = is_recording = 1;
        delivered = 0;
        puts("ready");
        fflush(stdout);
    }
    print(readers, count, now(CLOCK_MONOTONIC) - start);
    return 0;
}
