/* SPDX-License-Identifier: Apache-2.0 */
/* The first datagram of anybody: whatever it is, it is judged without harm, and no cookie is genuine unless it was made here. */
#include "security/tls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[DN_TLS_COOKIE_KEY] = {7, 1, 9};
    static const uint8_t peer[] = {127, 0, 0, 1, 22, 52};
    uint8_t answer[128];
    size_t answer_len = 0;
    const dunlin_slice datagram = dunlin_slice_make(data, size);
    switch (dn_tls_cookie_check(key, dunlin_slice_make(peer, sizeof peer), datagram, answer, sizeof answer,
                                &answer_len)) {
    case DN_TLS_COOKIE_GENUINE:
        abort(); /* the fuzzer does not know the key */
    case DN_TLS_COOKIE_CHALLENGE:
        if (answer_len == 0 || answer_len > sizeof answer || !dn_tls_begins_anew(datagram)) {
            abort();
        }
        break;
    default:
        if (answer_len != 0) {
            abort();
        }
        break;
    }
    return 0;
}
