/* SPDX-License-Identifier: Apache-2.0 */
/* Reads from many devices; see bulk.h. */
#include "api/bulk.h"

#include "api/answer.h"
#include "api/content_format.h"
#include "api/service.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COAP_GET = 1 };
#define AGAIN_MS 100

/* One read under way; it is used for one device after the other. */
typedef struct slot {
    dn_bulk *bulk;
    struct slot *next;
    uint32_t client;
    uint64_t number; /* of the fleet's request */
    bool guess;      /* the content format is our choice */
    dn_profile *profile;
    dn_answer answer;
} slot;

typedef struct {
    slot *first, *last;
} slot_list;

struct dn_bulk {
    dn_api *api;
    struct MHD_Connection *connection;
    int socket;
    dn_bulk_ask ask;
    slot *slots;
    uint32_t next_client;
    slot_list idle;   /* ask for the next device */
    slot_list parked; /* the fleet had no room: to be asked again when another one is answered */
    dn_text lines;    /* written and not sent: at most those of one round */
    size_t lines_at;
    dn_naming naming;
    dn_profile *named; /* that of `naming`, held */
    uint32_t line_count;
    uint64_t progress_ms; /* when one was answered last */

    pthread_mutex_t lock; /* for what follows */
    slot_list answered;
    uint32_t under_way;
    bool suspended; /* the connection */
    bool retry;     /* those that are parked are due */
    bool ended;     /* ask nobody any more */
    bool shut;      /* the connection is gone: the last completion frees */
    bool listed;
    dn_bulk *older, *newer;
};

static void push(slot_list *list, slot *one)
{
    one->next = NULL;
    if (list->last != NULL) {
        list->last->next = one;
    } else {
        list->first = one;
    }
    list->last = one;
}

static slot *pop(slot_list *list)
{
    slot *one = list->first;
    if (one != NULL) {
        list->first = one->next;
        if (list->first == NULL) {
            list->last = NULL;
        }
    }
    return one;
}

/* ---- making and freeing ------------------------------------------------------------------- */

void dn_bulk_ask_free(dn_bulk_ask *ask)
{
    dn_text_free(&ask->names);
    free(ask->starts);
    ask->starts = NULL;
}

static void delist(dn_bulks *bulks, dn_bulk *bulk)
{
    pthread_mutex_lock(&bulks->lock);
    if (bulk->newer != NULL) {
        bulk->newer->older = bulk->older;
    } else {
        bulks->first = bulk->older;
    }
    if (bulk->older != NULL) {
        bulk->older->newer = bulk->newer;
    }
    bulks->count--;
    pthread_cond_broadcast(&bulks->changed);
    pthread_mutex_unlock(&bulks->lock);
}

static void free_bulk(dn_bulk *bulk)
{
    if (bulk->listed) {
        delist(&bulk->api->bulks, bulk);
    }
    dn_profile_release(bulk->named);
    for (uint32_t i = 0; bulk->slots != NULL && i < bulk->ask.in_flight; i++) {
        dn_profile_release(bulk->slots[i].profile);
        dn_text_free(&bulk->slots[i].answer.payload);
    }
    pthread_mutex_destroy(&bulk->lock);
    dn_text_free(&bulk->lines);
    dn_bulk_ask_free(&bulk->ask);
    free(bulk->slots);
    free(bulk);
}

/* Enters the list of open ones unless that is full or closed. */
static bool enlist(dn_bulks *bulks, dn_bulk *bulk, uint32_t most)
{
    pthread_mutex_lock(&bulks->lock);
    bool room = !bulks->closed && bulks->count < most;
    if (room) {
        bulk->older = bulks->first;
        if (bulks->first != NULL) {
            bulks->first->newer = bulk;
        }
        bulks->first = bulk;
        bulks->count++;
        bulks->opened++;
        bulk->listed = true;
    }
    pthread_mutex_unlock(&bulks->lock);
    return room;
}

dunlin_status dn_bulk_open(dn_api *api, struct MHD_Connection *connection, int socket, dn_bulk_ask *ask,
                           dn_bulk **out)
{
    dn_bulk *bulk = calloc(1, sizeof *bulk);
    if (bulk == NULL) {
        dn_bulk_ask_free(ask);
        return DUNLIN_ERR_MEMORY;
    }
    *bulk = (dn_bulk){.api = api, .connection = connection, .socket = socket, .ask = *ask};
    pthread_mutex_init(&bulk->lock, NULL);
    if (bulk->ask.in_flight > bulk->ask.count) {
        bulk->ask.in_flight = bulk->ask.count;
    }
    bulk->naming = dn_naming_make(api->config.registry, NULL);
    bulk->slots = calloc(bulk->ask.in_flight, sizeof *bulk->slots);
    dunlin_status status = bulk->slots == NULL ? DUNLIN_ERR_MEMORY : DUNLIN_OK;
    if (status == DUNLIN_OK && !enlist(&api->bulks, bulk, api->config.max_bulk_reads)) {
        status = DUNLIN_ERR_LIMIT;
    }
    if (status != DUNLIN_OK) {
        free_bulk(bulk);
        return status;
    }
    for (uint32_t i = 0; i < bulk->ask.in_flight; i++) {
        bulk->slots[i].bulk = bulk;
        push(&bulk->idle, &bulk->slots[i]);
    }
    *out = bulk;
    return DUNLIN_OK;
}

/* ---- asking --------------------------------------------------------------------------------- */

static dunlin_slice name_of(const dn_bulk *bulk, uint32_t client)
{
    uint32_t start = bulk->ask.starts[client];
    return dunlin_slice_make(bulk->ask.names.data + start, bulk->ask.starts[client + 1] - start);
}

void dn_bulks_wake(dn_bulks *bulks)
{
    if (atomic_load_explicit(&bulks->count, memory_order_relaxed) == 0) {
        return;
    }
    pthread_mutex_lock(&bulks->lock);
    for (dn_bulk *bulk = bulks->first; bulk != NULL; bulk = bulk->older) {
        pthread_mutex_lock(&bulk->lock);
        if (bulk->suspended && bulk->answered.first != NULL) {
            bulk->suspended = false;
            MHD_resume_connection(bulk->connection);
        }
        pthread_mutex_unlock(&bulk->lock);
    }
    pthread_mutex_unlock(&bulks->lock);
}

/* On the shard's thread; dn_bulks_wake follows. */
static void answered(void *context, const dn_device_response *response)
{
    slot *one = context;
    dn_bulk *bulk = one->bulk;
    dn_answer_take(&one->answer, response);
    pthread_mutex_lock(&bulk->lock);
    push(&bulk->answered, one);
    bulk->under_way--;
    bool last = bulk->shut && bulk->under_way == 0;
    pthread_mutex_unlock(&bulk->lock);
    if (last) {
        free_bulk(bulk);
    }
}

/* On the shard's thread: asks for the format that the device announced, and keeps what it registered to read the answer by. */
static void settle(void *context, dn_device_request *request, uint8_t major, uint8_t minor,
                   dunlin_slice links)
{
    slot *one = context;
    dn_profile_release(one->profile); /* of an earlier try */
    one->profile = dn_profiles_take(one->bulk->api->profiles, (dn_version){major, minor}, links);
    if (one->guess && one->profile != NULL) {
        request->accept = dn_format_for(one->profile);
    }
}

static void ask(dn_bulk *bulk, slot *one, uint16_t format)
{
    uint64_t number = 0;
    dn_device_request request = {.endpoint = name_of(bulk, one->client),
                                 .method = COAP_GET,
                                 .path = bulk->ask.path,
                                 .content_format = DN_FORMAT_NONE,
                                 .accept = format,
                                 .unless_asleep = true,
                                 .timeout_ms = bulk->ask.timeout_ms,
                                 .settle = settle};
    pthread_mutex_lock(&bulk->lock);
    bulk->under_way++;
    pthread_mutex_unlock(&bulk->lock);
    dunlin_status status = dn_fleet_request(bulk->api->config.fleet, &request, answered, one, &number);
    if (status != DUNLIN_OK) {
        const dn_device_response refused = {.status = status};
        answered(one, &refused);
        return;
    }
    pthread_mutex_lock(&bulk->lock);
    one->number = number;
    pthread_mutex_unlock(&bulk->lock);
}

static void ask_next(dn_bulk *bulk)
{
    slot *one;
    while (bulk->next_client < bulk->ask.count && (one = pop(&bulk->idle)) != NULL) {
        one->client = bulk->next_client++;
        one->guess = bulk->ask.format == DN_FORMAT_NONE;
        ask(bulk, one, bulk->ask.format);
    }
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void write_problem(dn_bulk *bulk, const slot *one, const dn_failure *failure)
{
    dn_text *text = &bulk->lines;
    dn_jsonw json;
    const dn_problem problem = {.kind = failure->kind,
                                .detail = failure->detail,
                                .coap_code = failure->coap_code,
                                .path = bulk->ask.path};
    dn_jsonw_start(&json, text);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair_slice(&json, "endpoint", name_of(bulk, one->client));
    dn_jsonw_key(&json, "problem");
    dn_problem_write(text, &problem);
    dn_jsonw_end(&json, '}');
    dn_text_char(text, '\n');
}

/* Devices of a kind share a profile: what was looked up for one serves the next. */
static void name_by(dn_bulk *bulk, dn_profile *profile)
{
    if (bulk->named != profile) {
        dn_profile_release(bulk->named);
        bulk->named = profile != NULL ? dn_profile_hold(profile) : NULL;
        bulk->naming = dn_naming_make(bulk->api->config.registry, profile);
    }
}

static void write_line(dn_bulk *bulk, const slot *one)
{
    dn_text *text = &bulk->lines;
    size_t start = text->len;
    dn_failure failure;
    if (!dn_answer_succeeded(&one->answer, bulk->ask.timeout_ms, &failure)) {
        write_problem(bulk, one, &failure);
        return;
    }
    char code[8];
    dn_jsonw json;
    name_by(bulk, one->profile);
    dn_coap_code_text(one->answer.code, code);
    dn_jsonw_start(&json, text);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair_slice(&json, "endpoint", name_of(bulk, one->client));
    dn_jsonw_pair(&json, "code", code);
    if (dn_answer_write_node(&one->answer, &json, &bulk->naming, bulk->ask.path, &failure)) {
        dn_jsonw_end(&json, '}');
        dn_text_char(text, '\n');
    } else {
        text->len = start;
        write_problem(bulk, one, &failure);
    }
}

static void finish(dn_bulk *bulk, slot *one)
{
    write_line(bulk, one);
    bulk->line_count++;
    push(&bulk->idle, one);
}

/* What an answer leads to: another try, or a line. */
static void digest(dn_bulk *bulk, slot *one, bool ended)
{
    if (one->answer.status == DUNLIN_ERR_LIMIT && !ended) {
        push(&bulk->parked, one);
    } else if (one->guess && dn_answer_refuses_format(&one->answer) && !ended) {
        one->guess = false;
        ask(bulk, one, DN_FORMAT_NONE);
    } else {
        finish(bulk, one);
    }
}

static bool has_answer(const slot_list *list)
{
    const slot *one = list->first;
    while (one != NULL && one->answer.status == DUNLIN_ERR_LIMIT) {
        one = one->next;
    }
    return one != NULL;
}

/* Those that the fleet had no room for are asked again when there may be some, and given up when there was none for as long as a device may take. */
static void ask_parked(dn_bulk *bulk, bool progress)
{
    uint64_t now_ms = dn_api_now_ms(bulk->api);
    bulk->progress_ms = progress ? now_ms : bulk->progress_ms;
    bool give_up = now_ms >= bulk->progress_ms + bulk->ask.timeout_ms;
    slot_list parked = bulk->parked;
    slot *one;
    bulk->parked = (slot_list){NULL, NULL};
    while ((one = pop(&parked)) != NULL) {
        if (give_up) {
            finish(bulk, one);
        } else {
            ask(bulk, one, bulk->ask.format);
        }
    }
}

/* Writes a line for each answer and asks the next devices. False: nothing to do. */
static bool work(dn_bulk *bulk)
{
    slot *one;
    pthread_mutex_lock(&bulk->lock);
    slot_list list = bulk->answered;
    bulk->answered = (slot_list){NULL, NULL};
    bool retry = bulk->retry;
    bulk->retry = false;
    bool ended = bulk->ended;
    pthread_mutex_unlock(&bulk->lock);
    if (list.first == NULL && !retry && (bulk->next_client > 0 || ended)) {
        return false;
    }
    bool progress = has_answer(&list) || bulk->next_client == 0;
    if (ended) {
        bulk->parked = (slot_list){NULL, NULL};
    } else if (progress || retry) {
        ask_parked(bulk, progress);
    }
    while ((one = pop(&list)) != NULL) {
        digest(bulk, one, ended);
    }
    if (!ended) {
        ask_next(bulk);
    }
    name_by(bulk, NULL); /* definitions may be replaced between rounds */
    return true;
}

static size_t give(dn_bulk *bulk, char *out, size_t size)
{
    size_t left = bulk->lines.len - bulk->lines_at;
    size_t now = left < size ? left : size;
    if (now > 0) {
        memcpy(out, bulk->lines.data + bulk->lines_at, now);
    }
    bulk->lines_at += now;
    if (bulk->lines_at == bulk->lines.len) {
        bulk->lines.len = 0;
        bulk->lines_at = 0;
    }
    return now;
}

ssize_t dn_bulk_read(void *context, uint64_t position, char *out, size_t size)
{
    dn_bulk *bulk = context;
    (void)position;
    for (;;) {
        if (bulk->lines.failed) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        size_t given = give(bulk, out, size);
        if (given > 0) {
            return (ssize_t)given;
        }
        if (work(bulk)) {
            continue;
        }
        pthread_mutex_lock(&bulk->lock);
        bool more = bulk->answered.first != NULL;
        bool over = bulk->ended || bulk->parked.first == NULL;
        bool wait = !more && (bulk->under_way > 0 || !over);
        if (wait) {
            bulk->suspended = true;
            MHD_suspend_connection(bulk->connection);
        }
        pthread_mutex_unlock(&bulk->lock);
        if (wait) {
            return 0;
        }
        if (!more) {
            bool whole = bulk->line_count == bulk->ask.count;
            return whole ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
}

/* ---- the end -------------------------------------------------------------------------------- */

/* Under the lock of the bulk. A completion may run at once in the fleet's thread: it waits for the lock. */
static void cancel(dn_bulk *bulk)
{
    for (uint32_t i = 0; i < bulk->ask.in_flight && bulk->under_way > 0; i++) {
        if (bulk->slots[i].number != 0) {
            dn_fleet_cancel(bulk->api->config.fleet, bulk->slots[i].number);
        }
    }
}

void dn_bulk_shut(void *context)
{
    dn_bulk *bulk = context;
    pthread_mutex_lock(&bulk->lock);
    bulk->shut = true;
    bulk->ended = true;
    bulk->suspended = false;
    cancel(bulk);
    bool last = bulk->under_way == 0;
    pthread_mutex_unlock(&bulk->lock);
    if (last) {
        free_bulk(bulk);
    }
}

void dn_bulks_init(dn_bulks *bulks)
{
    *bulks = (dn_bulks){.first = NULL};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&bulks->lock, NULL);
    pthread_cond_init(&bulks->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void dn_bulks_destroy(dn_bulks *bulks)
{
    pthread_cond_destroy(&bulks->changed);
    pthread_mutex_destroy(&bulks->lock);
}

void dn_bulks_sweep(dn_bulks *bulks)
{
    pthread_mutex_lock(&bulks->lock);
    for (dn_bulk *bulk = bulks->first; bulk != NULL; bulk = bulk->older) {
        pthread_mutex_lock(&bulk->lock);
        /* Only asked while suspended: the socket is open then, and the HTTP library does not look at it. */
        struct pollfd at = {.fd = bulk->socket, .events = POLLRDHUP};
        if (bulk->suspended && poll(&at, 1, 0) > 0) {
            bulk->ended = true;
            cancel(bulk);
        }
        if (bulk->suspended && bulk->under_way == 0) { /* all that it asked found no room */
            bulk->retry = true;
            bulk->suspended = false;
            MHD_resume_connection(bulk->connection);
        }
        pthread_mutex_unlock(&bulk->lock);
    }
    pthread_mutex_unlock(&bulks->lock);
}

void dn_bulks_end(dn_bulks *bulks)
{
    pthread_mutex_lock(&bulks->lock);
    bulks->closed = true;
    for (dn_bulk *bulk = bulks->first; bulk != NULL; bulk = bulk->older) {
        pthread_mutex_lock(&bulk->lock);
        bulk->ended = true;
        pthread_mutex_unlock(&bulk->lock);
    }
    pthread_mutex_unlock(&bulks->lock);
}

/* True when no connection is suspended any more, and no completion to come. */
static bool cancel_all(dn_bulks *bulks)
{
    bool none = true;
    for (dn_bulk *bulk = bulks->first; bulk != NULL; bulk = bulk->older) {
        pthread_mutex_lock(&bulk->lock);
        cancel(bulk);
        if (bulk->suspended && bulk->under_way == 0) {
            bulk->suspended = false;
            MHD_resume_connection(bulk->connection);
        }
        none = none && !bulk->suspended && bulk->under_way == 0 && !bulk->shut;
        pthread_mutex_unlock(&bulk->lock);
    }
    return none;
}

void dn_bulks_close(dn_bulks *bulks)
{
    pthread_mutex_lock(&bulks->lock);
    /* Again and again: a request may have been handed over just now. */
    while (!cancel_all(bulks)) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += AGAIN_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000L;
        }
        (void)pthread_cond_timedwait(&bulks->changed, &bulks->lock, &until);
    }
    pthread_mutex_unlock(&bulks->lock);
}
