/* SPDX-License-Identifier: Apache-2.0 */
/* Tries and sequences, and tries without end. */
#include "client/backoff.h"

#define DOUBLINGS_MAX 16u
#define MS_PER_S      1000u

/* The n-th failure of a sequence is followed by T * 2^(n-1); after `count` of them the sequence has failed. */
uint64_t dn_client_backoff(const dunlin_registration_policy *policy, uint32_t *tries, uint32_t *sequences)
{
    (*tries)++;
    if (*tries < policy->retry_count) {
        const uint32_t doublings = *tries - 1 < DOUBLINGS_MAX ? *tries - 1 : DOUBLINGS_MAX;
        return ((uint64_t)policy->retry_timer_s * MS_PER_S) << doublings;
    }
    (*sequences)++;
    if (*sequences < policy->sequence_count && policy->sequence_delay_s != UINT32_MAX) {
        *tries = 0;
        return (uint64_t)policy->sequence_delay_s * MS_PER_S;
    }
    return DUNLIN_NEVER;
}

/* Of the spread nothing is added: a wait is never longer than what was configured. */
uint64_t dn_client_backoff_endless(const dn_backoff *backoff, uint32_t failures, const dn_random *random)
{
    const uint32_t doublings = failures < 1 ? 0 : failures - 1 < DOUBLINGS_MAX ? failures - 1 : DOUBLINGS_MAX;
    const uint64_t first_ms = (backoff->first_s == 0 ? 1 : (uint64_t)backoff->first_s) * MS_PER_S;
    const uint64_t most_ms = (uint64_t)backoff->most_s * MS_PER_S;
    uint64_t wait_ms = first_ms << doublings;
    wait_ms = wait_ms > most_ms ? most_ms : wait_ms;
    wait_ms = wait_ms < first_ms ? first_ms : wait_ms;
    return wait_ms - dn_random_between(random, 0, wait_ms * backoff->spread / 100);
}
