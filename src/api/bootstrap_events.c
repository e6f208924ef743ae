/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the bootstrap server; see bootstrap_events.h. */
#include "api/bootstrap_events.h"

#include "api/feed_item.h"
#include "api/json_write.h"
#include "api/problem.h"
#include "api/service.h"
#include "api/uris.h"
#include "security/identity.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MAX 65536u /* events; the pump takes them every few milliseconds */

struct dn_bs_tiding {
    dn_bs_tiding *next;
    dn_bs_event event; /* its views lie behind this structure */
};

void dn_bs_news_init(dn_bs_news *news)
{
    *news = (dn_bs_news){0};
    pthread_mutex_init(&news->lock, NULL);
}

void dn_bs_news_destroy(dn_bs_news *news)
{
    while (news->first != NULL) {
        dn_bs_tiding *told = news->first;
        news->first = told->next;
        free(told);
    }
    pthread_mutex_destroy(&news->lock);
}

static uint8_t *keep(uint8_t *at, dunlin_slice *view)
{
    if (view->len > 0) {
        memcpy(at, view->data, view->len);
    }
    view->data = at;
    return at + view->len;
}

static dn_bs_tiding *copy(const dn_bs_event *event)
{
    dunlin_slice why = dunlin_slice_of(event->why != NULL ? event->why : "");
    dn_bs_tiding *told = malloc(sizeof *told + event->endpoint.len + event->found.len + why.len + 1);
    if (told == NULL) {
        return NULL;
    }
    *told = (dn_bs_tiding){.event = *event};
    uint8_t *at = keep((uint8_t *)(told + 1), &told->event.endpoint);
    at = keep(at, &told->event.found);
    at = keep(at, &why);
    *at = 0;
    told->event.why = (const char *)why.data;
    return told;
}

bool dn_bs_news_put(dn_bs_news *news, const dn_bs_event *event)
{
    dn_bs_tiding *told = copy(event);
    pthread_mutex_lock(&news->lock);
    const bool first = news->count == 0;
    if (told == NULL || news->count >= WAITING_MAX) {
        news->lost = true;
        free(told);
    } else {
        if (news->last != NULL) {
            news->last->next = told;
        } else {
            news->first = told;
        }
        news->last = told;
        news->count++;
    }
    pthread_mutex_unlock(&news->lock);
    return first;
}

void dn_bs_news_drain(dn_bs_news *news, dn_feed *feed)
{
    pthread_mutex_lock(&news->lock);
    dn_bs_tiding *told = news->first;
    const bool lost = news->lost;
    news->first = NULL;
    news->last = NULL;
    news->count = 0;
    news->lost = false;
    pthread_mutex_unlock(&news->lock);
    while (told != NULL) {
        dn_bs_tiding *next = told->next;
        dn_feed_append_bootstrap(feed, &told->event);
        free(told);
        told = next;
    }
    if (lost) {
        dn_feed_lost(feed);
    }
}

void dn_api_bootstrap_event(dn_api *api, const dn_bs_event *event)
{
    if (api != NULL && dn_bs_news_put(&api->bootstrap_news, event)) {
        uint64_t one = 1;
        ssize_t written = write(api->pump_wake, &one, sizeof one);
        (void)written; /* it fails only when the counter is full: the pump then wakes anyway */
    }
}

/* ---- JSON --------------------------------------------------------------------------------- */

const char *dn_bs_operation_name(unsigned operation)
{
    static const char *const names[] = {[DN_BS_DISCOVER] = "discover",
                                        [DN_BS_READ] = "read",
                                        [DN_BS_WRITE] = "write",
                                        [DN_BS_DELETE] = "delete",
                                        [DN_BS_FINISH] = "finish"};
    return operation < sizeof names / sizeof names[0] ? names[operation] : "other";
}

static void write_code(dn_jsonw *json, uint8_t code)
{
    char text[8];
    dn_jsonw_key(json, "code");
    if (code == 0) {
        dn_jsonw_null(json);
        return;
    }
    dn_coap_code_text(code, text);
    dn_jsonw_text(json, text);
}

static void write_step(dn_jsonw *json, const dn_bs_event *event)
{
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    dn_jsonw_pair_unsigned(json, "step", event->step);
    dn_jsonw_pair(json, "operation", dn_bs_operation_name(event->operation));
    if (event->operation != DN_BS_FINISH) {
        dunlin_path_format(event->path, path);
        dn_jsonw_pair(json, "path", path);
    }
    write_code(json, event->code);
    dn_jsonw_pair_unsigned(json, "took_ms", event->took_ms);
}

void dn_bs_event_write(const dn_bs_event *event, uint64_t id, dn_text *text)
{
    dn_jsonw json;
    dn_jsonw_start(&json, text);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair_unsigned(&json, "id", id);
    dn_jsonw_pair(&json, "type", dn_feed_type_name(DN_FEED_FLEET + (unsigned)event->kind));
    dn_jsonw_pair_time(&json, "time", event->at_ms);
    dn_jsonw_pair_slice(&json, "endpoint", event->endpoint);
    dn_jsonw_pair(&json, "address", event->address);
    dn_jsonw_pair(&json, "transport", dn_transport_name(event->transport));
    dn_jsonw_pair(&json, "security", dn_security_mode_text(event->security));
    if (event->run != 0) {
        dn_jsonw_pair_unsigned(&json, "run", event->run);
        if (event->kind == DN_BS_REQUESTED) {
            dn_jsonw_pair(&json, "by", event->is_own ? "server" : "device");
        }
        dn_jsonw_pair_unsigned(&json, "version", event->version);
        dn_jsonw_pair_unsigned(&json, "steps", event->steps);
    }
    if (event->kind == DN_BS_STEP || event->kind == DN_BS_REPAIRING ||
        (event->kind == DN_BS_FAILED && event->step > 0)) {
        write_step(&json, event);
    } else if (event->kind == DN_BS_REFUSED || event->kind == DN_BS_NOT_ENROLLED) {
        write_code(&json, event->code);
    }
    if (event->why != NULL && event->why[0] != 0) {
        dn_jsonw_pair(&json, "why", event->why);
    }
    if (event->found.len > 0) {
        dn_jsonw_pair_slice(&json, "found", event->found);
    }
    dn_jsonw_end(&json, '}');
}
