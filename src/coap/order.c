/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two notifications is newer (RFC 7641 section 3.4). */
#include "coap/engine.h"

#define HALF_CIRCLE     (UINT32_C(1) << 23)
#define CIRCLE_MASK     ((UINT32_C(1) << 24) - 1)
#define ALWAYS_NEWER_MS 128000u

bool dn_coap_order_newer(dn_coap_order *order, uint32_t sequence, uint64_t now_ms)
{
    /* V1 < V2 within half the circle, or V1 > V2 by more than half of it: both are 0 < V2 - V1 mod 2^24 <
     * 2^23. */
    uint32_t ahead = (sequence - order->sequence) & CIRCLE_MASK;
    bool newer = !order->any || (ahead > 0 && ahead < HALF_CIRCLE) || now_ms > order->at_ms + ALWAYS_NEWER_MS;
    if (newer) {
        order->any = true;
        order->sequence = sequence & CIRCLE_MASK;
        order->at_ms = now_ms;
    }
    return newer;
}
