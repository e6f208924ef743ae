/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of cases, in the order of their numbers, and what can be told of a case without running it. */
#include "ets/case.h"
#include "ets/run.h"
#include "ets/text.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

const dn_ets_group *const dn_ets_groups[] = {
    &dn_ets_group_bootstrap, &dn_ets_group_registration, &dn_ets_group_management, &dn_ets_group_reporting,
    &dn_ets_group_security,  &dn_ets_group_objects,      &dn_ets_group_more,
};
const size_t dn_ets_group_count = sizeof dn_ets_groups / sizeof dn_ets_groups[0];

const char *dn_ets_group_title(const dn_ets_group *group)
{
    return group->title;
}

size_t dn_ets_group_size(const dn_ets_group *group)
{
    return group->count;
}

const dn_ets_case *dn_ets_group_case(const dn_ets_group *group, size_t index)
{
    return &group->cases[index];
}

void dn_ets_case_id(const dn_ets_case *what, char *out, size_t size)
{
    (void)snprintf(out, size, "LightweightM2M-%s-%s", what->release != NULL ? what->release : "1.1",
                   what->id);
}

const char *dn_ets_case_title(const dn_ets_case *what)
{
    return what->title;
}

const char *dn_ets_case_why_not(const dn_ets_case *what)
{
    return what->why_not;
}

void dn_ets_case_facts(const dn_ets_case *what, char *roles, char *versions, char *config, size_t size)
{
    static const char *const both[] = {"-", "C", "S", "C+S"};
    static const char *const releases[] = {"1.2", "1.0", "1.1", "1.0 1.1"};
    (void)snprintf(roles, size, "%s", both[what->roles & 3]);
    (void)snprintf(versions, size, "%s", releases[what->versions & 3]);
    (void)snprintf(config, size, what->config != 0 ? "C.%u" : "-", (unsigned)what->config);
}

bool dn_ets_case_matches(const dn_ets_case *what, const char *pattern)
{
    char id[64];
    dn_ets_case_id(what, id, sizeof id);
    const char *number = what->id + (strncmp(what->id, "int-", 4) == 0 ? 4 : 0);
    return fnmatch(pattern, id, 0) == 0 || fnmatch(pattern, what->id, 0) == 0 ||
           fnmatch(pattern, number, 0) == 0;
}

char *dn_ets_procedure(const dn_ets_case *what)
{
    dn_ets_text out = {.data = NULL};
    char line[DN_ETS_SAY_MAX];
    dn_ets_text_add(&out, "", 0);
    for (size_t i = 0; i < what->step_count; i++) {
        what->steps[i].kind->say(&what->steps[i], line, sizeof line);
        dn_ets_text_printf(&out, "%s\n", line);
    }
    if (what->erratum != NULL) {
        dn_ets_text_printf(&out, "Reading: %s\n", what->erratum);
    }
    return out.data;
}

const char *dn_ets_verdict_name(dn_ets_verdict verdict)
{
    static const char *const names[] = {"pass", "fail", "not applicable", "needs hands"};
    return names[verdict];
}
