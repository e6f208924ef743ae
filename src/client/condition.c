/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions and periods of notifications. */
#include "client/condition.h"

#include "client/account.h"
#include "client/attributes.h"
#include "client/tree.h"
#include <math.h>

#define MS_PER_S           1000u
#define SERVER_DEFAULT_MIN 2
#define SERVER_DEFAULT_MAX 3

/* /1/x/2 and /1/x/3 count only while they are instantiated. */
static uint32_t server_default(const dn_account *account, uint16_t resource, int32_t value)
{
    return dn_client_account_has(account, resource) ? (uint32_t)value : 0;
}

dn_periods dn_condition_periods(dunlin_client *client, const dn_account *account, dunlin_path path)
{
    const dn_server_instance *server = account->server;
    const dn_attributes a = dn_client_attributes_effective(client, account->ssid, path);
    const uint32_t pmin_s =
        (a.set & DN_ATTR_PMIN) != 0 ? a.pmin_s : server_default(account, SERVER_DEFAULT_MIN, server->pmin_s);
    const uint32_t pmax_s =
        (a.set & DN_ATTR_PMAX) != 0 ? a.pmax_s : server_default(account, SERVER_DEFAULT_MAX, server->pmax_s);
    const dn_periods periods = {
        .pmin_ms = (uint64_t)pmin_s * MS_PER_S,
        .pmax_ms = pmax_s >= pmin_s ? (uint64_t)pmax_s * MS_PER_S : 0,
        .epmin_ms = (a.set & DN_ATTR_EPMIN) != 0 ? (uint64_t)a.epmin_s * MS_PER_S : 0,
        .epmax_ms = (a.set & DN_ATTR_EPMAX) != 0 ? (uint64_t)a.epmax_s * MS_PER_S : 0,
    };
    return periods;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Of periods where 0 is none. */
static uint64_t shorter(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0) {
        return larger(a, b);
    }
    return a < b ? a : b;
}

dn_periods dn_condition_join(dn_periods a, dn_periods b)
{
    dn_periods both = {
        .pmin_ms = larger(a.pmin_ms, b.pmin_ms),
        .pmax_ms = shorter(a.pmax_ms, b.pmax_ms),
        .epmin_ms = larger(a.epmin_ms, b.epmin_ms),
        .epmax_ms = shorter(a.epmax_ms, b.epmax_ms),
    };
    if (both.pmax_ms != 0 && both.pmax_ms < both.pmin_ms) {
        both.pmax_ms = both.pmin_ms;
    }
    return both;
}

/* In either direction, and a value right at the threshold is still on its lower side for a rise. */
static bool crossed(double threshold, double last, double now)
{
    return (last <= threshold && now > threshold) || (last >= threshold && now < threshold);
}

bool dn_condition_met(const dn_attributes *a, double last, double now)
{
    return now != last && (((a->set & DN_ATTR_GT) != 0 && crossed(a->gt, last, now)) ||
                           ((a->set & DN_ATTR_LT) != 0 && crossed(a->lt, last, now)) ||
                           ((a->set & DN_ATTR_ST) != 0 && fabs(now - last) >= a->st));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Without epmax the value is looked at when a change was told; with it, at the latest then. */
uint64_t dn_condition_look_at(const dn_observation *o, const dn_periods *p)
{
    uint64_t at = o->dirty ? o->looked_ms + p->epmin_ms : DN_NEVER;
    if (p->epmax_ms != 0) {
        at = earlier(at, o->looked_ms + p->epmax_ms);
    }
    return o->pending ? DN_NEVER : at;
}

uint64_t dn_condition_notify_at(const dn_observation *o, const dn_periods *p)
{
    uint64_t at = o->pending ? o->sent_ms + p->pmin_ms : DN_NEVER;
    if (p->pmax_ms != 0) {
        at = earlier(at, o->sent_ms + p->pmax_ms);
    }
    return at;
}
