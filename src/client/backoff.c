/* SPDX-License-Identifier: Apache-2.0 */
/* Tries and sequences. */
#include "client/backoff.h"

#define DOUBLINGS_MAX 16u
#define MS_PER_S      1000u
#define DAY_MS        86400000u

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

uint64_t dn_client_backoff_vain(const dunlin_registration_policy *policy, uint32_t vain)
{
    if (vain == 0) {
        return 0;
    }
    const uint32_t doublings = vain - 1 < DOUBLINGS_MAX ? vain - 1 : DOUBLINGS_MAX;
    const uint64_t wait_ms = (uint64_t)policy->retry_timer_s * MS_PER_S << doublings;
    return wait_ms < DAY_MS ? wait_ms : DAY_MS;
}
