/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before trying again: Object 1 resources 17 to 20 (Core 1.1.1 section 6.2.1.1), for registrations and bootstraps. */
#ifndef DN_CLIENT_BACKOFF_H
#define DN_CLIENT_BACKOFF_H

#include <dunlin/client.h>

/*
 * The wait after one more failed try, in milliseconds; DUNLIN_NEVER: all tries are used up. `*tries` counts those of this sequence
 * and is 0 afterwards when the sequence has failed and another one follows; `*sequences` counts those that have failed.
 */
uint64_t dn_client_backoff(const dunlin_registration_policy *policy, uint32_t *tries, uint32_t *sequences);

/* How long to wait, in milliseconds, before a bootstrap when `vain` of them came to their end without a registration that followed: none
   for 0, then the retry timer, twice as long for each further one, a day at most. Else a wrong address in what a bootstrap server gives
   would have the device ask for it again and again. */
uint64_t dn_client_backoff_vain(const dunlin_registration_policy *policy, uint32_t vain);

#endif
