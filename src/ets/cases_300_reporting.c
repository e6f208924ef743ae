/* SPDX-License-Identifier: Apache-2.0 */
/* Information reporting interface [300-399]. */
#include "ets/steps.h"

/* clang-format off: in these tables a line is a step and what must come of it */

#define C    DN_ETS_CLIENT
#define CS   (DN_ETS_CLIENT | DN_ETS_SERVER)
#define BOTH (DN_ETS_V10 | DN_ETS_V11)
#define V11  DN_ETS_V11

/* Values change whenever they like: the windows hold all the same. */
#define OBSERVE_POWER                                                                         \
    READ("/3/0/6", NO_ACCEPT), HAS("/3/0/6"), ATTRIBUTES("/3/0/7", "pmin=5&pmax=15"),         \
        ATTRIBUTES("/3/0/8", "pmin=10&pmax=20"), OBSERVE("/3/0/7", NO_ACCEPT), HAS("/3/0/7"), \
        OBSERVE("/3/0/8", NO_ACCEPT), HAS("/3/0/8")

#define FORGET_ATTRIBUTES UNSET("/3/0/7", "pmin&pmax"), UNSET("/3/0/8", "pmin&pmax")

static const dn_ets_step INT_301[] = {
    OBSERVE_POWER,
    NOTIFIES("/3/0/7", 2, 5, 15),
    NOTIFIES("/3/0/8", 2, 10, 20),
    CANCEL("/3/0/7"),
    CANCEL("/3/0/8"),
    FORGET_ATTRIBUTES,
};

static const dn_ets_step INT_302[] = {
    OBSERVE_POWER,          NOTIFIES("/3/0/7", 1, 5, 15), FORGET("/3/0/7"),
    IS_RESET("/3/0/7", 15), SILENT("/3/0/7", 35),         FORGET("/3/0/8"),
    IS_RESET("/3/0/8", 20), SILENT("/3/0/8", 45),         FORGET_ATTRIBUTES,
};

static const dn_ets_step INT_303[] = {
    OBSERVE_POWER,    NOTIFIES("/3/0/7", 1, 5, 15), CANCEL("/3/0/7"),  SILENT("/3/0/7", 35),
    CANCEL("/3/0/8"), SILENT("/3/0/8", 45),         FORGET_ATTRIBUTES,
};

static const dn_ets_case cases[] = {
    {.id = "int-301",
     .title = "Observation and notification of parameter values",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C4,
     .needs = "/3/0/6 /3/0/7 /3/0/8",
     DN_ETS_STEPS(INT_301)},
    {.id = "int-302",
     .title = "Cancel observations by Reset",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C4,
     .needs = "/3/0/6 /3/0/7 /3/0/8",
     DN_ETS_STEPS(INT_302)},
    {.id = "int-303",
     .title = "Cancel observations by Observe with Cancel",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C4,
     .needs = "/3/0/6 /3/0/7 /3/0/8",
     .erratum = "the text cancels at /3/0 what was observed at /3/0/7 and /3/0/8: each is cancelled where it "
                "was observed",
     DN_ETS_STEPS(INT_303)},
};

const dn_ets_group dn_ets_group_reporting = {
    .title = "Information reporting interface [300-399]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
