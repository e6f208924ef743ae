/* SPDX-License-Identifier: Apache-2.0 */
/* What plan.c and plan_records.c share: the kinds of places, and which address a device is given. */
#ifndef DN_BOOTSTRAP_PLAN_RECORDS_H
#define DN_BOOTSTRAP_PLAN_RECORDS_H

#include "bootstrap/plan.h"

typedef enum {
    DN_BS_PLACE_ACCOUNT,  /* the bootstrap server's own, in Object 0 */
    DN_BS_PLACE_SECURITY, /* servers[index] in Object 0 */
    DN_BS_PLACE_SERVER,   /* and in Object 1 */
    DN_BS_PLACE_ACCESS,   /* access[index] */
    DN_BS_PLACE_VALUES    /* writes[index] and those behind it of the same instance */
} dn_bs_place_kind;

/* NULL: this server has no such port. */
const char *dn_bs_plan_uri(const dn_bs_server *server, const dn_bs_own *own, bool prefers_streams);

#endif
