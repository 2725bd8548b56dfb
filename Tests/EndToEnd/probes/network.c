// SPDX-License-Identifier: Apache-2.0
// Everything that leads to another process than the build's own. What listens is the test.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Writes and waits for an answer: then there was somebody.
static int asked(int handle, const void *question, size_t length, const char *whom) {
    if (send(handle, question, length, MSG_NOSIGNAL) < 0) return -1;
    struct pollfd entry = {.fd = handle, .events = POLLIN};
    if (poll(&entry, 1, 3000) <= 0) return refused(ETIMEDOUT);
    char answer[512];
    return recv(handle, answer, sizeof answer, 0) <= 0 ? -1 : reached("an answer of %s", whom);
}

static int ask4(int type, const char *address, int port, const void *question, size_t length) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &place.sin_addr);
    int handle = socket(AF_INET, type, 0);
    if (handle < 0 || connect(handle, (struct sockaddr *)&place, sizeof place)) return -1;
    return asked(handle, question, length, joined("%s:%d", address, port));
}

static const char request[] = "GET /health HTTP/1.0\r\n\r\n";
static int service(void) { return ask4(SOCK_STREAM, "127.0.0.1", number("port"), request, sizeof request - 1); }
static int tcp(void) { return ask4(SOCK_STREAM, "127.0.0.1", number("tcp"), "x\n", 2); }
static int other_address(void) {
    if (!strchr(target("address"), '.')) return absent("the machine has no other address");
    return ask4(SOCK_STREAM, target("address"), number("tcp"), "x\n", 2);
}
static int udp(void) { return ask4(SOCK_DGRAM, "127.0.0.1", number("udp"), "x\n", 2); }
static int tcp6(void) {
    struct sockaddr_in6 place = {
        .sin6_family = AF_INET6, .sin6_port = htons(number("tcp6")), .sin6_addr = in6addr_loopback};
    int handle = socket(AF_INET6, SOCK_STREAM, 0);
    if (handle < 0 || connect(handle, (struct sockaddr *)&place, sizeof place)) return -1;
    return asked(handle, "x\n", 2, "::1");
}
// A question for a name that carries something out, to a resolver (RFC 1035).
static int dns(void) {
    static const char question[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\6secret\7example\0\0\1\0\1";
    return ask4(SOCK_DGRAM, "127.0.0.1", number("udp"), question, sizeof question - 1);
}

static int local(const char *name, int is_abstract) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    strncpy(place.sun_path + is_abstract, name, sizeof place.sun_path - 2);
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + is_abstract + strlen(name);
    int handle = socket(AF_UNIX, SOCK_STREAM, 0);
    if (handle < 0 || connect(handle, (struct sockaddr *)&place, length)) return -1;
    return handle;
}
static int abstract_socket(void) {
    int handle = local(target("abstract"), 1);
    return handle < 0 ? -1 : asked(handle, "x\n", 2, target("abstract"));
}
static int socket_file(void) {
    int handle = local(target("socket"), 0);
    return handle < 0 ? -1 : asked(handle, "x\n", 2, target("socket"));
}
// A file of the build in the hands of a process that lives on.
static int hand_out_a_file(void) {
    int handle = local(target("abstract"), 1), file = open("/dev/null", O_RDWR);
    if (handle < 0) return -1;
    char byte = 'f', room[CMSG_SPACE(sizeof file)] = {0};
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(header), &file, sizeof file);
    if (sendmsg(handle, &message, 0) < 0) return -1;
    return asked(handle, "\n", 1, "who has the file");
}

// The test knocks, until it is let in or the build is over.
static int listen_for_others(void) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(number("open"))};
    int handle = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (handle < 0 || bind(handle, (struct sockaddr *)&place, sizeof place) || listen(handle, 8)) return -1;
    struct pollfd entry = {.fd = handle, .events = POLLIN};
    return poll(&entry, 1, 2000) > 0 ? reached("a connection from outside") : refused(ETIMEDOUT);
}
static int interfaces(void) {
    struct ifaddrs *first;
    if (getifaddrs(&first)) return -1;
    for (struct ifaddrs *one = first; one; one = one->ifa_next)
        if (strcmp(one->ifa_name, "lo")) return reached("%s", one->ifa_name);
    return refused(ENODEV);
}

static int open_socket(int family, int type, int protocol, const char *what) {
    return socket(family, type, protocol) < 0 ? -1 : reached("%s", what);
}
static int virtual_machines_host(void) {
    return open_socket(AF_VSOCK, SOCK_STREAM, 0, "a socket to the machine's host");
}
static int ping(void) { return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP, "packets of its own making"); }
static int frames(void) { return open_socket(AF_PACKET, SOCK_RAW, htons(3), "all frames of the network"); }
static int netlink(int protocol, const char *what) { return open_socket(AF_NETLINK, SOCK_RAW, protocol, what); }
static int audit(void) { return netlink(NETLINK_AUDIT, "the audit log"); }
static int packet_filter(void) { return netlink(NETLINK_NETFILTER, "the packet filter"); }
static int socket_diagnosis(void) { return netlink(NETLINK_SOCK_DIAG, "other sockets"); }
static int encryption(void) { return netlink(NETLINK_XFRM, "the keys of networks"); }
static int kernel_events(void) {
    struct sockaddr_nl place = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int handle = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
    if (handle < 0 || bind(handle, (struct sockaddr *)&place, sizeof place)) return -1;
    return reached("events of devices");
}

const struct probe probes[] = {
    {"tcp-to-the-service", service},
    {"tcp-loopback", tcp},
    {"tcp-other-address", other_address},
    {"tcp-ipv6", tcp6},
    {"udp", udp},
    {"dns", dns},
    {"abstract-unix-socket", abstract_socket},
    {"unix-socket-file", socket_file},
    {"hand-out-a-descriptor", hand_out_a_file},
    {"listen-for-others", listen_for_others},
    {"network-interfaces", interfaces},
    {"vsock", virtual_machines_host},
    {"raw-packets", ping},
    {"frames", frames},
    {"netlink-audit", audit},
    {"netlink-packet-filter", packet_filter},
    {"netlink-sockets", socket_diagnosis},
    {"netlink-xfrm", encryption},
    {"netlink-device-events", kernel_events},
    {NULL, NULL},
};
