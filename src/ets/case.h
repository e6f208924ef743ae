/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test cases as tables: a case is a list of steps that read like the procedure of the test specification, each with what
 * must come of it. The files cases_*.c hold nothing else; run.c and step_*.c carry the steps out, in any setting.
 *
 * In paths "x" is the instance of Object 1 of the server that asks, and "y" the lowest instance of the resource.
 */
#ifndef DN_ETS_CASE_H
#define DN_ETS_CASE_H

#include "ets/device.h"
#include "ets/ets.h"
#include "ets/operator.h"

struct dn_ets_run;
struct dn_ets_step;
typedef void dn_ets_act(struct dn_ets_run *run, const struct dn_ets_step *step);
typedef void dn_ets_say(const struct dn_ets_step *step, char *out, size_t size);

/* What kind of a step it is: how it is told, and how it is done. */
typedef struct {
    dn_ets_say *say;
    dn_ets_act *act;
} dn_ets_kind;

typedef struct dn_ets_step {
    const dn_ets_kind *kind;
    const char *path;
    const char *value;
    uint16_t format;
    uint8_t code;      /* the answer that is expected */
    uint8_t server;    /* who asks: 0, or 1 for the second server */
    uint8_t operation; /* dn_ets_operation */
    bool always;       /* done also when the case has failed: it restores what was there */
    bool composite;
    uint16_t from_s, to_s, count;
    const char *text; /* said in addition, or instead */
    dn_ets_act *act;  /* of CHECK */
} dn_ets_step;

enum { DN_ETS_CLIENT = 1, DN_ETS_SERVER = 2 };
enum { DN_ETS_V10 = 1, DN_ETS_V11 = 2 };

struct dn_ets_case {
    const char *id; /* "int-205" */
    const char *title;
    uint8_t roles;       /* whose behaviour the verdict is about */
    uint8_t versions;    /* of LwM2M in which the case exists */
    uint8_t config;      /* dn_ets_config */
    const char *release; /* of the id; NULL: 1.1 */
    const char *needs;   /* paths that the device must have beyond C.1: "/1/x/2 /16" */
    const char *erratum; /* how the printed text is read, and why */
    const char *why_not; /* not NULL: the case does not apply, or has no procedure */
    uint32_t lifetime_s;
    bool queue_mode;
    bool portfolio;
    dn_ets_way way;
    dn_ets_bootstrapping bootstrap;
    dn_ets_way bootstrap_way;
    bool is_elsewhere, has_card, enrols; /* as dn_ets_setup has them */
    bool apart; /* device and server do not come together: the steps are done all the same */
    const dn_ets_step *steps;
    size_t step_count;
};

struct dn_ets_group {
    const char *title;
    const dn_ets_case *cases;
    size_t count;
};

#define DN_ETS_STEPS(table) .steps = (table), .step_count = sizeof(table) / sizeof((table)[0])

extern const dn_ets_group dn_ets_group_bootstrap, dn_ets_group_registration, dn_ets_group_management,
    dn_ets_group_reporting, dn_ets_group_security, dn_ets_group_objects, dn_ets_group_more;

#endif
