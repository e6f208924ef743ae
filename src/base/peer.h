/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end, as the bearer names it. Engines only compare it; the bearer that made it can read it. */
#ifndef DN_BASE_PEER_H
#define DN_BASE_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DN_PEER_MAX 27

typedef struct {
    uint8_t len;
    uint8_t bytes[DN_PEER_MAX]; /* bytes behind `len` are zero */
} dn_peer;

static inline bool dn_peer_equal(const dn_peer *a, const dn_peer *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

#endif
