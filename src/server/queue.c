/* SPDX-License-Identifier: Apache-2.0 */
/* Each change is made in memory and handed to the store in one function, so that neither is ever ahead of the
 * other. */
#include "server/queue.h"

#include "base/hash.h"

#include <stdlib.h>

#define IDS_AT_ONCE 64u /* reserved with one write */
#define NAME_MAX_   255u

bool dn_queue_init(dn_queue *queue, uint32_t max, uint32_t per_line, uint64_t max_bytes, dn_durable *durable,
                   const dn_random *random, uint64_t now_ms)
{
    *queue = (dn_queue){.durable = durable,
                        .per_line = per_line,
                        .max_bytes = max_bytes,
                        .next_id = 1,
                        .id_bound = 1,
                        .first_ended = DN_QUEUE_NONE,
                        .last_ended = DN_QUEUE_NONE,
                        .first_ready = DN_QUEUE_NONE,
                        .last_ready = DN_QUEUE_NONE};
    random->fill(random->context, &queue->key, sizeof queue->key);
    dn_strings_init(&queue->names);
    dn_wheel_init(&queue->expiries, now_ms);
    dn_wheel_init(&queue->retries, now_ms);
    return dn_slab_init(&queue->slab, sizeof(dn_queued), max) &&
           dn_slab_init(&queue->lines, sizeof(dn_line), max) && dn_index_init(&queue->by_endpoint, 0);
}

void dn_queue_free(dn_queue *queue)
{
    for (uint32_t number = 0; number < queue->slab.used; number++) {
        const dn_queued *request = dn_queue_at(queue, number);
        if (request->id != 0) {
            free(request->texts);
            free(request->answer);
        }
    }
    dn_ids_free(&queue->ids);
    dn_index_free(&queue->by_endpoint);
    dn_strings_free(&queue->names);
    dn_slab_free(&queue->lines);
    dn_slab_free(&queue->slab);
}

/* Lines. */

dunlin_slice dn_line_endpoint(const dn_queue *queue, const dn_line *line)
{
    return dunlin_slice_make(dn_strings_at(&queue->names, line->name), line->name_len);
}

static uint32_t hash_of(const dn_queue *queue, dunlin_slice endpoint)
{
    return (uint32_t)dn_hash(&queue->key, endpoint);
}

uint32_t dn_queue_find_line(const dn_queue *queue, dunlin_slice endpoint)
{
    uint32_t line;
    dn_index_walk walk = dn_index_find(&queue->by_endpoint, hash_of(queue, endpoint));
    while (dn_index_next(&walk, &line)) {
        if (dunlin_slice_equal(dn_line_endpoint(queue, dn_queue_line(queue, line)), endpoint)) {
            return line;
        }
    }
    return DN_QUEUE_NONE;
}

/* The endpoint's line, made if there is none. */
static dunlin_status need_line(dn_queue *queue, dunlin_slice endpoint, uint32_t slot, uint32_t *number)
{
    *number = dn_queue_find_line(queue, endpoint);
    if (*number != DN_QUEUE_NONE) {
        return DUNLIN_OK;
    }
    uint32_t name = dn_strings_take(&queue->names, endpoint.len);
    if (name == DN_STRINGS_NONE) {
        return DUNLIN_ERR_MEMORY;
    }
    *number = dn_slab_take(&queue->lines);
    if (*number == DN_SLAB_NONE || !dn_index_put(&queue->by_endpoint, hash_of(queue, endpoint), *number)) {
        if (*number != DN_SLAB_NONE) {
            dn_slab_give(&queue->lines, *number);
        }
        dn_strings_give(&queue->names, name, endpoint.len);
        return DUNLIN_ERR_MEMORY;
    }
    memcpy(dn_strings_at(&queue->names, name), endpoint.data, endpoint.len);
    dn_line *line = dn_queue_line(queue, *number);
    line->name = name;
    line->name_len = (uint8_t)endpoint.len;
    line->slot = slot;
    line->first = line->last = line->up = DN_QUEUE_NONE;
    return DUNLIN_OK;
}

static void release_line(dn_queue *queue, uint32_t number)
{
    dn_line *line = dn_queue_line(queue, number);
    if (line->first != DN_QUEUE_NONE) {
        return;
    }
    dn_deadline_cancel(&queue->retries, &line->retry); /* there is nothing to try again */
    if (line->ready) {
        return; /* who takes a ready line out calls this again */
    }
    dunlin_slice endpoint = dn_line_endpoint(queue, line);
    dn_index_remove(&queue->by_endpoint, hash_of(queue, endpoint), number);
    dn_strings_give(&queue->names, line->name, line->name_len);
    dn_slab_give(&queue->lines, number);
}

void dn_queue_make_ready(dn_queue *queue, uint32_t number)
{
    dn_line *line = dn_queue_line(queue, number);
    if (line->ready) {
        return;
    }
    line->ready = true;
    line->next = DN_QUEUE_NONE;
    if (queue->first_ready == DN_QUEUE_NONE) {
        queue->first_ready = number;
    } else {
        dn_queue_line(queue, queue->last_ready)->next = number;
    }
    queue->last_ready = number;
}

uint32_t dn_queue_next_ready(dn_queue *queue)
{
    while (queue->first_ready != DN_QUEUE_NONE) {
        uint32_t number = queue->first_ready;
        dn_line *line = dn_queue_line(queue, number);
        queue->first_ready = line->next;
        line->ready = false;
        if (line->first != DN_QUEUE_NONE) {
            return number;
        }
        release_line(queue, number);
    }
    return DN_QUEUE_NONE;
}

static void append_to_line(dn_queue *queue, dn_line *line, uint32_t number)
{
    dn_queued *request = dn_queue_at(queue, number);
    request->next = DN_QUEUE_NONE;
    request->prev = line->last;
    if (line->last == DN_QUEUE_NONE) {
        line->first = number;
    } else {
        dn_queue_at(queue, line->last)->next = number;
    }
    line->last = number;
    if (!dn_queued_has_ended(request)) {
        line->up = line->up == DN_QUEUE_NONE ? number : line->up;
        line->waiting++;
        queue->waiting++;
    }
}

static void leave_line(dn_queue *queue, dn_line *line, const dn_queued *request)
{
    if (request->prev == DN_QUEUE_NONE) {
        line->first = request->next;
    } else {
        dn_queue_at(queue, request->prev)->next = request->next;
    }
    if (request->next == DN_QUEUE_NONE) {
        line->last = request->prev;
    } else {
        dn_queue_at(queue, request->next)->prev = request->prev;
    }
}

uint32_t dn_queue_find(const dn_queue *queue, uint64_t id)
{
    return dn_ids_find(&queue->ids, id);
}

/* Requests. */

static dunlin_slice text_at(const dn_queued *request, size_t at, size_t len)
{
    return len > 0 ? dunlin_slice_make(request->texts + at, len) : dunlin_slice_make(NULL, 0);
}

void dn_queue_ask(const dn_queue *queue, const dn_queued *request, dn_device_request *ask)
{
    *ask = (dn_device_request){
        .endpoint = dn_line_endpoint(queue, dn_queue_line(queue, request->line)),
        .method = request->method,
        .path = request->path,
        .query = text_at(request, 0, request->query_len),
        .content_format = request->content_format,
        .accept = request->accept,
        .package = text_at(request, request->query_len, request->package_len),
        .payload = text_at(request, (size_t)request->query_len + request->package_len, request->body_len),
        .auto_accept = request->auto_accept};
}

static dunlin_slice location_of(const dn_queued *request)
{
    return dunlin_slice_make(request->answer, request->location_len);
}

static dunlin_slice payload_of(const dn_queued *request)
{
    return request->answer_len > 0
               ? dunlin_slice_make(request->answer + request->location_len, request->answer_len)
               : dunlin_slice_make(NULL, 0);
}

void dn_queue_view(const dn_queue *queue, uint32_t number, dn_queued_view *view)
{
    const dn_queued *request = dn_queue_at(queue, number);
    *view = (dn_queued_view){.id = request->id,
                             .state = (dn_queued_state)request->state,
                             .created_ms = request->created_ms,
                             .expires_ms = request->expires_ms,
                             .ended_ms = request->ended_ms,
                             .attempts = request->attempts,
                             .status = request->status,
                             .code = request->code,
                             .content_format = request->format,
                             .payload = payload_of(request),
                             .location = location_of(request)};
    dn_queue_ask(queue, request, &view->ask);
}

size_t dn_queue_page(const dn_queue *queue, uint32_t line, uint64_t after, size_t limit,
                     dn_queued_view *views)
{
    size_t count = 0;
    if (line != DN_QUEUE_NONE) {
        for (uint32_t number = dn_queue_line(queue, line)->first; number != DN_QUEUE_NONE && count < limit;
             number = dn_queue_at(queue, number)->next) {
            if (dn_queue_at(queue, number)->id > after) {
                dn_queue_view(queue, number, &views[count++]);
            }
        }
    } else {
        for (size_t at = dn_ids_after(&queue->ids, after); at < queue->ids.count && count < limit; at++) {
            if (queue->ids.places[at].number != DN_IDS_NONE) {
                dn_queue_view(queue, queue->ids.places[at].number, &views[count++]);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        views[i].ask.payload = views[i].payload = dunlin_slice_make(NULL, 0);
    }
    return count;
}

static dn_store_progress progress_of(const dn_queued *request, uint32_t number)
{
    return (dn_store_progress){.request = number,
                               .state = request->state,
                               .attempts = request->attempts,
                               .ended_ms = request->ended_ms,
                               .status = request->status,
                               .code = request->code,
                               .format = request->format,
                               .location = location_of(request),
                               .payload = payload_of(request)};
}

static void put(dn_queue *queue, uint32_t number)
{
    const dn_queued *request = dn_queue_at(queue, number);
    dn_device_request ask;
    dn_queue_ask(queue, request, &ask);
    const dn_store_request record = {.number = number,
                                     .id = request->id,
                                     .endpoint = ask.endpoint,
                                     .method = ask.method,
                                     .auto_accept = ask.auto_accept,
                                     .path = ask.path,
                                     .query = ask.query,
                                     .content_format = ask.content_format,
                                     .accept = ask.accept,
                                     .package = ask.package,
                                     .body = ask.payload,
                                     .created_ms = request->created_ms,
                                     .expires_ms = request->expires_ms,
                                     .progress = progress_of(request, number)};
    dn_store *store = dn_durable_write(queue->durable);
    store->ops->put_request(store, &record);
}

static void mark(dn_queue *queue, uint32_t number)
{
    const dn_store_progress progress = progress_of(dn_queue_at(queue, number), number);
    dn_store *store = dn_durable_write(queue->durable);
    store->ops->mark_request(store, &progress);
}

static bool keep_texts(dn_queued *request, dunlin_slice query, dunlin_slice package, dunlin_slice body)
{
    const dunlin_slice texts[] = {query, package, body};
    request->texts = malloc(query.len + package.len + body.len + 1);
    if (request->texts == NULL) {
        return false;
    }
    uint8_t *at = request->texts;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].len > 0) {
            memcpy(at, texts[i].data, texts[i].len);
            at += texts[i].len;
        }
    }
    request->query_len = (uint16_t)query.len;
    request->package_len = (uint8_t)package.len;
    request->body_len = (uint32_t)body.len;
    return true;
}

static bool keep_answer(dn_queued *request, dunlin_slice location, dunlin_slice payload)
{
    size_t len = location.len + payload.len;
    request->answer = len > 0 ? malloc(len) : NULL;
    if (request->answer == NULL) {
        return len == 0;
    }
    if (location.len > 0) {
        memcpy(request->answer, location.data, location.len);
    }
    if (payload.len > 0) {
        memcpy(request->answer + location.len, payload.data, payload.len);
    }
    request->location_len = (uint8_t)location.len;
    request->answer_len = (uint32_t)payload.len;
    return true;
}

/* Takes an id; a new block of them is reserved in the same commit as the request that needs it. */
static uint64_t take_id(dn_queue *queue)
{
    if (queue->next_id == queue->id_bound) {
        queue->id_bound += IDS_AT_ONCE;
        dn_store *store = dn_durable_write(queue->durable);
        store->ops->put_request_ids(store, queue->id_bound);
    }
    return queue->next_id++;
}

static void drop_first_ended(dn_queue *queue);

static uint64_t bytes_of(const dn_queued *request)
{
    return (uint64_t)request->query_len + request->package_len + request->body_len + request->location_len +
           request->answer_len;
}

/* Forgets what ended first to make room for `more`, but not `kept`. */
static bool have_bytes(dn_queue *queue, uint64_t more, uint32_t kept)
{
    while (queue->bytes + more > queue->max_bytes && queue->first_ended != DN_QUEUE_NONE &&
           queue->first_ended != kept) {
        drop_first_ended(queue);
    }
    return queue->bytes + more <= queue->max_bytes;
}

static bool have_number(dn_queue *queue, uint32_t *number)
{
    if (queue->slab.live == queue->slab.max && queue->first_ended != DN_QUEUE_NONE) {
        drop_first_ended(queue);
    }
    *number = dn_slab_take(&queue->slab);
    return *number != DN_SLAB_NONE;
}

static bool is_too_long(const dn_device_request *ask)
{
    return ask->endpoint.len == 0 || ask->endpoint.len > NAME_MAX_ || ask->query.len > DN_QUEUE_QUERY_MAX ||
           ask->package.len > DN_QUEUE_PACKAGE_MAX || ask->payload.len > UINT32_MAX / 2;
}

dunlin_status dn_queue_add(dn_queue *queue, const dn_device_request *ask, uint32_t slot, int64_t created_ms,
                           int64_t expires_ms, uint64_t expires_at_ms, uint32_t *number)
{
    uint32_t line = dn_queue_find_line(queue, ask->endpoint);
    if (is_too_long(ask)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    if (line != DN_QUEUE_NONE && dn_queue_line(queue, line)->waiting >= queue->per_line) {
        return DUNLIN_ERR_LIMIT;
    }
    if (!dn_ids_reserve(&queue->ids)) {
        return DUNLIN_ERR_MEMORY;
    }
    if (!have_bytes(queue, ask->query.len + ask->package.len + ask->payload.len, DN_QUEUE_NONE) ||
        !have_number(queue, number)) {
        return DUNLIN_ERR_LIMIT;
    }
    dn_queued *request = dn_queue_at(queue, *number);
    dunlin_status status = need_line(queue, ask->endpoint, slot, &line);
    if (status == DUNLIN_OK && !keep_texts(request, ask->query, ask->package, ask->payload)) {
        release_line(queue, line);
        status = DUNLIN_ERR_MEMORY;
    }
    if (status != DUNLIN_OK) {
        dn_slab_give(&queue->slab, *number);
        return status;
    }
    queue->bytes += bytes_of(request);
    request->line = line;
    request->id = take_id(queue);
    request->created_ms = created_ms;
    request->expires_ms = expires_ms;
    request->state = DN_QUEUED_WAITING;
    request->method = ask->method;
    request->auto_accept = ask->auto_accept;
    request->content_format = ask->content_format;
    request->accept = ask->accept;
    request->format = DN_COAP_NO_FORMAT;
    request->path = ask->path;
    dn_ids_add(&queue->ids, request->id, *number);
    append_to_line(queue, dn_queue_line(queue, line), *number);
    dn_deadline_set(&queue->expiries, &request->expiry, expires_at_ms);
    put(queue, *number);
    return DUNLIN_OK;
}

void dn_queue_set_state(dn_queue *queue, uint32_t number, dn_queued_state state)
{
    dn_queued *request = dn_queue_at(queue, number);
    request->attempts += state == DN_QUEUED_DELIVERING;
    request->state = (uint8_t)state;
    mark(queue, number);
}

static void append_to_ended(dn_queue *queue, uint32_t number)
{
    dn_queue_at(queue, number)->next_ended = DN_QUEUE_NONE;
    if (queue->first_ended == DN_QUEUE_NONE) {
        queue->first_ended = number;
    } else {
        dn_queue_at(queue, queue->last_ended)->next_ended = number;
    }
    queue->last_ended = number;
}

void dn_queue_end(dn_queue *queue, uint32_t number, dn_queued_state state, const dn_device_response *outcome,
                  int64_t wall_ms, uint64_t drop_at_ms)
{
    dn_queued *request = dn_queue_at(queue, number);
    dn_line *line = dn_queue_line(queue, request->line);
    request->state = (uint8_t)state;
    request->ended_ms = wall_ms != 0 ? wall_ms : 1;
    request->drop_at_ms = drop_at_ms;
    if (outcome != NULL) {
        request->status = outcome->status;
        request->code = outcome->code;
        request->format = outcome->content_format;
        if (!keep_answer(request, outcome->location, outcome->payload)) {
            request->status = DUNLIN_ERR_MEMORY;
        }
        queue->bytes += (uint64_t)request->location_len + request->answer_len;
    }
    dn_deadline_cancel(&queue->expiries, &request->expiry);
    append_to_ended(queue, number);
    line->waiting--;
    queue->waiting--;
    while (line->up != DN_QUEUE_NONE && dn_queued_has_ended(dn_queue_at(queue, line->up))) {
        line->up = dn_queue_at(queue, line->up)->next;
    }
    mark(queue, number);
    (void)have_bytes(queue, 0, number);
}

static void drop_first_ended(dn_queue *queue)
{
    uint32_t number = queue->first_ended;
    dn_queued *request = dn_queue_at(queue, number);
    uint32_t line = request->line;
    dn_store *store = dn_durable_write(queue->durable);
    store->ops->drop_request(store, number);
    queue->first_ended = request->next_ended;
    dn_ids_drop(&queue->ids, request->id);
    leave_line(queue, dn_queue_line(queue, line), request);
    queue->bytes -= bytes_of(request);
    free(request->texts);
    free(request->answer);
    dn_slab_give(&queue->slab, number);
    release_line(queue, line);
}

void dn_queue_drop_old(dn_queue *queue, uint64_t now_ms, uint32_t budget)
{
    while (dn_queue_drop_deadline(queue) <= now_ms && budget-- > 0) {
        drop_first_ended(queue);
    }
}

uint64_t dn_queue_drop_deadline(const dn_queue *queue)
{
    return queue->first_ended != DN_QUEUE_NONE ? dn_queue_at(queue, queue->first_ended)->drop_at_ms
                                               : DN_NEVER;
}

/* Loading. */

static bool is_plausible(const dn_queue *queue, const dn_store_request *record)
{
    return record->id != 0 && record->endpoint.len > 0 && record->endpoint.len <= NAME_MAX_ &&
           record->query.len <= DN_QUEUE_QUERY_MAX && record->package.len <= DN_QUEUE_PACKAGE_MAX &&
           record->progress.location.len <= DUNLIN_PATH_TEXT_MAX &&
           record->progress.state <= DN_QUEUED_UNKNOWN &&
           (record->number >= queue->slab.used || dn_queue_at(queue, record->number)->id == 0);
}

dunlin_status dn_queue_load(dn_queue *queue, const dn_store_request *record)
{
    uint32_t line;
    if (!is_plausible(queue, record)) {
        return DUNLIN_ERR_STORE;
    }
    if (!dn_ids_reserve(&queue->ids)) {
        return DUNLIN_ERR_MEMORY;
    }
    if (!dn_slab_place(&queue->slab, record->number)) {
        return DUNLIN_ERR_LIMIT;
    }
    dunlin_status status = need_line(queue, record->endpoint, DN_SLOT_NONE, &line);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_queued *request = dn_queue_at(queue, record->number);
    *request = (dn_queued){.line = line,
                           .id = record->id,
                           .created_ms = record->created_ms,
                           .expires_ms = record->expires_ms,
                           .ended_ms = record->progress.ended_ms,
                           .state = record->progress.state,
                           .method = record->method,
                           .auto_accept = record->auto_accept,
                           .code = record->progress.code,
                           .content_format = record->content_format,
                           .accept = record->accept,
                           .format = record->progress.format,
                           .path = record->path,
                           .attempts = record->progress.attempts,
                           .status = record->progress.status};
    dn_ids_add(&queue->ids, record->id, record->number);
    queue->next_id = record->id >= queue->next_id ? record->id + 1 : queue->next_id;
    bool kept = keep_texts(request, record->query, record->package, record->body) &&
                keep_answer(request, record->progress.location, record->progress.payload);
    queue->bytes += bytes_of(request);
    return kept ? DUNLIN_OK : DUNLIN_ERR_MEMORY;
}

dunlin_status dn_queue_load_ids(dn_queue *queue, uint64_t bound)
{
    if (bound > queue->next_id) {
        queue->next_id = bound; /* those between may have been given out and forgotten */
    }
    return DUNLIN_OK;
}

static int compare_ends(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return *left < *right ? -1 : *left > *right;
}

static bool is_used(const void *record)
{
    return ((const dn_queued *)record)->id != 0;
}

/* The moment of a wall time by the monotonic clock; what is over is now. */
static uint64_t moment_of(int64_t at_ms, uint64_t now_ms, int64_t wall_ms)
{
    return at_ms > wall_ms ? now_ms + (uint64_t)(at_ms - wall_ms) : now_ms;
}

/* Puts the ended ones in the order of their ends. */
static dunlin_status line_up_ended(dn_queue *queue)
{
    struct {
        int64_t ended_ms; /* first: compared */
        uint32_t number;
    } *ends = calloc(queue->ids.count + 1, sizeof *ends);
    size_t count = 0;
    if (ends == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    for (size_t at = 0; at < queue->ids.count; at++) {
        const dn_queued *request = dn_queue_at(queue, queue->ids.places[at].number);
        if (dn_queued_has_ended(request)) {
            ends[count].ended_ms = request->ended_ms;
            ends[count++].number = queue->ids.places[at].number;
        }
    }
    qsort(ends, count, sizeof *ends, compare_ends);
    for (size_t i = 0; i < count; i++) {
        append_to_ended(queue, ends[i].number);
    }
    free(ends);
    return DUNLIN_OK;
}

dunlin_status dn_queue_loaded(dn_queue *queue, uint32_t (*slot_of)(void *context, dunlin_slice endpoint),
                              void *context, uint64_t now_ms, int64_t wall_ms, uint64_t keeps_ms)
{
    dn_slab_placed(&queue->slab, is_used);
    queue->id_bound = queue->next_id;
    if (!dn_ids_sort(&queue->ids)) {
        return DUNLIN_ERR_STORE;
    }
    for (size_t at = 0; at < queue->ids.count; at++) {
        uint32_t number = queue->ids.places[at].number;
        dn_queued *request = dn_queue_at(queue, number);
        dn_line *line = dn_queue_line(queue, request->line);
        append_to_line(queue, line, number);
        line->slot = slot_of(context, dn_line_endpoint(queue, line));
        if (dn_queued_has_ended(request)) {
            request->drop_at_ms = moment_of(request->ended_ms + (int64_t)keeps_ms, now_ms, wall_ms);
        } else {
            dn_deadline_set(&queue->expiries, &request->expiry,
                            moment_of(request->expires_ms, now_ms, wall_ms));
        }
    }
    return line_up_ended(queue);
}
