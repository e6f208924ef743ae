/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications and pings on their way out, and the Resets that come back for them. */
#ifndef DN_COAP_NOTIFY_H
#define DN_COAP_NOTIFY_H

#include "coap/core.h"

/* A Reset from `remote`, which the caller holds. */
void dn_coap_take_reset(dn_coap *coap, uint32_t remote, const dn_coap_message *message);

#endif
