/* SPDX-License-Identifier: Apache-2.0 */
/* The system's random source as a dn_random. Draws are served from a pool, so that a token does not cost a
 * system call. */
#ifndef DN_PORT_ENTROPY_H
#define DN_PORT_ENTROPY_H

#include "base/random.h"

#define DN_ENTROPY_POOL 1024

/* One per thread, zero-initialised; not to be used on both sides of a fork. */
typedef struct {
    uint8_t pool[DN_ENTROPY_POOL];
    size_t left;
} dn_entropy;

/* A source that draws from `entropy`, which must outlive it. The process ends if the system has no randomness
   to give: nothing safe could go on without. */
dn_random dn_entropy_random(dn_entropy *entropy);

#endif
