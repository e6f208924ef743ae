/* SPDX-License-Identifier: Apache-2.0 */
/* Object 7, Connectivity Statistics (Core 1.1.1 appendix E.8), over dunlin_statistics. */
#include "objects/present.h"
#include <dunlin/oma_statistics.h>
#include <string.h>

#define STATISTICS 7
#define KILOBYTE   1024u /* the standard leaves open whether it is 1000 */
#define MS_PER_S   1000u
#define OPTIONAL   (DUNLIN_R | DUNLIN_ABSENT)

enum { SMS_TX = 0, SMS_RX = 1, TX_DATA = 2, RX_DATA = 3, SIZE_MAX_EVER = 4, SIZE_MEAN = 5, PERIOD = 8 };

/* Takes over what the link has counted; without an answer the figures stay as they were. */
static void look(dunlin_statistics *s)
{
    dunlin_traffic now = {0, 0};
    if (!s->running || s->link == NULL || !s->link(s->context, &now)) {
        return;
    }
    if (now.tx_bytes < s->base.tx_bytes || now.rx_bytes < s->base.rx_bytes) {
        s->base = (dunlin_traffic){0, 0}; /* the interface was set up anew, and counts from zero */
    }
    s->counted.tx_bytes = now.tx_bytes - s->base.tx_bytes;
    s->counted.rx_bytes = now.rx_bytes - s->base.rx_bytes;
}

static dunlin_status figure_get(const dunlin_call *call, dunlin_value *value)
{
    dunlin_statistics *s = call->instance;
    look(s);
    switch (call->path.id[2]) {
    case TX_DATA:
        *value = dunlin_integer((int64_t)(s->counted.tx_bytes / KILOBYTE));
        break;
    case RX_DATA:
        *value = dunlin_integer((int64_t)(s->counted.rx_bytes / KILOBYTE));
        break;
    case SIZE_MAX_EVER:
        *value = dunlin_integer((int64_t)s->size_max);
        break;
    default:
        *value = dunlin_integer(s->messages == 0 ? 0 : (int64_t)(s->message_bytes / s->messages));
        break;
    }
    return DUNLIN_OK;
}

static void figures_changed(dunlin_client *client)
{
    dunlin_changed(client, dunlin_path_instance(STATISTICS, 0));
}

static dunlin_status start(const dunlin_call *call, const dunlin_arguments *arguments)
{
    dunlin_statistics *s = call->instance;
    (void)arguments;
    s->sms_tx = s->sms_rx = 0;
    s->counted = (dunlin_traffic){0, 0};
    s->messages = s->message_bytes = s->size_max = 0;
    s->base = (dunlin_traffic){0, 0};
    if (s->link != NULL && !s->link(s->context, &s->base)) {
        s->base = (dunlin_traffic){0, 0};
    }
    s->running = true;
    s->timed = false; /* the step knows the time */
    figures_changed(call->client);
    return DUNLIN_OK;
}

static void end(dunlin_client *client, dunlin_statistics *s)
{
    look(s);
    s->running = false;
    s->timed = false;
    figures_changed(client);
}

static dunlin_status stop(const dunlin_call *call, const dunlin_arguments *arguments)
{
    (void)arguments;
    end(call->client, call->instance);
    return DUNLIN_OK;
}

/* A new period counts from now on. */
static dunlin_status period_set(const dunlin_call *call, const dunlin_value *value)
{
    dunlin_statistics *s = call->instance;
    (void)value;
    s->timed = false;
    return DUNLIN_OK;
}

static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(SMS_TX, INTEGER, OPTIONAL, dunlin_statistics, sms_tx)},
    {DUNLIN_FIELD(SMS_RX, INTEGER, OPTIONAL, dunlin_statistics, sms_rx)},
    {DUNLIN_CALL(TX_DATA, INTEGER, OPTIONAL), .get = figure_get},
    {DUNLIN_CALL(RX_DATA, INTEGER, OPTIONAL), .get = figure_get},
    {DUNLIN_CALL(SIZE_MAX_EVER, INTEGER, OPTIONAL), .get = figure_get},
    {DUNLIN_CALL(SIZE_MEAN, INTEGER, OPTIONAL), .get = figure_get},
    {DUNLIN_EXECUTE(6, DUNLIN_MANDATORY, start)},
    {DUNLIN_EXECUTE(7, DUNLIN_MANDATORY, stop)},
    {DUNLIN_FIELD(PERIOD, INTEGER, DUNLIN_RW, dunlin_statistics, period_s), .max = INT32_MAX,
     .set = period_set},
};

const dunlin_object dunlin_statistics_object = {
    .id = STATISTICS,
    DUNLIN_TABLE(resources),
    .size = sizeof(dunlin_statistics),
};

dunlin_status dunlin_statistics_add(dunlin_client *client, dunlin_statistics *statistics)
{
    return dn_objects_add_single(client, &dunlin_statistics_object, statistics, statistics->has,
                                 statistics->context);
}

void dunlin_statistics_message(dunlin_statistics *s, bool sent, size_t bytes)
{
    if (!s->running) {
        return;
    }
    s->messages++;
    s->message_bytes += bytes;
    s->size_max = bytes > s->size_max ? bytes : s->size_max;
    if (s->link == NULL) {
        s->counted.tx_bytes += sent ? bytes : 0;
        s->counted.rx_bytes += sent ? 0 : bytes;
    }
}

void dunlin_statistics_step(dunlin_client *client, dunlin_statistics *s, uint64_t now_ms)
{
    if (!s->running || s->period_s <= 0) {
        return;
    }
    if (!s->timed) {
        s->timed = true;
        s->end_ms = now_ms + (uint64_t)s->period_s * MS_PER_S;
    } else if (now_ms >= s->end_ms) {
        end(client, s);
    }
}

uint64_t dunlin_statistics_deadline(const dunlin_statistics *s)
{
    if (!s->running || s->period_s <= 0) {
        return DUNLIN_NEVER;
    }
    return s->timed ? s->end_ms : 0;
}
