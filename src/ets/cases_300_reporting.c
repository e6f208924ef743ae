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

#define MANY "/1/x/1 /3/0/11/0 /3/0/16"

static const dn_ets_step INT_304[] = {
    ATTRIBUTES("/1/x/1", "pmin=30&pmax=45"),
    OBSERVE_COMPOSITE(MANY, ANY),
    HAS(MANY),
    NOTIFIES_COMPOSITE(MANY, 1, 30, 45),
    HAS(MANY),
    CANCEL_COMPOSITE(MANY, ANY),
    UNSET("/1/x/1", "pmin&pmax"),
};

static const dn_ets_step INT_305[] = {
    ATTRIBUTES("/1/x/1", "pmin=5&pmax=10"),
    OBSERVE_COMPOSITE(MANY, ANY),
    HAS(MANY),
    NOTIFIES_COMPOSITE(MANY, 1, 5, 10),
    CANCEL_COMPOSITE(MANY, ANY),
    HAS(MANY),
    SILENT_COMPOSITE(MANY, 25),
    UNSET("/1/x/1", "pmin&pmax"),
};

#define BY_HAND "let the device send /3/0/16 with the Send operation"

static const dn_ets_step INT_306[] = {
    DEVICE_SENDS("/3/0/16 /3/0/11/0", BY_HAND),
    SENDS(),
};

static const dn_ets_step INT_307[] = {
    SAVE("/1/x/23"),
    DEVICE_SENDS("/3/0/16", BY_HAND),
    SENDS(),
    WRITE("/1/x/23", ANY, "true"),
    DEVICE_SENDS("/3/0/16", BY_HAND ", which is muted now"),
    SENDS_NOTHING(10),
    WRITE("/1/x/23", ANY, "false"),
    DEVICE_SENDS("/3/0/16", BY_HAND),
    SENDS(),
    RESTORE("/1/x/23", ANY),
};

static const dn_ets_step INT_308[] = {
    ATTRIBUTES("/16/0", "pmin=30&pmax=45"),
    OBSERVE_COMPOSITE("/16/0 /16/1", ANY),
    HAS("/16/0/0"),
    LACKS("/16/1"),
    CREATE("/16", ANY, "1/0/0=one"),
    NOTIFIES_COMPOSITE("/16/0 /16/1", 2, 0, 46),
    HAS("/16/0/0 /16/1/0"),
    CANCEL_COMPOSITE("/16/0 /16/1", ANY),
    {ASK_(DN_ETS_DELETE, "/16/1", NO_ACCEPT, DELETED), .always = true},
    UNSET("/16/0", "pmin&pmax"),
};

static const dn_ets_step INT_309[] = {
    CREATE("/16", ANY, "1/0/0=one"),
    ATTRIBUTES("/16/0", "pmin=30&pmax=45"),
    OBSERVE_COMPOSITE("/16/0 /16/1", ANY),
    HAS("/16/0/0 /16/1/0"),
    DELETE("/16/1"),
    NOTIFIES_COMPOSITE("/16/0 /16/1", 2, 0, 46),
    HAS("/16/0/0"),
    LACKS("/16/1"),
    CANCEL_COMPOSITE("/16/0 /16/1", ANY),
    UNSET("/16/0", "pmin&pmax"),
};

static const dn_ets_step INT_310[] = {
    OBSERVE_COMPOSITE("/1/x/1 /3/0", ANY),
    HAS("/1/x/1 /3/0/16"),
    ATTRIBUTES("/3", "pmax=5"),
    NOTIFIES_COMPOSITE("/1/x/1 /3/0", 1, 0, 0),
    NOTIFIES_COMPOSITE("/1/x/1 /3/0", 3, 0, 5),
    HAS("/1/x/1 /3/0/16"),
    CANCEL_COMPOSITE("/1/x/1 /3/0", ANY),
    UNSET("/3", "pmax"),
};

static const dn_ets_step INT_311[] = {
    DEVICE_SENDS("/1/x/1 /3/0/11/0", "let the device send /1/x/1 and /3/0/11/0 with the Send operation"),
    SENDS(),
    HAS("/1/x/1 /3/0/11/0"),
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
    {.id = "int-304",
     .title = "Observe-Composite",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .erratum = "the text registers with Observe 1, which cancels: it is 0",
     DN_ETS_STEPS(INT_304)},
    {.id = "int-305",
     .title = "Cancel Observation-Composite",
     .roles = CS,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_305)},
    {.id = "int-306",
     .title = "Send",
     .roles = CS,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_306)},
    {.id = "int-307",
     .title = "Muting Send",
     .roles = CS,
     .versions = V11,
     .config = DN_ETS_C1,
     .needs = "/1/x/23",
     .erratum = "the text says CoAP POST on /1/x/23, which is a Write: PUT",
     DN_ETS_STEPS(INT_307)},
    {.id = "int-308",
     .title = "Observe-Composite with creation of an Object Instance",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .portfolio = true,
     .needs = "/16/0",
     .erratum = "/16/0 is part of the configuration, where the text creates it",
     DN_ETS_STEPS(INT_308)},
    {.id = "int-309",
     .title = "Observe-Composite with deletion of an Object Instance",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .portfolio = true,
     .needs = "/16/0",
     .erratum = "the text wants 2.04 for the Delete, whose success is 2.02",
     DN_ETS_STEPS(INT_309)},
    {.id = "int-310",
     .title = "Observe-Composite with modification of parameters",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C1,
     .erratum = "the text registers with Observe 1, which cancels: it is 0",
     DN_ETS_STEPS(INT_310)},
    {.id = "int-311",
     .title = "Send command with values",
     .roles = CS,
     .versions = V11,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_311)},
    {.id = "int-312",
     .title = "Observe with attributes in the query",
     .release = "1.2",
     .roles = C,
     .why_not = "needs LwM2M 1.2"},
    {.id = "int-313",
     .title = "Observe whose query overrides attributes",
     .release = "1.2",
     .roles = C,
     .why_not = "needs LwM2M 1.2"},
};

const dn_ets_group dn_ets_group_reporting = {
    .title = "Information reporting interface [300-399]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
