/* SPDX-License-Identifier: Apache-2.0 */
/* Core Objects [500-999]. */
#include "ets/steps.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off: in these tables a line is a step and what must come of it */

#define C    DN_ETS_CLIENT
#define CS   (DN_ETS_CLIENT | DN_ETS_SERVER)
#define BOTH (DN_ETS_V10 | DN_ETS_V11)

static const char *value_at(const dn_ets_run *run, uint16_t object, uint16_t resource)
{
    return dn_ets_values_get(&run->answer.values, dunlin_path_resource(object, 0, resource));
}

static void last_notified_downloaded(dn_ets_run *run, const dn_ets_step *step)
{
    const dn_ets_trace *trace = &run->world->trace;
    const size_t observe = dn_ets_trace_observe(trace, run->begin, 0, "/5/0/3", false);
    dn_ets_values values = {.list = NULL};
    (void)step;
    for (size_t at = dn_ets_trace_notification(trace, observe, observe); at != SIZE_MAX;
         at = dn_ets_trace_notification(trace, at, observe)) {
        const dn_coap_message *is = &trace->list[at]->is;
        dn_ets_values_clear(&values);
        (void)dn_ets_values_decode(&values, is->content_format, dunlin_path_resource(5, 0, 3), is->payload);
    }
    const char *state = dn_ets_values_get(&values, dunlin_path_resource(5, 0, 3));
    (void)dn_ets_expect(run, state != NULL && strcmp(state, "2") == 0, "the last notification says 2: %s",
                        state != NULL ? state : "there is none");
    dn_ets_values_clear(&values);
}

static void version_has_changed(dn_ets_run *run, const dn_ets_step *step)
{
    const char *before = dn_ets_values_get(&run->saved, dunlin_path_resource(3, 0, 3));
    const char *now = value_at(run, 3, 3);
    (void)step;
    (void)dn_ets_expect(run, before != NULL && now != NULL && strcmp(before, now) != 0,
                        "the firmware version has changed from %s to %s", before != NULL ? before : "nothing",
                        now != NULL ? now : "nothing");
}

static void timestamp_is_plausible(dn_ets_run *run, const dn_ets_step *step)
{
    const char *text = value_at(run, 6, 5);
    (void)step;
    (void)dn_ets_expect(run, text != NULL && strtoll(text, NULL, 10) > 1356998400,
                        "the timestamp is plausible: %s", text != NULL ? text : "not there");
}

static void counters_are_coherent(dn_ets_run *run, const dn_ets_step *step)
{
    long long value[6];
    (void)step;
    for (uint16_t i = 0; i < 6; i++) {
        const char *text = value_at(run, 7, i);
        value[i] = text != NULL ? strtoll(text, NULL, 10) : 0;
        (void)dn_ets_expect(run, value[i] >= 0, "/7/0/%u is not negative: %s", (unsigned)i,
                            text != NULL ? text : "not there");
    }
    (void)dn_ets_expect(run, value[4] >= value[5], "Max Message Size %lld is at least the average, %lld",
                        value[4], value[5]);
}

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

static const dn_ets_step INT_701[] = {
    READ("/4/0", NO_ACCEPT),
    HAS("/4/0/0 /4/0/1 /4/0/2 /4/0/4"),
};

/* Attributes, windows and the end of an observation of a whole instance. */
#define OBSERVES(path_)                                                                        \
    ATTRIBUTES(path_, "pmin=2&pmax=10"), OBSERVE(path_, NO_ACCEPT), NOTIFIES(path_, 3, 2, 10), \
        CANCEL(path_), UNSET(path_, "pmin&pmax")

static const dn_ets_step INT_710[] = {OBSERVES("/4/0")};

#define RESETS_FIRMWARE WRITE("/5/0/0", OPAQUE, "AA=="), READ("/5/0", NO_ACCEPT), HOLDS("3=0 5=0")

static const dn_ets_step INT_751[] = {
    READ("/5/0", NO_ACCEPT),
    HOLDS("3=0 5=0"),
    HAS("/5/0/8 /5/0/9"),
};

static const dn_ets_step INT_755[] = {
    RESETS_FIRMWARE, PUSH("ok"), READ("/5/0", NO_ACCEPT), HOLDS("3=2 5=0"), WRITE("/5/0/0", OPAQUE, "AA=="),
};

static const dn_ets_step INT_756[] = {
    WRITE("/5/0/1", TEXT, ""), READ("/5/0", NO_ACCEPT), HOLDS("3=0 5=0"), PULL("ok"),
    POLLS("/5/0/3", "2", 60),  READ("/5/0", NO_ACCEPT), HOLDS("3=2 5=0"), WRITE("/5/0/1", TEXT, ""),
};

static const dn_ets_step INT_760[] = {
    RESETS_FIRMWARE,
    ATTRIBUTES("/5/0", "pmin=2&pmax=10"),
    OBSERVE("/5/0/3", NO_ACCEPT),
    HOLDS("/5/0/3=0"),
    PUSH("ok"),
    POLLS("/5/0/3", "2", 60),
    WAIT(10),
    NOTIFIES("/5/0/3", 1, 0, 0),
    CHECK(last_notified_downloaded, "A notification says Downloaded (2)"),
    CANCEL("/5/0/3"),
    UNSET("/5/0", "pmin&pmax"),
    WRITE("/5/0/0", OPAQUE, "AA=="),
};

#define UPDATES_FIRMWARE                                                                           \
    READ("/5/0", NO_ACCEPT), HOLDS("3=2 5=0"), EXECUTE("/5/0/2", NULL), POLLS("/5/0/3", "0", 300), \
        READ("/5/0", NO_ACCEPT), HOLDS("3=0 5=1"), READ("/3/0/3", NO_ACCEPT),                      \
        CHECK(version_has_changed, "The firmware version is another one")

static const dn_ets_step INT_770[] = {
    RESETS_FIRMWARE, SAVE("/3/0/3"), PUSH("ok"), POLLS("/5/0/3", "2", 60), UPDATES_FIRMWARE,
};

static const dn_ets_step INT_771[] = {
    WRITE("/5/0/1", TEXT, ""), READ("/5/0", NO_ACCEPT), HOLDS("3=0 5=0"), SAVE("/3/0/3"), PULL("newer"),
    POLLS("/5/0/3", "2", 60),  UPDATES_FIRMWARE,
};

static const dn_ets_step INT_772[] = {
    RESETS_FIRMWARE,
    EXECUTE_GETS("/5/0/2", NULL, NOT_ALLOWED),
    READ("/5/0", NO_ACCEPT),
    HOLDS("3=0 5=0"),
};

/* A package that the device does not take: whatever it answers, the state and the result say so. */
#define REFUSES(package_, result_)                                                                   \
    RESETS_FIRMWARE, {.kind = &dn_ets_kind_push, .value = (package_)}, POLLS("/5/0/5", result_, 60), \
        READ("/5/0", NO_ACCEPT), HOLDS("3=0 5=" result_)

static const dn_ets_step INT_773[] = {REFUSES("oversized", "2")};
static const dn_ets_step INT_774[] = {REFUSES("noram", "3")};
static const dn_ets_step INT_776[] = {REFUSES("corrupt", "5")};
static const dn_ets_step INT_777[] = {REFUSES("type", "6")};

static const dn_ets_step INT_775[] = {
    WRITE("/5/0/1", TEXT, ""),
    READ("/5/0", NO_ACCEPT),
    HOLDS("3=0 5=0"),
    PULL("ok"),
    CUTS(2),
    WAIT(1500),
    RESTORES_LINK(),
    POLLS("/5/0/5", "4", 600),
    READ("/5/0", NO_ACCEPT),
    HOLDS("3=0 5=4"),
};

static const dn_ets_step INT_778[] = {
    WRITE("/5/0/1", TEXT, ""), WRITE("/5/0/1", TEXT, "coap://no.such.host.invalid/firmware"),
    POLLS("/5/0/5", "7", 120), READ("/5/0", NO_ACCEPT),
    HOLDS("3=0 5=7"),
};

static const dn_ets_step INT_779[] = {
    RESETS_FIRMWARE,         SAVE("/3/0/3"),
    PUSH("fails"),           POLLS("/5/0/3", "2", 60),
    EXECUTE("/5/0/2", NULL), POLLS("/5/0/5", "8", 300),
    READ("/5/0", NO_ACCEPT), HOLDS("3=2 5=8"),
    SAME("/3/0/3"),          WRITE("/5/0/0", OPAQUE, "AA=="),
};

static const dn_ets_step INT_801[] = {
    READ("/6/0", NO_ACCEPT),
    HAS("/6/0/0 /6/0/1 /6/0/5"),
};

static const dn_ets_step INT_810[] = {
    ATTRIBUTES("/6/0", "pmin=2&pmax=10"),
    OBSERVE("/6/0", NO_ACCEPT),
    NOTIFIES("/6/0", 3, 2, 10),
    CHECK(timestamp_is_plausible, "Timestamp is a time since 2013"),
    CANCEL("/6/0"),
    UNSET("/6/0", "pmin&pmax"),
};

static const dn_ets_step INT_901[] = {
    EXECUTE("/7/0/6", NULL),
    WAIT(10),
    EXECUTE("/7/0/7", NULL),
    READ("/7/0", NO_ACCEPT),
    CHECK(counters_are_coherent, "No counter is negative, and the largest message is no smaller "
                                 "than the average one"),
};

static const dn_ets_step INT_905[] = {
    SAVE("/7/0/8"),     WRITE("/7/0/8", ANY, "60"), READ("/7/0/8", NO_ACCEPT),
    HOLDS("/7/0/8=60"), RESTORE("/7/0/8", ANY),
};

static const dn_ets_step INT_910[] = {
    SAVE("/7/0/8"),
    ATTRIBUTES("/7/0", "pmin=2&pmax=10"),
    WRITE("/7/0/8", ANY, "0"),
    OBSERVE("/7/0", NO_ACCEPT),
    EXECUTE("/7/0/6", NULL),
    NOTIFIES("/7/0", 3, 2, 10),
    EXECUTE("/7/0/7", NULL),
    CANCEL("/7/0"),
    UNSET("/7/0", "pmin&pmax"),
    RESTORE("/7/0/8", ANY),
};

static const dn_ets_step INT_950[] = {
    REGISTERS(),
    {.kind = &dn_ets_kind_registers, .server = 1},
    IS_REGISTERED(),
    {.kind = &dn_ets_kind_is_registered, .server = 1, .count = 1},
};

static const dn_ets_step INT_951[] = {
    REGISTERS(),
    {.kind = &dn_ets_kind_registers, .server = 1},
    ATTRIBUTES("/3/0", "pmin=2&pmax=10"),
    {ASK_(DN_ETS_ATTRIBUTES, "/3/0", NO_ACCEPT, CHANGED), .value = "pmin=15&pmax=50", .server = 1},
    DISCOVER("/3/0"),
    LINKS("</3/0>;pmin=2;pmax=10"),
    {ASK_(DN_ETS_DISCOVER, "/3/0", NO_ACCEPT, CONTENT), .server = 1},
    LINKS("</3/0>;pmin=15;pmax=50"),
    UNSET("/3/0", "pmin&pmax"),
    {ASK_(DN_ETS_ATTRIBUTES, "/3/0", NO_ACCEPT, CHANGED), .value = "pmin&pmax", .server = 1, .always = true},
};

#define SEE(id_, title_, other_)                                                              \
    {                                                                                         \
        .id = (id_), .title = (title_), .why_not = "has no procedure of its own: see " other_ \
    }
#define HEADING(id_, title_)                                                                                 \
    {                                                                                                        \
        .id = (id_), .title = (title_), .why_not = "a heading without a procedure in the test specification" \
    }
#define READ_ONLY(id_, title_)                                                                      \
    {                                                                                               \
        .id = (id_), .title = (title_), .why_not = "the Object has no resource that can be written" \
    }
#define CASE(id_, title_, config_, needs_, steps_)                                         \
    {                                                                                      \
        .id = (id_), .title = (title_), .roles = C, .versions = BOTH, .config = (config_), \
        .needs = (needs_), DN_ETS_STEPS(steps_)                                            \
    }

static const dn_ets_case cases[] = {
    SEE("int-551", "Server: access check", "int-215"),
    HEADING("int-555", "Server: Disable"),
    SEE("int-556", "Server: Registration Update Trigger", "int-104"),
    HEADING("int-560", "Server: delayed notification"),
    HEADING("int-565", "Server: create an instance"),
    HEADING("int-566", "Server: delete an instance"),
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
    SEE("int-655", "Device: Reboot", "int-241"),
    HEADING("int-656", "Device: Factory Reset"),
    HEADING("int-657", "Device: Error Code"),
    SEE("int-660", "Device: basic observation", "int-301"),
    HEADING("int-661", "Device: extended observation"),
    HEADING("int-670", "Device: create multiple resource instances"),
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
    CASE("int-701", "Connectivity Monitoring: read", DN_ETS_C5, "/4/0", INT_701),
    READ_ONLY("int-705", "Connectivity Monitoring: write"),
    CASE("int-710", "Connectivity Monitoring: observation", DN_ETS_C5, "/4/0", INT_710),
    HEADING("int-711", "Connectivity Monitoring: extended observation"),
    HEADING("int-720", "Connectivity Monitoring: multiple resource instances"),
    HEADING("int-730", "Connectivity Monitoring: create"),
    HEADING("int-735", "Connectivity Monitoring: delete"),
    CASE("int-751", "Firmware Update: read", DN_ETS_C8, "/5/0/8", INT_751),
    CASE("int-755", "Firmware Update: setting the package", DN_ETS_C8, "/5/0/0", INT_755),
    {.id = "int-756",
     .title = "Firmware Update: setting the package URI",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C8,
     .needs = "/5/0/1",
     .erratum = "the text names the Package resource where it writes the Package URI",
     DN_ETS_STEPS(INT_756)},
    CASE("int-760", "Firmware Update: observing the state", DN_ETS_C8, "/5/0/0", INT_760),
    {.id = "int-770",
     .title = "Firmware Update: successful, by push",
     .roles = CS,
     .versions = BOTH,
     .config = DN_ETS_C8,
     .needs = "/5/0/0",
     .erratum = "the texts of 770 and 771 have their preconditions PUSH and PULL swapped",
     DN_ETS_STEPS(INT_770)},
    {.id = "int-771",
     .title = "Firmware Update: successful, by pull",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C8,
     .needs = "/5/0/1",
     .erratum = "the texts of 770 and 771 have their preconditions PUSH and PULL swapped",
     DN_ETS_STEPS(INT_771)},
    CASE("int-772", "Firmware Update: update without a package", DN_ETS_C8, "/5/0/0", INT_772),
    {.id = "int-773",
     .title = "Firmware Update: not enough storage",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C8,
     .needs = "/5/0/0",
     .erratum = "the text calls Downloaded state 3, which is Updating",
     DN_ETS_STEPS(INT_773)},
    {.id = "int-774",
     .title = "Firmware Update: out of memory",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C8,
     .needs = "/5/0/0",
     .erratum = "the text prints result 2, the Object says 3 (OMA issue 375)",
     DN_ETS_STEPS(INT_774)},
    CASE("int-775", "Firmware Update: connection lost during the download", DN_ETS_C8, "/5/0/1", INT_775),
    CASE("int-776", "Firmware Update: integrity check failure", DN_ETS_C8, "/5/0/0", INT_776),
    {.id = "int-777",
     .title = "Firmware Update: unsupported package type",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C8,
     .needs = "/5/0/0",
     .erratum = "the text ends in state 1, the Object says 0 (OMA issue 374)",
     DN_ETS_STEPS(INT_777)},
    CASE("int-778", "Firmware Update: invalid URI", DN_ETS_C8, "/5/0/1", INT_778),
    CASE("int-779", "Firmware Update: update failure", DN_ETS_C8, "/5/0/0", INT_779),
    HEADING("int-780", "Firmware Update: unsupported protocol"),
    CASE("int-801", "Location: read", DN_ETS_C7, "/6/0", INT_801),
    READ_ONLY("int-805", "Location: write"),
    CASE("int-810", "Location: observation", DN_ETS_C7, "/6/0", INT_810),
    HEADING("int-811", "Location: extended observation"),
    HEADING("int-820", "Location: multiple resource instances"),
    HEADING("int-830", "Location: create"),
    HEADING("int-835", "Location: delete"),
    CASE("int-901", "Connectivity Statistics: collection", DN_ETS_C9, "/7/0", INT_901),
    CASE("int-905", "Connectivity Statistics: write", DN_ETS_C9, "/7/0/8", INT_905),
    CASE("int-910", "Connectivity Statistics: observation", DN_ETS_C9, "/7/0/8", INT_910),
    HEADING("int-911", "Connectivity Statistics: extended observation"),
    HEADING("int-920", "Connectivity Statistics: multiple resource instances"),
    HEADING("int-930", "Connectivity Statistics: create"),
    HEADING("int-935", "Connectivity Statistics: delete"),
    {.id = "int-950",
     .title = "Registration with two servers",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C14,
     .erratum = "the access control of the configuration is in /2/0, /2/1 and /2/2, not all in /2/0",
     DN_ETS_STEPS(INT_950)},
    {.id = "int-951",
     .title = "Attributes of two servers",
     .roles = C,
     .versions = BOTH,
     .config = DN_ETS_C14,
     .erratum = "as int-950",
     DN_ETS_STEPS(INT_951)},
};

const dn_ets_group dn_ets_group_objects = {
    .title = "Core Objects [500-999]",
    .cases = cases,
    .count = sizeof cases / sizeof cases[0],
};
