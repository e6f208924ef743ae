/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an observer is told (Core 1.1.1 sections 5.1.2 and 6.4.3), as functions of attributes, values and times.
 * A number with gt, lt or st set is told when it crosses gt or lt, in either direction, or has moved by st from
 * the value told last; anything else when it differs from what was told last. pmin holds a notification back,
 * pmax sends one without a change, epmin and epmax say how often the value is looked at.
 */
#ifndef DN_CLIENT_CONDITION_H
#define DN_CLIENT_CONDITION_H

#include "client/state.h"

/* The periods that hold for an observation now. */
typedef struct {
    uint64_t pmin_ms;
    uint64_t pmax_ms; /* 0: none */
    uint64_t epmin_ms;
    uint64_t epmax_ms; /* 0: none */
} dn_periods;

/*
 * Those of a path for a server: what is set at the path or inherited, else the defaults of its /1/x. A pmax of
 * 0 or below pmin is none.
 */
dn_periods dn_condition_periods(dunlin_client *client, const dn_account *account, dunlin_path path);
/* Those of several paths together: the largest pmin and epmin, the smallest pmax and epmax, where pmax does
   not come before pmin. The standard leaves this to us, so this is the choice that keeps most promises. */
dn_periods dn_condition_join(dn_periods a, dn_periods b);

/* Whether gt, lt or st of `attributes` tells of the change from `last` to `now`. */
bool dn_condition_met(const dn_attributes *attributes, double last, double now);

/* When to look at the value, DN_NEVER if there is no cause. */
uint64_t dn_condition_look_at(const dn_observation *observation, const dn_periods *periods);
/* When to notify, DN_NEVER if there is no cause. */
uint64_t dn_condition_notify_at(const dn_observation *observation, const dn_periods *periods);

#endif
