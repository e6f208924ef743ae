/* SPDX-License-Identifier: Apache-2.0 */
/* A case while it is run: what steps and checks work with. Inside src/ets only. */
#ifndef DN_ETS_RUN_H
#define DN_ETS_RUN_H

#include "ets/case.h"
#include "ets/world.h"

#define DN_ETS_ANY_FORMAT 65534u
#define DN_ETS_SAY_MAX    600u

typedef struct dn_ets_run {
    dn_ets_world *world;
    const dn_ets_options *options;
    const dn_ets_case *what;
    dn_ets_result *result;
    dn_ets_registration registration; /* as it is now; see dn_ets_refresh */
    uint64_t begin_ms;
    size_t begin; /* where the case's messages begin in the trace */
    size_t mark;  /* what is awaited comes behind this */
    dn_ets_answer answer;
    dunlin_path asked; /* of the last answer */
    dn_ets_values saved;
    dn_ets_values known;          /* all that was read in this case */
    size_t notified, notified_of; /* the last notification that was looked at, and its observation */
    bool stopped; /* a criterion was not met, or the case cannot go on: only steps marked `always` are done */
} dn_ets_run;

/* A pass criterion; the format gives its text. Returns `met`. */
__attribute__((format(printf, 3, 4))) bool dn_ets_expect(dn_ets_run *run, bool met, const char *format, ...);
__attribute__((format(printf, 2, 3))) void dn_ets_note(dn_ets_run *run, const char *format, ...);
/* Ends the case with a verdict that is no failure. */
__attribute__((format(printf, 3, 4))) void dn_ets_end_as(dn_ets_run *run, dn_ets_verdict verdict,
                                                         const char *format, ...);
void dn_ets_refresh(dn_ets_run *run, unsigned server);
/* How long to wait for what should come soon. */
uint64_t dn_ets_patience_ms(const dn_ets_run *run, uint32_t seconds);

/* Reads a path of a step, with x and y resolved; fails the case if it cannot. */
dunlin_path dn_ets_path(dn_ets_run *run, const char *text);
/* `text` with x and y resolved in each of its paths, into `out`. */
void dn_ets_resolve(const dn_ets_run *run, const char *text, char *out, size_t size);
/* Asks and waits for the answer, which goes to run->answer; what it holds goes to run->known too. False: there was no
 * answer, and the case has ended. */
bool dn_ets_asks(dn_ets_run *run, dn_ets_ask *ask, unsigned server);
uint16_t dn_ets_pick_format(const dn_ets_run *run, uint16_t format, dunlin_path path, bool composite);
/* Awaits a request of the device behind run->mark, and its answer; run->mark goes behind it. Its index, or SIZE_MAX. */
size_t dn_ets_await(dn_ets_run *run, unsigned server, uint8_t method, const char *path, uint64_t timeout_ms);

/* Carries out steps of a case that depend on what is found. */
void dn_ets_do(dn_ets_run *run, const dn_ets_step *steps, size_t count);
/* Checks that several groups have: Current Time in the last answer. */
void dn_ets_check_clock_was_reset(dn_ets_run *run, const dn_ets_step *step);
void dn_ets_check_clock_was_set(dn_ets_run *run, const dn_ets_step *step);

extern const dn_ets_kind dn_ets_kind_ask, dn_ets_kind_has, dn_ets_kind_lacks, dn_ets_kind_holds,
    dn_ets_kind_format, dn_ets_kind_links, dn_ets_kind_save, dn_ets_kind_same, dn_ets_kind_restore,
    dn_ets_kind_check, dn_ets_kind_registers, dn_ets_kind_updates, dn_ets_kind_deregisters,
    dn_ets_kind_is_registered, dn_ets_kind_leave, dn_ets_kind_wait, dn_ets_kind_notifies, dn_ets_kind_silent,
    dn_ets_kind_device_sets, dn_ets_kind_device_sends, dn_ets_kind_refused, dn_ets_kind_reset,
    dn_ets_kind_set_clock, dn_ets_kind_sends, dn_ets_kind_sends_nothing, dn_ets_kind_asleep, dn_ets_kind_push,
    dn_ets_kind_pull, dn_ets_kind_polls, dn_ets_kind_cuts, dn_ets_kind_comes, dn_ets_kind_stays,
    dn_ets_kind_refuses, dn_ets_kind_signals, dn_ets_kind_asks_bootstrap, dn_ets_kind_is_asked,
    dn_ets_kind_is_discovered, dn_ets_kind_starts_with_card;

#endif
