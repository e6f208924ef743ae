/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our client library against our server, through the OMA test cases: every case that applies passes, with LwM2M 1.1 and
 * with 1.0 where the case exists there, on a link that loses nothing and on one that loses a fifth.
 * Usage: ets_cases_test GROUP [CASE [SEEDS]]
 */
#include "ets/ets.h"
#include "ets/sim.h"

#include <stdlib.h>
#include <string.h>

#define LOSSY_SEEDS   3u
#define LOSS_PERMILLE 200
#define COME_MS       4000000u /* a Register may have to be repeated after minutes */

static const char *const GROUPS[] = {"bootstrap", "registration", "management", "reporting",
                                     "security",  "objects",      "more"};

/* Cases that do not apply to our client, and why. All others must pass. */
static const struct {
    const char *id;
    unsigned minor;
    const char *reason; /* the beginning of what is said */
} NOT_APPLICABLE[] = {
    {"int-204", 1, "the device does not have application/vnd.oma.lwm2m+json"},
    {"int-1900", 1, "our device does not have the Objects"},
    {"int-1901", 1, "our device does not have the Objects"},
    {"int-2001", 1, "our device does not have the Objects"},
    {"int-220", 1, "the device does not have application/vnd.oma.lwm2m+json"},
};

/* Cases that only datagrams have: a Reset; a download beside the registration, over plain CoAP. */
static const char *const DATAGRAMS_ONLY[] = {"int-302", "int-756", "int-771", "int-775"};

static bool has_streams(const dn_ets_case *what)
{
    for (size_t i = 0; i < sizeof DATAGRAMS_ONLY / sizeof DATAGRAMS_ONLY[0]; i++) {
        if (dn_ets_case_matches(what, DATAGRAMS_ONLY[i])) {
            return false;
        }
    }
    return true;
}

static const char *expected_reason(const dn_ets_case *what, unsigned minor)
{
    char id[64];
    dn_ets_case_id(what, id, sizeof id);
    for (size_t i = 0; i < sizeof NOT_APPLICABLE / sizeof NOT_APPLICABLE[0]; i++) {
        const size_t skip = strlen(id) - strlen(NOT_APPLICABLE[i].id);
        if (NOT_APPLICABLE[i].minor == minor && strcmp(id + skip, NOT_APPLICABLE[i].id) == 0) {
            return NOT_APPLICABLE[i].reason;
        }
    }
    return NULL;
}

static bool is_as_expected(const dn_ets_result *result, unsigned minor)
{
    char roles[8], versions[16], config[8];
    dn_ets_case_facts(result->what, roles, versions, config, sizeof roles);
    const char *reason = expected_reason(result->what, minor);
    const bool exists = strstr(versions, minor == 0 ? "1.0" : "1.1") != NULL;
    if (dn_ets_case_why_not(result->what) != NULL || !exists) {
        return result->verdict == DN_ETS_NOT_APPLICABLE && result->reason != NULL;
    }
    if (reason != NULL) {
        return result->verdict == DN_ETS_NOT_APPLICABLE && result->reason != NULL &&
               strncmp(result->reason, reason, strlen(reason)) == 0;
    }
    return result->verdict == DN_ETS_PASSED;
}

static void show(const dn_ets_result *result)
{
    for (size_t i = 0; i < result->entry_count; i++) {
        static const char *const marks[] = {"==", "  ", "ok", "NO", "--"};
        (void)printf("%8.3f %s %s\n", (double)result->entries[i].at_ms / 1000, marks[result->entries[i].kind],
                     result->entries[i].text);
    }
}

static unsigned run(const char *pattern, unsigned minor, uint32_t loss_permille, uint64_t seed,
                    dn_ets_way way)
{
    const dn_ets_sim_config config = {.seed = seed, .loss_permille = loss_permille, .way = way};
    dn_ets_sim *sim = dn_ets_sim_create(&config);
    dn_ets_options options = dn_ets_options_default();
    dn_ets_results results = {.count = 0};
    unsigned wrong = 0;
    if (sim == NULL) {
        return 1;
    }
    options.patterns = &pattern;
    options.pattern_count = 1;
    options.minor = minor;
    options.come_ms = COME_MS;
    if (!dn_ets_run_cases(dn_ets_sim_world(sim), &options, &results)) {
        (void)printf("the cases could not be run: %s\n", dn_ets_sim_world(sim)->error);
        wrong++;
    }
    for (size_t i = 0; i < results.count; i++) {
        if (!is_as_expected(&results.list[i], minor)) {
            char id[64];
            dn_ets_case_id(results.list[i].what, id, sizeof id);
            show(&results.list[i]);
            (void)printf("%s, LwM2M 1.%u, %u permille lost, seed %u: %s: %s\n", id, minor,
                         (unsigned)loss_permille, (unsigned)seed,
                         dn_ets_verdict_name(results.list[i].verdict),
                         results.list[i].reason != NULL ? results.list[i].reason : "");
            wrong++;
        }
    }
    (void)printf("LwM2M 1.%u, %u permille lost, seed %u: %u passed, %u not applicable, %u not as expected\n",
                 minor, (unsigned)loss_permille, (unsigned)seed,
                 (unsigned)dn_ets_results_count(&results, DN_ETS_PASSED),
                 (unsigned)dn_ets_results_count(&results, DN_ETS_NOT_APPLICABLE), wrong);
    wrong += results.count == 0;
    dn_ets_results_free(&results);
    dn_ets_sim_destroy(sim);
    return wrong;
}

/* Runs each case of the group by itself. */
static unsigned run_group(const dn_ets_group *group, const char *only, uint64_t seeds)
{
    unsigned wrong = 0;
    for (unsigned minor = 0; minor <= 1; minor++) {
        for (size_t i = 0; i < dn_ets_group_size(group); i++) {
            char id[64];
            dn_ets_case_id(dn_ets_group_case(group, i), id, sizeof id);
            if (only != NULL && !dn_ets_case_matches(dn_ets_group_case(group, i), only)) {
                continue;
            }
            wrong += run(id, minor, 0, 1, DN_ETS_WAY_ANY);
            for (uint64_t seed = 1; seed <= seeds; seed++) {
                wrong += run(id, minor, LOSS_PERMILLE, seed, DN_ETS_WAY_ANY);
            }
            wrong += run(id, minor, 0, 1, DN_ETS_WAY_PSK);
            if (minor > 0 && has_streams(dn_ets_group_case(group, i))) {
                wrong += run(id, minor, 0, 1, DN_ETS_WAY_TCP);
                wrong += run(id, minor, 0, 1, DN_ETS_WAY_TLS_X509);
            }
        }
    }
    return wrong;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof GROUPS / sizeof GROUPS[0]; i++) {
        if (strcmp(argv[1], GROUPS[i]) == 0) {
            const uint64_t seeds = argc > 3 ? strtoul(argv[3], NULL, 10) : LOSSY_SEEDS;
            const unsigned wrong = run_group(dn_ets_groups[i], argc > 2 ? argv[2] : NULL, seeds);
            (void)printf("%u not as expected\n", wrong);
            return wrong == 0 ? 0 : 1;
        }
    }
    (void)fprintf(stderr,
                  "usage: %s registration|management|reporting|security|objects|more [CASE [SEEDS]]\n",
                  argv[0]);
    return 2;
}
