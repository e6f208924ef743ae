/* SPDX-License-Identifier: Apache-2.0 */
/* The UDP socket: batches in, batches out. */
#include "bearer/udp.h"
#include "bearer/udp_address.h"
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

/* Room for one IP_PKTINFO or IPV6_PKTINFO, aligned as a cmsghdr. */
typedef union {
    size_t align;
    uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
} control_space;

/* A server behind a burst of devices wants room; the kernel cuts it to its own limit. */
#define RECEIVE_BUFFER_BYTES (4 * 1024 * 1024)

static void remember_local(dn_udp *udp, const uint8_t address[16])
{
    dn_udp_local local = dn_udp_local_of(address);
    uint32_t hash;
    memcpy(&hash, local.bytes, sizeof hash);
    for (size_t i = 0; i < udp->local.count; i++) {
        if (udp->local.hash[i] == hash) {
            return;
        }
    }
    if (udp->local.count < DN_UDP_LOCALS) {
        memcpy(udp->local.address[udp->local.count], address, 16);
        udp->local.hash[udp->local.count++] = hash;
    }
}

/* So that peers kept from before a restart find their local address again. */
static void remember_interfaces(dn_udp *udp)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0) {
        return;
    }
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        if (entry->ifa_addr != NULL && entry->ifa_addr->sa_family == AF_INET6) {
            struct sockaddr_in6 v6;
            memcpy(&v6, entry->ifa_addr, sizeof v6);
            remember_local(udp, v6.sin6_addr.s6_addr);
        }
    }
    freeifaddrs(list);
}

static bool set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static bool set_options(dn_udp *udp)
{
    (void)set_flag(udp->fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    if ((udp->flags & DN_UDP_REUSEPORT) != 0 && !set_flag(udp->fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
        return false;
    }
    if (udp->family == AF_INET6 && !set_flag(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) {
        return false;
    }
    if ((udp->flags & DN_UDP_LOCAL) == 0 || !udp->wildcard) {
        return true;
    }
    return udp->family == AF_INET6 ? set_flag(udp->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                                   : set_flag(udp->fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static bool is_wildcard(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return v4.sin_addr.s_addr == htonl(INADDR_ANY);
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

static void name_bound(dn_udp *udp, const struct sockaddr_storage *address)
{
    dn_peer bound;
    (void)dn_udp_peer_from_sockaddr(address, NULL, &bound);
    (void)dn_udp_peer_text(&bound, udp->text);
    if (udp->wildcard) {
        remember_interfaces(udp);
    } else if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(udp->bound.bytes, &v4.sin_addr, sizeof udp->bound.bytes);
    } else {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        udp->bound = dn_udp_local_of(v6.sin6_addr.s6_addr);
    }
}

dunlin_status dn_udp_open(dn_udp *udp, const char *address, unsigned flags)
{
    dn_peer peer;
    struct sockaddr_storage name = {0};
    memset(udp, 0, sizeof *udp);
    udp->fd = -1;
    udp->flags = flags;
    if (dn_udp_peer_parse(address, &peer) != DUNLIN_OK) {
        return DUNLIN_ERR_ARGUMENT;
    }
    udp->family = dn_udp_peer_family(&peer) == 4 ? AF_INET : AF_INET6;
    socklen_t length = dn_udp_peer_to_sockaddr(&peer, udp->family, &name);
    udp->wildcard = is_wildcard(&name);
    udp->fd = socket(udp->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd < 0) {
        return DUNLIN_ERR_IO;
    }
    socklen_t bound_length = sizeof name;
    if (!set_options(udp) || bind(udp->fd, (const struct sockaddr *)&name, length) != 0 ||
        getsockname(udp->fd, (struct sockaddr *)&name, &bound_length) != 0) {
        int reason = errno;
        dn_udp_close(udp);
        errno = reason;
        return DUNLIN_ERR_IO;
    }
    name_bound(udp, &name);
    return DUNLIN_OK;
}

void dn_udp_close(dn_udp *udp)
{
    if (udp->fd >= 0) {
        (void)close(udp->fd);
        udp->fd = -1;
    }
}

/* Where a datagram came to, from what the kernel said with it. */
static bool local_from_control(dn_udp *udp, struct msghdr *header, dn_udp_local *local)
{
    for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item != NULL; item = CMSG_NXTHDR(header, item)) {
        if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            memcpy(local->bytes, &info.ipi_spec_dst, sizeof local->bytes);
            return true;
        }
        if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            *local = dn_udp_local_of(info.ipi6_addr.s6_addr);
            remember_local(udp, info.ipi6_addr.s6_addr);
            return true;
        }
    }
    return false;
}

static bool take(dn_udp *udp, const struct sockaddr_storage *from, struct mmsghdr *message,
                 const uint8_t *bytes, dn_udp_datagram *out)
{
    if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        udp->counters.truncated++;
        return false;
    }
    dn_udp_local local;
    bool known = false;
    if ((udp->flags & DN_UDP_LOCAL) != 0) {
        local = udp->bound;
        known = !udp->wildcard || local_from_control(udp, &message->msg_hdr, &local);
    }
    if (!dn_udp_peer_from_sockaddr(from, known ? &local : NULL, &out->peer)) {
        return false;
    }
    out->bytes = dunlin_slice_make(bytes, message->msg_len);
    udp->counters.received++;
    udp->counters.bytes_received += message->msg_len;
    return true;
}

static bool is_network_error(int error)
{
    return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN ||
           error == ENETDOWN || error == ECONNRESET;
}

/* ICMP errors reported on the socket are those of what we sent; each is reported once and does not end the
 * socket. */
static int receive_some(dn_udp *udp, struct mmsghdr *messages, size_t max)
{
    for (;;) {
        int got = recvmmsg(udp->fd, messages, (unsigned)max, MSG_DONTWAIT, NULL);
        if (got >= 0 || !(errno == EINTR || is_network_error(errno))) {
            return got;
        }
        udp->counters.refused += errno != EINTR;
    }
}

dunlin_status dn_udp_receive(dn_udp *udp, dn_udp_batch *batch, size_t max)
{
    struct mmsghdr messages[DN_UDP_BATCH];
    struct iovec vectors[DN_UDP_BATCH];
    struct sockaddr_storage from[DN_UDP_BATCH];
    control_space control[DN_UDP_BATCH];
    bool with_control = udp->wildcard && (udp->flags & DN_UDP_LOCAL) != 0;
    batch->count = 0;
    if (max == 0 || max > DN_UDP_BATCH) {
        max = DN_UDP_BATCH;
    }
    for (size_t i = 0; i < max; i++) {
        vectors[i] = (struct iovec){batch->memory[i], DN_UDP_DATAGRAM_MAX};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                              .msg_namelen = sizeof from[i],
                                              .msg_iov = &vectors[i],
                                              .msg_iovlen = 1,
                                              .msg_control = with_control ? control[i].bytes : NULL,
                                              .msg_controllen = with_control ? sizeof control[i].bytes : 0};
    }
    int got = receive_some(udp, messages, max);
    if (got < 0) {
        return errno == EAGAIN ? DUNLIN_END : DUNLIN_ERR_IO;
    }
    for (size_t i = 0; i < (size_t)got; i++) {
        if (take(udp, &from[i], &messages[i], batch->memory[i], &batch->datagram[batch->count])) {
            batch->count++;
        }
    }
    return batch->count > 0 ? DUNLIN_OK : DUNLIN_END;
}

void dn_udp_outbox_init(dn_udp_outbox *outbox)
{
    outbox->count = 0;
    outbox->used = 0;
}

bool dn_udp_queue(dn_udp_outbox *outbox, const dn_peer *peer, dunlin_slice bytes)
{
    if (outbox->count == DN_UDP_BATCH || bytes.len > DN_UDP_DATAGRAM_MAX) {
        return false;
    }
    outbox->entry[outbox->count].peer = *peer;
    outbox->entry[outbox->count].at = (uint32_t)outbox->used;
    outbox->entry[outbox->count].len = (uint32_t)bytes.len;
    if (bytes.len > 0) {
        memcpy(outbox->memory + outbox->used, bytes.data, bytes.len);
    }
    outbox->used += bytes.len;
    outbox->count++;
    return true;
}

static const uint8_t *find_local(const dn_udp *udp, const dn_udp_local *local)
{
    uint32_t hash;
    memcpy(&hash, local->bytes, sizeof hash);
    for (size_t i = 0; i < udp->local.count; i++) {
        if (udp->local.hash[i] == hash) {
            return udp->local.address[i];
        }
    }
    return NULL;
}

static void put_control(struct msghdr *header, control_space *control, int level, int type, const void *info,
                        size_t length)
{
    memset(control, 0, sizeof *control);
    header->msg_control = control->bytes;
    header->msg_controllen = CMSG_SPACE(length);
    struct cmsghdr *item = CMSG_FIRSTHDR(header);
    item->cmsg_level = level;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(item), info, length);
}

/* Asks the kernel to send from the local address that the peer names, if we are not bound to one anyway. */
static void choose_source(const dn_udp *udp, const dn_peer *peer, struct msghdr *header,
                          control_space *control)
{
    dn_udp_local local;
    if (!udp->wildcard || !dn_udp_peer_local(peer, &local)) {
        return;
    }
    bool is_v4 = dn_udp_peer_family(peer) == 4;
    if (is_v4 && udp->family == AF_INET) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local.bytes, sizeof local.bytes);
        put_control(header, control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
        return;
    }
    struct in6_pktinfo info = {0};
    const uint8_t *address = is_v4 ? NULL : find_local(udp, &local);
    if (is_v4) {
        info.ipi6_addr.s6_addr[10] = info.ipi6_addr.s6_addr[11] = 0xff;
        memcpy(info.ipi6_addr.s6_addr + 12, local.bytes, sizeof local.bytes);
    } else if (address != NULL) {
        memcpy(info.ipi6_addr.s6_addr, address, 16);
    } else {
        return;
    }
    put_control(header, control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
}

/* Moves what is left to the front. */
static void drop_front(dn_udp_outbox *outbox, size_t done)
{
    if (done == outbox->count) {
        dn_udp_outbox_init(outbox);
        return;
    }
    uint32_t start = outbox->entry[done].at;
    memmove(outbox->memory, outbox->memory + start, outbox->used - start);
    memmove(outbox->entry, outbox->entry + done, (outbox->count - done) * sizeof outbox->entry[0]);
    outbox->count -= done;
    outbox->used -= start;
    for (size_t i = 0; i < outbox->count; i++) {
        outbox->entry[i].at -= start;
    }
}

/* Sends messages[done..count). How many are dealt with, sent or refused; less than count: the socket is full.
 */
static size_t send_all(dn_udp *udp, struct mmsghdr *messages, size_t count)
{
    size_t done = 0;
    while (done < count) {
        int sent = sendmmsg(udp->fd, messages + done, (unsigned)(count - done), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            udp->counters.sent += (uint64_t)sent;
            for (; sent > 0 && done < count; sent--) {
                udp->counters.bytes_sent += messages[done++].msg_len;
            }
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            return done;
        } else if (is_network_error(errno)) {
            /* An error that an earlier datagram met, or this one: skip it; retransmission is CoAP's work. */
            udp->counters.refused++;
            done++;
        } else if (errno != EINTR) {
            udp->counters.dropped++;
            done++;
        }
    }
    return done;
}

dunlin_status dn_udp_flush(dn_udp *udp, dn_udp_outbox *outbox)
{
    struct mmsghdr messages[DN_UDP_BATCH];
    struct iovec vectors[DN_UDP_BATCH];
    struct sockaddr_storage to[DN_UDP_BATCH];
    control_space control[DN_UDP_BATCH];
    size_t index[DN_UDP_BATCH + 1];
    size_t count = 0;
    for (size_t i = 0; i < outbox->count; i++) {
        socklen_t length = dn_udp_peer_to_sockaddr(&outbox->entry[i].peer, udp->family, &to[count]);
        if (length == 0) {
            udp->counters.dropped++;
            continue;
        }
        vectors[count] = (struct iovec){outbox->memory + outbox->entry[i].at, outbox->entry[i].len};
        messages[count].msg_len = 0;
        messages[count].msg_hdr = (struct msghdr){
            .msg_name = &to[count], .msg_namelen = length, .msg_iov = &vectors[count], .msg_iovlen = 1};
        choose_source(udp, &outbox->entry[i].peer, &messages[count].msg_hdr, &control[count]);
        index[count++] = i;
    }
    index[count] = outbox->count;
    drop_front(outbox, index[send_all(udp, messages, count)]);
    return outbox->count == 0 ? DUNLIN_OK : DUNLIN_END;
}

void dn_udp_send(dn_udp *udp, dn_udp_outbox *outbox, const dn_peer *peer, dunlin_slice bytes)
{
    if (dn_udp_queue(outbox, peer, bytes)) {
        return;
    }
    (void)dn_udp_flush(udp, outbox);
    if (!dn_udp_queue(outbox, peer, bytes)) {
        udp->counters.dropped++;
    }
}
