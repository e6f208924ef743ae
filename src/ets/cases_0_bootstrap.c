/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstrap [0-99]. */
#include "ets/steps.h"

/* clang-format off: in these tables a line is a step and what must come of it */

#define C    DN_ETS_CLIENT
#define CS   (DN_ETS_CLIENT | DN_ETS_SERVER)
#define BOTH (DN_ETS_V10 | DN_ETS_V11)

/* The account of C.1 by hand, as 0-SetOfValue of int-0 has it. */
#define ACCOUNT_0                                                                             \
    "0/0=$server-uri 0/1=false 0/2=$server-mode 0/3=$server-identity 0/4=$server-server-key " \
    "0/5=$server-secret 0/10=1"
#define ACCOUNT_1 "0/0=1 0/1=86400 0/6=false 0/7=U"

#define WITHIN_S 30

/* What int-0 asks of both sides, with our bootstrap server. */
#define BOOTSTRAPS()                                                                                        \
    ASKS_BOOTSTRAP(WITHIN_S), IS_ASKED(DN_ETS_WRITE, "/0", CHANGED), IS_ASKED(DN_ETS_WRITE, "/1", CHANGED), \
        IS_FINISHED(), IS_DISCOVERED("</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>", "")

#define WORKS() IS_REGISTERED(), READ("/3/0", NO_ACCEPT), HAS("/3/0/0 /3/0/11 /3/0/16")

/* After a deletion there is nothing to read: an empty list or 4.04, the specification does not say which. */
static void check_nothing_left(dn_ets_run *run, const dn_ets_step *step)
{
    dn_ets_ask ask = {
        .operation = DN_ETS_READ, .path = dunlin_path_object(1), .format = DN_FORMAT_NONE, .query = ""};
    (void)step;
    if (dn_ets_asks(run, &ask, DN_ETS_BOOTSTRAP)) {
        (void)dn_ets_expect(run,
                            run->answer.code == DN_COAP_NOT_FOUND ||
                                (run->answer.code == CONTENT &&
                                 !dn_ets_values_has(&run->answer.values, dunlin_path_object(1))),
                            "Object 1 has no instance any more");
    }
}

/* int-6: the card was asked before anything was sent. */
static void check_card_first(dn_ets_run *run, const dn_ets_step *step)
{
    uint64_t first_ms = 0;
    const dn_ets_trace *trace = &run->world->trace;
    (void)step;
    const unsigned reads = run->world->card_reads(run->world->context, &first_ms);
    (void)dn_ets_expect(run,
                        reads > 0 && run->begin < trace->count && first_ms <= trace->list[run->begin]->at_ms,
                        "the card was looked for before the first message");
}

static const dn_ets_step INT_0[] = {BOOTSTRAPS(), REGISTERS(), IS_REGISTERED()};

static const dn_ets_step INT_1[] = {
    BOOTSTRAPS(), REGISTERS(), COMES_BY(DN_ETS_WAY_PSK), WORKS(), STAYS_ON(DN_ETS_WAY_PSK),
};

static const dn_ets_step INT_2[] = {
    BOOTSTRAPS(), REGISTERS(), COMES_BY(DN_ETS_WAY_X509), WORKS(), STAYS_ON(DN_ETS_WAY_X509),
};

static const dn_ets_step INT_3[] = {
    REGISTERS(),
    READ("/1/x/1", NO_ACCEPT),
    HOLDS("/1/x/1=86400"),
    STARTS_WITH_CARD(
        "/0/0/0=coap://second.example:5683 /0/0/1=false /0/0/2=3 /0/0/3= /0/0/4= /0/0/5= /0/0/10=2 "
        "/1/0/0=2 /1/0/1=43200 /1/0/6=false /1/0/7=U"),
    {.kind = &dn_ets_kind_registers, .server = 1},
    {ASK_(DN_ETS_READ, "/1/x/1", NO_ACCEPT, CONTENT), .server = 1},
    HOLDS("/1/x/1=43200"),
};

static const dn_ets_step INT_4[] = {
    ASKS_BOOTSTRAP(WITHIN_S),
    BS_WRITE("/0", TLV, ACCOUNT_0),
    BS_WRITE("/1", TLV, ACCOUNT_1),
    BS_DISCOVER(),
    BS_LISTS("</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>", ""),
    BS_READ("/1", NO_ACCEPT),
    HAS("/1/0/0 /1/0/1 /1/0/6 /1/0/7"),
    BS_DELETE("/0"),
    BS_DELETE("/1"),
    BS_DISCOVER(),
    BS_LISTS("</0/1>,</3/0>", "/0/0 /1/0"),
    CHECK(check_nothing_left, "Bootstrap server reads /1 again, and finds nothing there"),
    BS_WRITE("/0", TLV, ACCOUNT_0),
    BS_WRITE("/1", TLV, ACCOUNT_1),
    BS_FINISH_GETS(CHANGED),
    REGISTERS(),
    IS_REGISTERED(),
};

static const dn_ets_step INT_5[] = {
    REGISTERS(),  IS_REGISTERED(), EXECUTE("/1/x/9", NULL),
    BOOTSTRAPS(), IS_REGISTERED(), READ("/3/0", NO_ACCEPT),
};

static const dn_ets_step INT_6[] = {
    ASKS_BOOTSTRAP(1200), CHECK(check_card_first, "Device has asked nobody before it has looked for a card"),
    IS_FINISHED(),        REGISTERS(),
    IS_REGISTERED(),
};

static const dn_ets_step INT_7[] = {
    ASKS_BOOTSTRAP(1200),
    IS_ASKED(DN_ETS_WRITE, "/0", CHANGED),
    IS_ASKED(DN_ETS_WRITE, "/1", CHANGED),
    IS_FINISHED(),
    REGISTERS(),
    IS_REGISTERED(),
};

static const dn_ets_step INT_8[] = {
    ASKS_BOOTSTRAP(WITHIN_S),
    BS_WRITE("/0", TLV, ACCOUNT_0),
    BS_WRITE("/1", TLV, ACCOUNT_1),
    BS_WRITE("/2", TLV, "0/0=3 0/1=0 0/2/0=31 0/3=65535"),
    BS_READ("/1", NO_ACCEPT),
    HOLDS("/1/0/0=1 /1/0/1=86400 /1/0/6=false /1/0/7=U"),
    BS_READ("/2", NO_ACCEPT),
    HOLDS("/2/0/0=3 /2/0/1=0 /2/0/2/0=31 /2/0/3=65535"),
    BS_FINISH_GETS(CHANGED),
    REGISTERS(),
    IS_REGISTERED(),
};

static const dn_ets_step INT_9[] = {
    ASKS_BOOTSTRAP(WITHIN_S),
    BS_WRITE("/1/0/5", TLV, "86400"),
    BS_FINISH_GETS(DN_COAP_NOT_ACCEPTABLE),
    BS_WRITE("/0", TLV, ACCOUNT_0),
    BS_WRITE("/1", TLV, ACCOUNT_1),
    BS_FINISH_GETS(CHANGED),
    REGISTERS(),
    IS_REGISTERED(),
};

static const dn_ets_step INT_10[] = {
    ASKS_BOOTSTRAP(WITHIN_S),
    IS_ASKED(DN_ETS_WRITE, "/0", CHANGED),
    IS_ASKED(DN_ETS_WRITE, "/1", CHANGED),
    IS_FINISHED(),
    REGISTERS(),
    COMES_BY(DN_ETS_WAY_X509),
    WORKS(),
    STAYS_ON(DN_ETS_WAY_X509),
};

static const char BY_1_2[] = "a case of LwM2M 1.2";

static const dn_ets_case cases[] = {
    {.id = "int-0",
     .title = "Client-initiated bootstrap",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C13,
     .apart = true,
     .bootstrap = DN_ETS_BOOTSTRAP_OURS,
     .erratum = "the printed list begins with lwm2m=\"1.0\", which is the form of that version alone",
     DN_ETS_STEPS(INT_0)},
    {.id = "int-1",
     .title = "Bootstrap, then registration with a pre-shared key",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C13,
     .apart = true,
     .way = DN_ETS_WAY_PSK,
     .bootstrap = DN_ETS_BOOTSTRAP_OURS,
     .bootstrap_way = DN_ETS_WAY_PSK,
     .erratum = "C.13 instead of C.14, which has servers' accounts and so needs no bootstrap",
     DN_ETS_STEPS(INT_1)},
    {.id = "int-2",
     .title = "Bootstrap, then registration with certificates",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C13,
     .apart = true,
     .way = DN_ETS_WAY_X509,
     .bootstrap = DN_ETS_BOOTSTRAP_OURS,
     .bootstrap_way = DN_ETS_WAY_X509,
     .erratum = "C.13 instead of C.14, as in int-1",
     DN_ETS_STEPS(INT_2)},
    {.id = "int-3",
     .title = "Bootstrap from a smartcard",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C1,
     .has_card = true,
     .erratum = "the card's account has Short Server ID 2, for it is another server's",
     DN_ETS_STEPS(INT_3)},
    {.id = "int-4",
     .title = "Bootstrap-Delete",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C13,
     .apart = true,
     .bootstrap = DN_ETS_BOOTSTRAP_HAND,
     .bootstrap_way = DN_ETS_WAY_PSK,
     DN_ETS_STEPS(INT_4)},
    {.id = "int-5",
     .title = "Server-initiated bootstrap",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C1,
     .needs = "/1/x/9",
     .bootstrap = DN_ETS_BOOTSTRAP_OURS,
     .bootstrap_way = DN_ETS_WAY_PSK,
     .erratum = "/1/x/9 is a resource of LwM2M 1.1; a device whose account is written as it was keeps its "
                "registration",
     DN_ETS_STEPS(INT_5)},
    {.id = "int-6",
     .title = "The bootstrap sequence",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C13,
     .apart = true,
     .has_card = true,
     .is_elsewhere = true,
     .bootstrap = DN_ETS_BOOTSTRAP_OURS,
     .bootstrap_way = DN_ETS_WAY_PSK,
     DN_ETS_STEPS(INT_6)},
    {.id = "int-7",
     .title = "Bootstrap when registration fails",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C13,
     .apart = true,
     .is_elsewhere = true,
     .bootstrap = DN_ETS_BOOTSTRAP_OURS,
     .bootstrap_way = DN_ETS_WAY_PSK,
     DN_ETS_STEPS(INT_7)},
    {.id = "int-8",
     .title = "Bootstrap-Read",
     .roles = C,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C13,
     .apart = true,
     .bootstrap = DN_ETS_BOOTSTRAP_HAND,
     .bootstrap_way = DN_ETS_WAY_PSK,
     DN_ETS_STEPS(INT_8)},
    {.id = "int-9",
     .title = "An inconsistent configuration",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C13,
     .apart = true,
     .bootstrap = DN_ETS_BOOTSTRAP_HAND,
     .bootstrap_way = DN_ETS_WAY_PSK,
     DN_ETS_STEPS(INT_9)},
    {.id = "int-10",
     .title = "Bootstrap with enrolment (EST)",
     .roles = CS,
     .versions = DN_ETS_V11,
     .config = DN_ETS_C21,
     .apart = true,
     .way = DN_ETS_WAY_X509,
     .enrols = true,
     .bootstrap = DN_ETS_BOOTSTRAP_OURS,
     .bootstrap_way = DN_ETS_WAY_X509,
     .erratum = "the bootstrap server's own account has a manufacturer's certificate, for nobody enrols who "
                "has proved nothing "
                "(RFC 9148); security mode 4 is that of the account that it writes (Transport 1.1.1 section "
                "5.2.4), and the device "
                "enrols after Finish",
     DN_ETS_STEPS(INT_10)},
    {.id = "int-11",
     .title = "Client-initiated bootstrap with OSCORE",
     .roles = CS,
     .versions = DN_ETS_V11,
     .why_not = BY_1_2},
    {.id = "int-12", .title = "Bootstrap-Pack", .roles = CS, .versions = DN_ETS_V11, .why_not = BY_1_2},
    {.id = "int-19", .title = "Bootstrap over MQTT", .roles = CS, .versions = DN_ETS_V11, .why_not = BY_1_2},
};

const dn_ets_group dn_ets_group_bootstrap = {
    .title = "Bootstrap", .cases = cases, .count = sizeof cases / sizeof cases[0]};
