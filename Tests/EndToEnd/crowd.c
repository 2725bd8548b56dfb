/* SPDX-License-Identifier: Apache-2.0
 *
 * A crowd at a server of event streams, from one thread.
 *
 *   crowd join PORT PATH READERS SPREAD SEED
 *       Readers join within SPREAD milliseconds, each at a moment and at an event of its own. Of ten, one leaves in the
 *       middle and comes back for the rest, one stops reading for a while. When all streams have ended, one more reader
 *       reads the whole of it, and what each of the crowd was sent must be the end of that, byte for byte.
 *
 *   crowd churn PORT PATH RATE SECONDS SEED
 *       Connections by the second: silent ones, half requests, whole ones, readers; they go by a close or by a reset.
 *
 * Prints one line of JSON.
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

enum { WAITING, HEAD, SIZE, DATA, DATA_END, ENDED };
enum { BUFFER = 1 << 16, HEAD_MAX = 512 };

/* The bytes of whole events as one number: equal bytes have equal numbers, and so have equal parts of known text. */
static const uint64_t BASE = 0x9E3779B97F4A7C15ull;
struct digest {
    uint64_t value, length, events;
};

struct reader {
    int socket, state, is_chunked, head_length, times;
    /* Within a comment; at the start of an event; the last byte was a line feed. */
    int is_comment, is_inside, after_line;
    uint64_t left, first;
    struct digest now, whole;
    /* Bytes after which it leaves or pauses; 0 for never. */
    uint64_t leave_at, pause_at;
    double when;
    char head[HEAD_MAX];
};

static char buffer[BUFFER];
static const char *path;
static int port, poll_set, failures;
static uint64_t most_events, seed, rejoined, paused, refused;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* splitmix64 */
static uint64_t next_random(void) {
    uint64_t z = (seed += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t limit) { return limit ? next_random() % limit : 0; }

static int start_connection(int is_waiting) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (is_waiting ? 0 : SOCK_NONBLOCK), 0);
    if (descriptor < 0) fail("socket");
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail("connect");
    return descriptor;
}

static void take_byte(struct reader *reader, unsigned char byte) {
    if (!reader->is_inside) {
        reader->is_inside = 1;
        reader->is_comment = byte == ':';
    }
    if (!reader->is_comment) {
        reader->now.value = reader->now.value * BASE + byte + 1;
        reader->now.length++;
    }
    if (byte != '\n' || !reader->after_line) {
        reader->after_line = byte == '\n';
        return;
    }
    reader->is_inside = reader->after_line = 0;
    if (reader->is_comment) return;
    reader->now.events++;
    reader->whole = reader->now;
    if (reader->first + reader->whole.events > most_events) most_events = reader->first + reader->whole.events;
}

/* Returns where the body begins, or NULL while the head is not whole. */
static const char *take_head(struct reader *reader, const char *bytes, const char *end) {
    while (bytes < end && reader->head_length < HEAD_MAX - 1) {
        reader->head[reader->head_length++] = *bytes++;
        reader->head[reader->head_length] = 0;
        if (reader->head_length < 4 || memcmp(reader->head + reader->head_length - 4, "\r\n\r\n", 4)) continue;
        if (strncmp(reader->head, "HTTP/1.1 200 ", 13)) refused++;
        reader->is_chunked = strcasestr(reader->head, "transfer-encoding: chunked") != NULL;
        reader->state = reader->is_chunked ? SIZE : DATA;
        return bytes;
    }
    if (reader->head_length == HEAD_MAX - 1) fail("a head too long");
    return NULL;
}

static void take(struct reader *reader, const char *bytes, size_t count) {
    const char *end = bytes + count;
    if (reader->state == HEAD && (bytes = take_head(reader, bytes, end)) == NULL) return;
    while (bytes < end && reader->state != ENDED) {
        if (reader->state == DATA && !reader->is_chunked) {
            take_byte(reader, (unsigned char)*bytes++);
        } else if (reader->state == DATA) {
            size_t part = (size_t)(end - bytes) < reader->left ? (size_t)(end - bytes) : reader->left;
            for (size_t i = 0; i < part; i++) take_byte(reader, (unsigned char)bytes[i]);
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

/* Asks for what the reader does not have; what it has of a broken event is forgotten. */
static void join(struct reader *reader) {
    char request[512];
    reader->socket = start_connection(1);
    reader->now = reader->whole;
    reader->head_length = reader->is_inside = reader->after_line = 0;
    reader->left = 0;
    reader->state = HEAD;
    snprintf(request, sizeof request, "GET %s?from=%llu HTTP/1.1\r\nHost: localhost\r\n\r\n", path,
             (unsigned long long)(reader->first + reader->whole.events));
    if (write(reader->socket, request, strlen(request)) != (ssize_t)strlen(request)) fail("write");
    fcntl(reader->socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
    if (epoll_ctl(poll_set, EPOLL_CTL_ADD, reader->socket, &event)) fail("epoll");
}

static void leave(struct reader *reader, double pause) {
    close(reader->socket);
    reader->socket = -1;
    reader->state = WAITING;
    reader->when = now() + pause;
}

/* Returns whether the stream is over. */
static int read_some(struct reader *reader) {
    ssize_t count = read(reader->socket, buffer, reader->leave_at || reader->pause_at ? 1000 : BUFFER);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count > 0) take(reader, buffer, (size_t)count);
    if (reader->state == ENDED || count == 0) {
        if (count == 0 && reader->state != ENDED && reader->is_chunked) failures++;
        close(reader->socket);
        reader->state = ENDED;
        return 1;
    }
    if (count < 0) fail("read");
    if (reader->leave_at && reader->now.length >= reader->leave_at) {
        reader->leave_at = 0;
        rejoined++;
        leave(reader, (double)below(1000) * 1e-3);
    } else if (reader->pause_at && reader->now.length >= reader->pause_at) {
        reader->pause_at = 0;
        paused++;
        reader->when = now() + 0.5 + (double)below(2500) * 1e-3;
        epoll_ctl(poll_set, EPOLL_CTL_DEL, reader->socket, NULL);
    }
    return 0;
}

static void go_on(struct reader *reader) {
    reader->when = 0;
    if (reader->state == WAITING) {
        /* The first time: from the start, from an event of the past, or from one that is to come. */
        uint64_t choice = below(10);
        if (reader->times++ == 0 && choice >= 4) reader->first = choice < 9 ? below(most_events + 1) : most_events + below(50);
        return join(reader);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
    if (epoll_ctl(poll_set, EPOLL_CTL_ADD, reader->socket, &event)) fail("epoll");
}

/* The whole stream, read once more: numbers of its beginnings, and where each event begins. */
static uint64_t *numbers, *powers, *starts, length, count_of_events;

static void read_reference(void) {
    struct reader reader = {.state = WAITING};
    size_t room = 1 << 16, events_room = 1 << 10;
    numbers = malloc(room * sizeof *numbers);
    powers = malloc(room * sizeof *powers);
    starts = malloc(events_room * sizeof *starts);
    if (!numbers || !powers || !starts) fail("memory");
    numbers[0] = 0, powers[0] = 1, starts[0] = 0;
    join(&reader);
    fcntl(reader.socket, F_SETFL, 0);
    unsigned char byte;
    uint64_t known = 0;
    while (reader.state != ENDED && read(reader.socket, &byte, 1) == 1) {
        take(&reader, (char *)&byte, 1);
        if (reader.now.length == known) continue;
        known = reader.now.length;
        if (known + 1 >= room) {
            room *= 2;
            numbers = realloc(numbers, room * sizeof *numbers);
            powers = realloc(powers, room * sizeof *powers);
            if (!numbers || !powers) fail("memory");
        }
        numbers[known] = reader.now.value;
        powers[known] = powers[known - 1] * BASE;
        if (reader.whole.length != known) continue;
        if (reader.whole.events + 1 >= events_room) {
            events_room *= 2;
            if ((starts = realloc(starts, events_room * sizeof *starts)) == NULL) fail("memory");
        }
        starts[reader.whole.events] = known;
    }
    close(reader.socket);
    length = reader.whole.length;
    count_of_events = reader.whole.events;
}

static int is_end_of_reference(const struct reader *reader) {
    uint64_t start = reader->first <= count_of_events ? starts[reader->first] : length;
    uint64_t wanted = numbers[length] - numbers[start] * powers[length - start];
    return reader->now.length == length - start && reader->now.value == wanted && reader->whole.length == reader->now.length;
}

static void crowd_join(int count, double spread) {
    struct reader *readers = calloc((size_t)count, sizeof *readers);
    struct epoll_event events[256];
    int ended = 0;
    if (readers == NULL) fail("memory");
    double start = now();
    for (int i = 0; i < count; i++) {
        readers[i].when = start + spread * (double)below(1000000) * 1e-9;
        uint64_t kind = below(10);
        if (kind == 0) readers[i].leave_at = 1 + below(20000);
        if (kind == 1) readers[i].pause_at = 1 + below(20000);
    }
    double looked = 0;
    while (ended < count) {
        int found = epoll_wait(poll_set, events, 256, 5);
        for (int i = 0; i < found; i++) ended += read_some(events[i].data.ptr);
        double time = now();
        if (time - looked < 0.005) continue;
        looked = time;
        for (int i = 0; i < count; i++)
            if (readers[i].when > 0 && readers[i].when <= time) go_on(&readers[i]);
    }
    double seconds = now() - start;
    read_reference();
    int different = 0;
    uint64_t delivered = 0;
    for (int i = 0; i < count; i++) {
        delivered += readers[i].whole.events;
        if (is_end_of_reference(&readers[i])) continue;
        if (different++ < 3)
            fprintf(stderr, "reader %d from %llu: %llu events, %llu bytes; the stream has %llu events, %llu bytes\n", i,
                    (unsigned long long)readers[i].first, (unsigned long long)readers[i].whole.events,
                    (unsigned long long)readers[i].now.length, (unsigned long long)count_of_events, (unsigned long long)length);
    }
    printf("{\"readers\":%d,\"different\":%d,\"refused\":%llu,\"broken\":%d,\"rejoined\":%llu,\"paused\":%llu,", count, different,
           (unsigned long long)refused, failures, (unsigned long long)rejoined, (unsigned long long)paused);
    printf("\"delivered\":%llu,\"events\":%llu,\"seconds\":%.2f}\n", (unsigned long long)delivered,
           (unsigned long long)count_of_events, seconds);
}

/* One of a churning crowd; it goes at its moment, or with the first bytes of an answer. */
struct passer {
    int socket, kind;
    double until;
};

static uint64_t made, answered;

static void send_request(const struct passer *passer) {
    char request[512];
    const char *target = passer->kind == 2 ? "/health" : path;
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    if (passer->kind == 1) size /= 2;
    if (passer->kind > 0 && write(passer->socket, request, (size_t)size) < 0 && errno != EPIPE) failures++;
    if (passer->kind == 5) shutdown(passer->socket, SHUT_WR);
}

static void pass_on(struct passer *passer) {
    /* Every other one goes without a word. */
    struct linger abrupt = {.l_onoff = 1, .l_linger = 0};
    if (below(2)) setsockopt(passer->socket, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
    close(passer->socket);
    passer->socket = -1;
}

static void crowd_churn(double rate, double seconds) {
    enum { ROOM = 4096 };
    static struct passer passers[ROOM];
    struct epoll_event events[256];
    for (int i = 0; i < ROOM; i++) passers[i].socket = -1;
    double start = now();
    int place = 0;
    for (double time = start; time < start + seconds; time = now()) {
        while ((double)made < (time - start) * rate) {
            struct passer *passer = &passers[place++ % ROOM];
            if (passer->socket >= 0) pass_on(passer);
            passer->socket = start_connection(1);
            passer->kind = (int)below(6);
            passer->until = time + (double)below(300) * 1e-3;
            send_request(passer);
            fcntl(passer->socket, F_SETFL, O_NONBLOCK);
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = passer};
            if (epoll_ctl(poll_set, EPOLL_CTL_ADD, passer->socket, &event)) fail("epoll");
            made++;
        }
        int found = epoll_wait(poll_set, events, 256, 1);
        for (int i = 0; i < found; i++) {
            struct passer *passer = events[i].data.ptr;
            if (passer->socket < 0) continue;
            answered += read(passer->socket, buffer, 1000) > 0;
            pass_on(passer);
        }
        for (int i = 0; i < ROOM; i++)
            if (passers[i].socket >= 0 && passers[i].until < time) pass_on(&passers[i]);
    }
    for (int i = 0; i < ROOM; i++)
        if (passers[i].socket >= 0) pass_on(&passers[i]);
    printf("{\"made\":%llu,\"answered\":%llu,\"failures\":%d,\"seconds\":%.2f}\n", (unsigned long long)made,
           (unsigned long long)answered, failures, now() - start);
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    port = atoi(argv[2]);
    path = argv[3];
    seed = strtoull(argv[6], NULL, 10);
    poll_set = epoll_create1(EPOLL_CLOEXEC);
    if (strcmp(argv[1], "join") == 0) crowd_join(atoi(argv[4]), atof(argv[5]));
    else crowd_churn(atof(argv[4]), atof(argv[5]));
    return 0;
}
