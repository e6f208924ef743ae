/* SPDX-License-Identifier: Apache-2.0 */
/* A socket of many addresses: IP_PKTINFO chooses the source of each datagram and tells the destination of each that came. */
#include "fleet/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define FIRST_ADDRESS 0x7f010000u /* 127.1.0.0 */
#define SOCKET_BUFFER (8 << 20)
#define WAIT_US       100000

static void stop(const char *what)
{
    perror(what);
    exit(1);
}

void endpoint_open(endpoint *e)
{
    int one = 1;
    int size = SOCKET_BUFFER;
    struct timeval wait = {0, WAIT_US};
    struct sockaddr_in any = {.sin_family = AF_INET};
    memset(e, 0, sizeof *e);
    e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&any, sizeof any) != 0 ||
        setsockopt(e->fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one) != 0 ||
        setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0) {
        stop("generator's socket");
    }
    /* As large as the system lets us: a generator that drops answers measures nothing. */
    if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    setsockopt(e->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

void endpoint_close(endpoint *e)
{
    close(e->fd);
}

uint8_t *endpoint_next(endpoint *e)
{
    return e->out.bytes[e->out.count];
}

void endpoint_send(endpoint *e, size_t len, uint32_t device, const struct sockaddr_in *to)
{
    endpoint_batch *b = &e->out;
    unsigned i = b->count++;
    b->peers[i] = *to;
    b->vectors[i] = (struct iovec){b->bytes[i], len};
    struct msghdr *header = &b->messages[i].msg_hdr;
    *header = (struct msghdr){.msg_name = &b->peers[i],
                              .msg_namelen = sizeof b->peers[i],
                              .msg_iov = &b->vectors[i],
                              .msg_iovlen = 1,
                              .msg_control = b->controls[i],
                              .msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo))};
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(FIRST_ADDRESS + device)};
    memcpy(CMSG_DATA(control), &info, sizeof info);
    if (b->count == ENDPOINT_BATCH) {
        endpoint_flush(e);
    }
}

void endpoint_flush(endpoint *e)
{
    endpoint_batch *b = &e->out;
    unsigned sent = 0;
    while (sent < b->count) {
        int n = sendmmsg(e->fd, b->messages + sent, b->count - sent, 0);
        if (n > 0) {
            sent += (unsigned)n;
        } else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS) {
            stop("sendmmsg");
        }
    }
    b->count = 0;
}

unsigned endpoint_receive(endpoint *e, bool wait)
{
    endpoint_batch *b = &e->in;
    for (unsigned i = 0; i < ENDPOINT_BATCH; i++) {
        b->vectors[i] = (struct iovec){b->bytes[i], ENDPOINT_MESSAGE_MAX};
        b->messages[i].msg_hdr = (struct msghdr){.msg_name = &b->peers[i],
                                                 .msg_namelen = sizeof b->peers[i],
                                                 .msg_iov = &b->vectors[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = b->controls[i],
                                                 .msg_controllen = ENDPOINT_CONTROL_MAX};
    }
    int n = recvmmsg(e->fd, b->messages, ENDPOINT_BATCH, wait ? MSG_WAITFORONE : MSG_DONTWAIT, NULL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        stop("recvmmsg");
    }
    b->count = n > 0 ? (unsigned)n : 0;
    return b->count;
}

uint32_t endpoint_device(const endpoint *e, unsigned i)
{
    const struct msghdr *header = &e->in.messages[i].msg_hdr;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL;
         c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            return ntohl(info.ipi_addr.s_addr) - FIRST_ADDRESS;
        }
    }
    return UINT32_MAX;
}
