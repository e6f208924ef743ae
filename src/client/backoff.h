/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before trying again: by Object 1 resources 17 to 20 (Core 1.1.1 section 6.2.1.1), or without end. */
#ifndef DN_CLIENT_BACKOFF_H
#define DN_CLIENT_BACKOFF_H

#include "base/random.h"
#include <dunlin/client.h>

/*
 * The wait after one more failed try, in milliseconds; DUNLIN_NEVER: all tries are used up. `*tries` counts those of this sequence
 * and is 0 afterwards when the sequence has failed and another one follows; `*sequences` counts those that have failed.
 */
uint64_t dn_client_backoff(const dunlin_registration_policy *policy, uint32_t *tries, uint32_t *sequences);

/* Tries that do not end, which is what is right where there is nobody else to turn to. */
typedef struct {
    uint32_t
        first_s; /* before the second try; doubled for each further one. 0 counts as 1: it must not become a storm */
    uint32_t most_s; /* and never longer than that, unless first_s is */
    uint8_t
        spread; /* percent of a wait that are drawn, 0 to 100: devices that have failed together come back one by one */
} dn_backoff;

/* The wait in milliseconds after the `failures`-th failure, from 1 on. */
uint64_t dn_client_backoff_endless(const dn_backoff *backoff, uint32_t failures, const dn_random *random);

#endif
