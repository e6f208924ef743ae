/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OMA LwM2M interoperability test cases as a library: a catalogue of cases, a runner, and reports. What `dunlin ets`
 * and the tests use; the settings in which cases run are made by sim.h, listen.h and target.h.
 *
 * Threads: one. Everything allocates; without memory a case ends as failed and says so.
 */
#ifndef DN_ETS_ETS_H
#define DN_ETS_ETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct dn_ets_case dn_ets_case;
typedef struct dn_ets_group dn_ets_group;
struct dn_ets_world;

typedef enum {
    DN_ETS_PASSED,
    DN_ETS_FAILED,
    DN_ETS_NOT_APPLICABLE, /* `reason` says why */
    DN_ETS_NEEDS_HANDS     /* `reason` says what a person must do */
} dn_ets_verdict;

/* "pass", "fail", "not applicable", "needs hands". */
const char *dn_ets_verdict_name(dn_ets_verdict verdict);

/* ---- the catalogue ---- */

extern const dn_ets_group *const dn_ets_groups[];
extern const size_t dn_ets_group_count;
const char *dn_ets_group_title(const dn_ets_group *group);
size_t dn_ets_group_size(const dn_ets_group *group);
const dn_ets_case *dn_ets_group_case(const dn_ets_group *group, size_t index);
/* "LightweightM2M-1.1-int-205" into `out`. */
void dn_ets_case_id(const dn_ets_case *what, char *out, size_t size);
const char *dn_ets_case_title(const dn_ets_case *what);
const char *dn_ets_case_why_not(const dn_ets_case *what); /* NULL: it has a procedure that applies */
/* "C", "S" or "C+S"; "1.0 1.1"; "C.3". */
void dn_ets_case_facts(const dn_ets_case *what, char *roles, char *versions, char *config, size_t size);
/* Whether its id, or the end of its id, is what a shell pattern says: "int-2*", "*-101". */
bool dn_ets_case_matches(const dn_ets_case *what, const char *pattern);

/* ---- results ---- */

typedef enum {
    DN_ETS_ENTRY_STEP,
    DN_ETS_ENTRY_MESSAGE,
    DN_ETS_ENTRY_MET,   /* a pass criterion that is met */
    DN_ETS_ENTRY_UNMET, /* and one that is not */
    DN_ETS_ENTRY_NOTE
} dn_ets_entry_kind;

typedef struct {
    dn_ets_entry_kind kind;
    uint64_t at_ms; /* since the case began */
    char *text;
} dn_ets_entry;

typedef struct {
    const dn_ets_case *what;
    const dn_ets_group *group;
    dn_ets_verdict verdict;
    char *reason; /* of any verdict but a pass */
    uint64_t took_ms;
    dn_ets_entry *entries;
    size_t entry_count, entry_capacity;
} dn_ets_result;

typedef struct {
    const char *setting;
    char peer[300]; /* who was tested */
    dn_ets_result *list;
    size_t count, capacity;
    bool no_peer; /* nobody came: the cases that need a device were not run */
} dn_ets_results;

typedef struct {
    const char *const *patterns; /* of cases; none: all */
    size_t pattern_count;
    unsigned minor;       /* LwM2M 1.x of the device where it is ours */
    uint32_t come_ms;     /* how long to wait for the device to register */
    const char *endpoint; /* of the device where it is ours */
    const char
        *packages; /* a directory of firmware packages for a foreign device (see firmware.h), or NULL */
    /* Told as it goes; each may be NULL. */
    void (*started)(void *context, const dn_ets_case *what);
    void (*entry)(void *context, const dn_ets_entry *entry);
    void (*ended)(void *context, const dn_ets_result *result);
    void *context;
} dn_ets_options;

dn_ets_options dn_ets_options_default(void);
/* Runs the cases chosen. False: no memory, or the setting broke down; `results` has what was done. */
bool dn_ets_run_cases(struct dn_ets_world *world, const dn_ets_options *options, dn_ets_results *results);
void dn_ets_results_free(dn_ets_results *results);
size_t dn_ets_results_count(const dn_ets_results *results, dn_ets_verdict verdict);

/* The procedure of a case as lines of text, ended by '\n'; free it. NULL: no memory. */
char *dn_ets_procedure(const dn_ets_case *what);

/* ---- reports; false: the file could not be written ---- */
bool dn_ets_report_junit(const dn_ets_results *results, FILE *out);
bool dn_ets_report_html(const dn_ets_results *results, FILE *out);

#endif
