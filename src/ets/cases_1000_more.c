/* SPDX-License-Identifier: Apache-2.0 */
/* Additional Objects [1000-2099]. */
#include "ets/steps.h"

#include <string.h>

/* clang-format off: in these tables a line is a step and what must come of it */

/* The Create may have caused an Update of its own, before the trigger. */
static void lists_second_profile(dn_ets_run *run, const dn_ets_step *step)
{
    (void)step;
    dn_ets_refresh(run, 0);
    (void)dn_ets_expect(run, dn_ets_registration_lists(&run->registration, dunlin_path_instance(11, 1)),
                        "the list of Objects has /11/1");
}

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

static const dn_ets_step INT_1635[] = {
    DISCOVER("/16"), LINKS("</16/0>"),       DELETE("/16/0"), DISCOVER("/16"),
    LINKS("</16>"),  READ("/16", NO_ACCEPT), LACKS("/16/0"),
};

static const dn_ets_step INT_1200[] = {
    READ("/10/0", TLV),
    FORMAT(TLV),
    HAS("/10/0/11"),
};

static const dn_ets_step INT_1201[] = {
    DISCOVER("/10"),
    LINKS("</10>;ver=1.1,</10/0>"),
    READ("/10/0", NO_ACCEPT),
    HAS("/10/0/11 /10/0/12 /10/0/13"),
};

static const dn_ets_step INT_1202[] = {
    DISCOVER("/10"),
    LINKS("</10/0/12>,</10/0/13>"),
    READ("/10/0/12", NO_ACCEPT),
    HAS("/10/0/12"),
    SAVE("/10/0/13"),
    WRITE("/10/0/13", ANY, "2"),
    READ("/10/0/13", NO_ACCEPT),
    HOLDS("/10/0/13=2"),
    RESTORE("/10/0/13", ANY),
};

#define OBSERVES_EACH(path_) ATTRIBUTES(path_, "pmin=2&pmax=10"), OBSERVE(path_, NO_ACCEPT), HAS(path_)
#define ENDS(path_)          CANCEL(path_), UNSET(path_, "pmin&pmax")

static const dn_ets_step INT_1203[] = {
    DISCOVER("/10"),
    LINKS("</10/0/12>,</10/0/13>"),
    OBSERVES_EACH("/10/0/12"),
    OBSERVES_EACH("/10/0/13"),
    NOTIFIES("/10/0/12", 2, 2, 10),
    NOTIFIES("/10/0/13", 2, 2, 10),
    ENDS("/10/0/12"),
    ENDS("/10/0/13"),
};

static const dn_ets_step INT_1204[] = {
    OBSERVES_EACH("/10/0/4"),
    OBSERVES_EACH("/10/0/5"),
    OBSERVES_EACH("/10/0/8"),
    OBSERVES_EACH("/10/0/9"),
    NOTIFIES("/10/0/4", 2, 2, 10),
    NOTIFIES("/10/0/5", 2, 2, 10),
    NOTIFIES("/10/0/8", 2, 2, 10),
    NOTIFIES("/10/0/9", 2, 2, 10),
    ENDS("/10/0/4"),
    ENDS("/10/0/5"),
    ENDS("/10/0/8"),
    ENDS("/10/0/9"),
};

static void has_second_profile(dn_ets_run *run, const dn_ets_step *step)
{
    bool found = false;
    (void)step;
    for (size_t i = 0; i < run->answer.values.count; i++) {
        const dn_ets_value *one = &run->answer.values.list[i];
        found = found || (one->text != NULL && strcmp(one->text, "11:1") == 0);
    }
    (void)dn_ets_expect(run, found, "11:1 is among the active profiles");
}

static const dn_ets_step INT_1250[] = {
    CREATE("/11", ANY, "1/0=second 1/4=3"),
    EXECUTE("/1/x/8", NULL),
    UPDATES(NULL, 30),
    CHECK(lists_second_profile, "The server knows of /11/1 by an Update"),
    WRITE("/11/1/3", ANY, "true"),
    READ("/10/0/11", NO_ACCEPT),
    CHECK(has_second_profile, "The active profiles include 11:1"),
    {ASK_(DN_ETS_DELETE, "/11/1", NO_ACCEPT, DELETED), .always = true},
};

static const dn_ets_step INT_1900[] = {
    DISCOVER("/19"),
    LINKS("</19/0/0>"),
    ATTRIBUTES("/19/0/0", "pmin=300&pmax=3600"),
    OBSERVE("/19/0/0", NO_ACCEPT),
    HAS("/19/0/0"),
    NOTIFIES("/19/0/0", 1, 300, 3600),
    CANCEL("/19/0/0"),
    UNSET("/19/0/0", "pmin&pmax"),
};

static const dn_ets_step INT_1901[] = {
    WRITE("/19/1/0", OPAQUE, "ZHVubGlu"),
    READ("/19/1/0", NO_ACCEPT),
    HOLDS("/19/1/0=ZHVubGlu"),
};

static const dn_ets_step INT_2001[] = {
    READ("/20/0", TLV),
    FORMAT(TLV),
    HAS("/20/0/4010 /20/0/4013 /20/0/4014"),
};

#define C    DN_ETS_CLIENT
#define BOTH (DN_ETS_V10 | DN_ETS_V11)
#define V11  DN_ETS_V11
#define HEADING(id_, title_)                                                                                 \
    {                                                                                                        \
        .id = (id_), .title = (title_), .why_not = "a heading without a procedure in the test specification" \
    }

static const dn_ets_case cases[] = {
    {.id = "int-1200",
     .title = "Cellular Connectivity: read",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C10,
     .needs = "/10/0",
     DN_ETS_STEPS(INT_1200)},
    {.id = "int-1201",
     .title = "Cellular Connectivity 1.1: read",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C11,
     .needs = "/10/0/12 /10/0/13",
     DN_ETS_STEPS(INT_1201)},
    {.id = "int-1202",
     .title = "Cellular Connectivity 1.1: setting the power saving mode",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C11,
     .needs = "/10/0/12 /10/0/13",
     .erratum = "the text prints resources 13 and 14 and a TLV that is none: the modes are 12 (supported) "
                "and 13 (active). "
                "Test specification 1.0 has it as int-1210",
     DN_ETS_STEPS(INT_1202)},
    {.id = "int-1203",
     .title = "Cellular Connectivity 1.1: observing the power saving modes",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C11,
     .needs = "/10/0/12 /10/0/13",
     .erratum = "as int-1202; test specification 1.0 has it as int-1230",
     DN_ETS_STEPS(INT_1203)},
    {.id = "int-1204",
     .title = "Cellular Connectivity: observing the timers",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C10,
     .needs = "/10/0/4 /10/0/5 /10/0/8 /10/0/9",
     DN_ETS_STEPS(INT_1204)},
    {.id = "int-1250",
     .title = "APN configuration",
     .release = "1.1",
     .roles = DN_ETS_CLIENT | DN_ETS_SERVER,
     .versions = BOTH,
     .config = DN_ETS_C10,
     .needs = "/10/0 /11/0",
     DN_ETS_STEPS(INT_1250)},
    {.id = "int-1350",
     .title = "Bearer selection",
     .roles = C,
     .why_not = "needs Object 13 and a device that can be moved between two networks"},
    HEADING("int-1600", "Portfolio: read"),
    HEADING("int-1605", "Portfolio: write"),
    HEADING("int-1610", "Portfolio: observation"),
    HEADING("int-1611", "Portfolio: extended observation"),
    HEADING("int-1620", "Portfolio: multiple resource instances"),
    {.id = "int-1630",
     .title = "Portfolio: create an Object Instance",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C12,
     .needs = "/16/0/0",
     .erratum = "the printed TLV lacks a length field for the 43 bytes of the identities",
     DN_ETS_STEPS(INT_1630)},
    {.id = "int-1635",
     .title = "Portfolio: delete all Object Instances",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C12,
     .needs = "/16/0/0",
     .erratum = "the text wants 2.04 for the Delete, whose success is 2.02",
     DN_ETS_STEPS(INT_1635)},
    {.id = "int-1900",
     .title = "BinaryAppDataContainer: observation",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C15,
     .needs = "/19/0",
     .erratum = "the text prints version 1.1, which does not exist",
     DN_ETS_STEPS(INT_1900)},
    {.id = "int-1901",
     .title = "BinaryAppDataContainer: write",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C15,
     .needs = "/19/1",
     DN_ETS_STEPS(INT_1901)},
    {.id = "int-2000",
     .title = "Event Log: starting",
     .roles = C,
     .why_not = "writes and reads LogStart, which is executable: it cannot be passed as printed (OMA issues "
                "476 and 574)"},
    {.id = "int-2001",
     .title = "Event Log: read",
     .roles = C,
     .versions = V11,
     .config = DN_ETS_C16,
     .needs = "/20/0",
     DN_ETS_STEPS(INT_2001)},
};

const dn_ets_group dn_ets_group_more = {
    .title = "Additional Objects [1000-2099]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
