/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom(2), a pool at a time. What was drawn is wiped from the pool. */
#include "port/entropy.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void draw(uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got > 0) {
            out += got;
            len -= (size_t)got;
        } else if (errno != EINTR) {
            abort();
        }
    }
}

static void fill(void *context, void *out, size_t len)
{
    dn_entropy *entropy = context;
    if (len > DN_ENTROPY_POOL) {
        draw(out, len);
        return;
    }
    if (entropy->left < len) {
        draw(entropy->pool, DN_ENTROPY_POOL);
        entropy->left = DN_ENTROPY_POOL;
    }
    uint8_t *next = entropy->pool + DN_ENTROPY_POOL - entropy->left;
    memcpy(out, next, len);
    explicit_bzero(next, len);
    entropy->left -= len;
}

dn_random dn_entropy_random(dn_entropy *entropy)
{
    dn_random random = {fill, entropy};
    return random;
}
