/* SPDX-License-Identifier: Apache-2.0 */
/* Core Objects [500-999]. */
#include "ets/steps.h"

/* clang-format off: in these tables a line is a step and what must come of it */

#define C    DN_ETS_CLIENT
#define CS   (DN_ETS_CLIENT | DN_ETS_SERVER)
#define BOTH (DN_ETS_V10 | DN_ETS_V11)

static const dn_ets_step INT_651[] = {
    SAVE("/3/0"),
    UPDATE("/3/0", TLV, "13=1367491215 14=+02:00 15=Europe/Paris"),
    READ("/3/0", NO_ACCEPT),
    HOLDS("14=+02:00 15=Europe/Paris"),
    CHECK(dn_ets_check_clock_was_set, "Current Time is within a minute of 2013-05-02T10:40:15Z"),
    SET_CLOCK(),
    RESTORE("/3/0", TLV),
    SAME("/3/0"),
};

static const dn_ets_step INT_652[] = {
    READ("/3/0/3", NO_ACCEPT),
    HAS("/3/0/3"),
};

static const dn_ets_step INT_680[] = {
    CREATE_GETS("/3", TLV, "1/16=U", NOT_ALLOWED),
};

static const dn_ets_step INT_685[] = {
    DELETE_GETS("/3/0", NOT_ALLOWED),
};

static const dn_ets_case cases[] = {
    {.id = "int-651",
     .title = "Device: setting basic information",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C6,
     .needs = "/3/0/13 /3/0/14 /3/0/15",
     .erratum = "the restoring Replace carries all that is writable (OMA issue 236)",
     DN_ETS_STEPS(INT_651)},
    {.id = "int-652",
     .title = "Device: querying the firmware version",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C6,
     .needs = "/3/0/3",
     DN_ETS_STEPS(INT_652)},
    {.id = "int-680",
     .title = "Device: create",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_680)},
    {.id = "int-685",
     .title = "Device: delete",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_685)},
};

const dn_ets_group dn_ets_group_objects = {
    .title = "Core Objects [500-999]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
