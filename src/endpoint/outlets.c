/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets and their boxes of datagrams. */
#include "endpoint/outlets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* True when an answer to some peer could leave through both. */
static bool overlaps(const dn_outlets *outlets, const dn_udp *udp)
{
    for (size_t i = 0; i < outlets->count; i++) {
        const dn_udp *other = &outlets->outlet[i]->udp;
        bool same_family = other->family == udp->family;
        if ((same_family && (other->wildcard || udp->wildcard ||
                             memcmp(&other->bound, &udp->bound, sizeof udp->bound) == 0)) ||
            (!same_family && ((other->wildcard && other->family == AF_INET6) ||
                              (udp->wildcard && udp->family == AF_INET6)))) {
            return true;
        }
    }
    return false;
}

dunlin_status dn_outlets_open(dn_outlets *outlets, const char *address, char *error, size_t error_size)
{
    if (outlets->count == DN_OUTLETS_MAX) {
        (void)snprintf(error, error_size, "%s: more than %u addresses of a transport", address,
                       DN_OUTLETS_MAX);
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_outlet *outlet = calloc(1, sizeof *outlet);
    if (outlet == NULL) {
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = dn_udp_open(&outlet->udp, address, DN_UDP_LOCAL);
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "cannot listen on %s: %s", address,
                       status == DUNLIN_ERR_IO ? strerror(errno) : "not an address with port");
        free(outlet);
        return status;
    }
    if (overlaps(outlets, &outlet->udp)) {
        (void)snprintf(error, error_size,
                       "%s overlaps another address of its kind: each needs an IP address of its own",
                       address);
        dn_udp_close(&outlet->udp);
        free(outlet);
        return DUNLIN_ERR_ARGUMENT;
    }
    outlets->outlet[outlets->count++] = outlet;
    return DUNLIN_OK;
}

void dn_outlets_close(dn_outlets *outlets)
{
    for (size_t i = 0; i < outlets->count; i++) {
        dn_outlet *outlet = outlets->outlet[i];
        dn_udp_close(&outlet->udp);
        for (size_t box = 0; box < outlet->made; box++) {
            free(outlet->boxes[box]);
        }
        free(outlet);
    }
    outlets->count = 0;
}

static dn_outlet *outlet_for(dn_outlets *outlets, const dn_peer *peer)
{
    for (size_t i = 1; i < outlets->count; i++) {
        if (dn_udp_serves(&outlets->outlet[i]->udp, peer)) {
            return outlets->outlet[i];
        }
    }
    return outlets->count > 0 ? outlets->outlet[0] : NULL;
}

static bool queue(dn_outlet *outlet, const dn_peer *peer, dunlin_slice datagram)
{
    if (outlet->used > 0 && dn_udp_queue(outlet->boxes[outlet->used - 1], peer, datagram)) {
        return true;
    }
    if (outlet->used == outlet->made && outlet->made < DN_OUTLET_BOXES_MAX) {
        outlet->boxes[outlet->made] = malloc(sizeof *outlet->boxes[0]);
        outlet->made += outlet->boxes[outlet->made] != NULL;
    }
    if (outlet->used == outlet->made) {
        return false;
    }
    dn_udp_outbox *box = outlet->boxes[outlet->used++];
    dn_udp_outbox_init(box);
    return dn_udp_queue(box, peer, datagram);
}

void dn_outlets_send(dn_outlets *outlets, const dn_peer *peer, dunlin_slice datagram)
{
    dn_outlet *outlet = outlet_for(outlets, peer);
    if (outlet == NULL || datagram.len > DN_UDP_DATAGRAM_MAX || !queue(outlet, peer, datagram)) {
        outlets->dropped++;
    }
}

static void flush(dn_outlet *outlet)
{
    size_t done = 0;
    while (done < outlet->used && dn_udp_flush(&outlet->udp, outlet->boxes[done]) == DUNLIN_OK) {
        done++;
    }
    if (done == outlet->used) {
        outlet->used = 0;
        return;
    }
    for (; done > 0; done--) {
        dn_udp_outbox *empty = outlet->boxes[0];
        memmove(outlet->boxes, outlet->boxes + 1, (outlet->made - 1) * sizeof outlet->boxes[0]);
        outlet->boxes[outlet->made - 1] = empty;
        outlet->used--;
    }
}

void dn_outlets_flush(dn_outlets *outlets)
{
    for (size_t i = 0; i < outlets->count; i++) {
        flush(outlets->outlet[i]);
    }
}

uint64_t dn_outlets_dropped(const dn_outlets *outlets)
{
    uint64_t dropped = outlets->dropped;
    for (size_t i = 0; i < outlets->count; i++) {
        dropped += outlets->outlet[i]->udp.counters.dropped;
    }
    return dropped;
}
