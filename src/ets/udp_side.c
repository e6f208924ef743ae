/* SPDX-License-Identifier: Apache-2.0 */
/* A UDP socket, clocks and randomness. */
#include "ets/udp_side.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define WAIT_MAX_MS 50 /* an operator in another thread may have finished */
#define NS_PER_MS   1000000

bool dn_ets_udp_side_open(dn_ets_udp_side *side, const char *address, unsigned flags, char *error,
                          size_t error_size)
{
    side->batch = malloc(sizeof *side->batch);
    side->outbox = malloc(sizeof *side->outbox);
    const dunlin_status status = dn_udp_open(&side->udp, address, flags);
    side->open = true;
    if (side->batch == NULL || side->outbox == NULL || status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "%s: %s", address,
                       status == DUNLIN_ERR_ARGUMENT ? "is no numeric address with a port"
                       : status == DUNLIN_ERR_IO     ? strerror(errno)
                                                     : "no memory");
        return false;
    }
    dn_udp_outbox_init(side->outbox);
    return true;
}

void dn_ets_udp_side_close(dn_ets_udp_side *side)
{
    if (side->open) {
        dn_udp_close(&side->udp);
    }
    free(side->batch);
    free(side->outbox);
    *side = (dn_ets_udp_side){.open = false};
}

void dn_ets_udp_side_send(dn_ets_udp_side *side, const dn_peer *peer, dunlin_slice datagram)
{
    dn_udp_send(&side->udp, side->outbox, peer, datagram);
    (void)dn_udp_flush(&side->udp, side->outbox);
}

void dn_ets_udp_side_wait(dn_ets_udp_side *side, uint64_t until_ms,
                          void (*take)(void *context, const dn_peer *peer, dunlin_slice datagram),
                          void *context)
{
    const uint64_t now_ms = dn_ets_clock_ms();
    const uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    struct pollfd ready = {.fd = side->udp.fd, .events = POLLIN};
    if (poll(&ready, 1, left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS) <= 0) {
        return;
    }
    if (dn_udp_receive(&side->udp, side->batch, DN_UDP_BATCH) == DUNLIN_OK) {
        for (size_t i = 0; i < side->batch->count; i++) {
            take(context, &side->batch->datagram[i].peer, side->batch->datagram[i].bytes);
        }
    }
}

uint64_t dn_ets_clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NS_PER_MS;
}

int64_t dn_ets_wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

static void fill(void *context, void *out, size_t len)
{
    uint8_t *at = out;
    (void)context;
    while (len > 0) {
        const ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR) {
            abort(); /* nothing safe could go on without */
        }
        at += got > 0 ? (size_t)got : 0;
        len -= got > 0 ? (size_t)got : 0;
    }
}

dn_random dn_ets_entropy(void)
{
    return (dn_random){.fill = fill};
}
