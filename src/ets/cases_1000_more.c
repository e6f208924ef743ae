/* SPDX-License-Identifier: Apache-2.0 */
/* Additional Objects [1000-2099]. */
#include "ets/steps.h"

/* clang-format off: in these tables a line is a step and what must come of it */

static const dn_ets_step INT_1630[] = {
    DISCOVER("/16"),
    LINKS("</16/0>,</16/0/0>;dim=4"),
    CREATE("/16", TLV, "1/0/0=one 1/0/1=two"),
    DISCOVER("/16/1"),
    LINKS("</16/1/0>;dim=2"),
    READ("/16", NO_ACCEPT),
    HOLDS("1/0/0=one 1/0/1=two"),
    HAS("/16/0/0"),
};

static const dn_ets_case cases[] = {
    {.id = "int-1630",
     .title = "Portfolio: create an instance",
     .roles = DN_ETS_CLIENT,
     .versions = DN_ETS_V10 | DN_ETS_V11,
     .config = DN_ETS_C12,
     .needs = "/16/0/0",
     DN_ETS_STEPS(INT_1630)},
};

const dn_ets_group dn_ets_group_more = {
    .title = "Additional Objects [1000-2099]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
