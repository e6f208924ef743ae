/* SPDX-License-Identifier: Apache-2.0 */
/* Client registration interface [100-199]. */
#include "ets/steps.h"

/* clang-format off: in these tables a line is a step and what must come of it */

#define CS   (DN_ETS_CLIENT | DN_ETS_SERVER)
#define BOTH (DN_ETS_V10 | DN_ETS_V11)

/* What a Register must say (Core 1.1.1 section 6.2.1): the name may be left out from 1.1 on. */
static void register_says(dn_ets_run *run, const dn_ets_step *step)
{
    char value[256];
    const dn_ets_registration *r = &run->registration;
    const char *query = run->world->trace.list[r->request]->query;
    (void)step;
    const bool named = dn_ets_query(query, "ep", value, sizeof value);
    (void)dn_ets_expect(run, named || r->minor > 0, "the endpoint name is there%s",
                        named ? "" : ", or LwM2M is 1.1");
    (void)dn_ets_expect(run, dn_ets_query(query, "lt", value, sizeof value), "the lifetime is there");
    (void)dn_ets_expect(run, dn_ets_query(query, "lwm2m", value, sizeof value),
                        "the LwM2M version is there: %s", value);
    (void)dn_ets_expect(run, !dn_ets_registration_lists(r, dunlin_path_object(0)), "Object 0 is not listed");
    (void)dn_ets_expect(run, !dn_ets_registration_lists(r, dunlin_path_object(21)),
                        "Object 21 is not listed");
    (void)dn_ets_expect(run, dn_ets_registration_lists(r, dunlin_path_object(1)), "Object 1 is listed");
    (void)dn_ets_expect(run, dn_ets_registration_lists(r, dunlin_path_object(3)), "Object 3 is listed");
}

static const dn_ets_step INT_101[] = {
    REGISTERS(),
    CHECK(register_says, "The Register has ep, lt, lwm2m and the list of Objects, without 0 and 21"),
    IS_REGISTERED(),
};

static const dn_ets_step INT_102[] = {
    SAVE("/1/x/1"),  WRITE("/1/x/1", ANY, "20"), UPDATES("lt=20", 20), UPDATES(NULL, 20),
    IS_REGISTERED(), RESTORE("/1/x/1", ANY),
};

static const dn_ets_step INT_103[] = {
    SAVE("/1/x/5"), WRITE("/1/x/5", ANY, "20"), EXECUTE("/1/x/4", NULL), DEREGISTERS(), IS_GONE(10),
    REGISTERS(),    RESTORE("/1/x/5", ANY),
};

static const dn_ets_step INT_104[] = {
    SAVE("/1/x/1"),       WRITE("/1/x/1", ANY, "20"),
    UPDATES("lt=20", 20), EXECUTE("/1/x/8", NULL),
    UPDATES("", 8),       WAIT(20),
    IS_REGISTERED(),      RESTORE("/1/x/1", ANY),
};

static const dn_ets_step INT_105[] = {
    SAVE("/1/x/1"),       WRITE("/1/x/1", ANY, "60"),
    UPDATES("lt=60", 20), FORGET_DEVICE(),
    IS_REFUSED(60),       REGISTERS(),
    IS_REGISTERED(),      RESTORE("/1/x/1", ANY),
};

/* It says by which binding it can be reached from now on, or leaves it at that of the connection. */
static void binding_is_tcp(dn_ets_run *run, const dn_ets_step *step)
{
    char value[16];
    const char *query = run->world->trace.list[run->registration.request]->query;
    (void)step;
    const bool said = dn_ets_query(query, "b", value, sizeof value);
    (void)dn_ets_expect(run, said && strchr(value, 'T') != NULL, "the Register has b=T: %s",
                        said ? value : "no b");
}

static const dn_ets_step INT_106[] = {
    SIGNALS(),
    COMES_BY(DN_ETS_WAY_TCP),
    REGISTERS(),
    CHECK(binding_is_tcp, "The Register tells the binding T"),
    CHECK(register_says, "The Register has ep, lt, lwm2m and the list of Objects, without 0 and 21"),
    IS_REGISTERED(),
    STAYS_ON(DN_ETS_WAY_TCP),
};

static const dn_ets_step INT_107[] = {
    SAVE("/1/x/1"),  WRITE("/1/x/1", ANY, "120"), UPDATES("lt=120", 20), UPDATES(NULL, 120),
    IS_REGISTERED(), RESTORE("/1/x/1", ANY),
};

static void is_queue_mode(dn_ets_run *run, const dn_ets_step *step)
{
    (void)step;
    (void)dn_ets_expect(run, run->registration.queue_mode,
                        "the Register says that the device uses queue mode");
}

static const dn_ets_step INT_108[] = {
    REGISTERS(),
    CHECK(is_queue_mode, "The Register has Q"),
    IS_REGISTERED(),
};

static const dn_ets_step INT_109[] = {
    REGISTERS(), WRITE("/1/x/1", ANY, "240"), UPDATES("lt=240", 20), WAIT(120), READ_ASLEEP("/3/0/0", 240),
};

static const dn_ets_case cases[] = {
    {.id = "int-101",
     .title = "Initial registration",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_101)},
    {.id = "int-102",
     .title = "Registration update",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_102)},
    {.id = "int-103",
     .title = "De-register",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C3,
     .needs = "/1/x/4 /1/x/5",
     .erratum = "Disable Timeout is set to 20 s first, so that the device comes back",
     DN_ETS_STEPS(INT_103)},
    {.id = "int-104",
     .title = "Registration Update Trigger",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C1,
     DN_ETS_STEPS(INT_104)},
    {.id = "int-105",
     .title = "Discarded registration update",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C1,
     .erratum = "the text says CoAP POST on /1/x/1, which is a Write: PUT",
     DN_ETS_STEPS(INT_105)},
    {.id = "int-106",
     .title = "TCP binding",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C1,
     .way = DN_ETS_WAY_TCP,
     DN_ETS_STEPS(INT_106)},
    {.id = "int-107",
     .title = "Extending the lifetime",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C1,
     .lifetime_s = 60,
     DN_ETS_STEPS(INT_107)},
    {.id = "int-108",
     .title = "Queue mode on",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C1,
     .queue_mode = true,
     DN_ETS_STEPS(INT_108)},
    {.id = "int-109",
     .title = "Behaviour with queue mode",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C1,
     .queue_mode = true,
     .erratum = "the text says CoAP POST on /1/x/1, which is a Write: PUT",
     DN_ETS_STEPS(INT_109)},
    {.id = "int-110",
     .title = "Registration with Profile ID",
     .release = "1.2",
     .roles = CS,
     .why_not = "needs LwM2M 1.2"},
    {.id = "int-111",
     .title = "Registration with Profile ID and object list",
     .release = "1.2",
     .roles = CS,
     .why_not = "needs LwM2M 1.2"},
};

const dn_ets_group dn_ets_group_registration = {
    .title = "Client registration interface [100-199]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
