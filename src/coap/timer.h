/* SPDX-License-Identifier: Apache-2.0 */
/* A deadline that knows what kind of object it is embedded in, so that one wheel serves all of them. */
#ifndef DN_COAP_TIMER_H
#define DN_COAP_TIMER_H

#include "base/deadline.h"

typedef enum {
    DN_COAP_TIMER_EXCHANGE,
    DN_COAP_TIMER_PENDING,
    DN_COAP_TIMER_TRANSFER,
    DN_COAP_TIMER_STREAM,
    DN_COAP_TIMER_CONNECTION
} dn_coap_timer_kind;

typedef struct {
    dn_deadline deadline;
    uint8_t kind;
} dn_coap_timer;

#endif
