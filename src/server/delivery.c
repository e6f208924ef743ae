/* SPDX-License-Identifier: Apache-2.0 */
/* The queue's talk with devices and callers. */
#include "server/delivery.h"

#include "server/shard_inside.h"

#include <stdlib.h>

#define ENDS_A_CYCLE    256u
#define RETRY_FIRST_MS  30000u
#define RETRY_MOST_MS   3600000u
#define NO_ROOM_MS      100u  /* when the engine had no room */
#define KEEPS_LEAST_MS  1000u /* an ended request can be looked at by whoever waited for it */
#define PAGE_MAX        1000u
#define EVENT_TEXTS_MAX (DN_QUEUE_QUERY_MAX + DN_QUEUE_PACKAGE_MAX + DUNLIN_PATH_TEXT_MAX)

static uint64_t drop_at(const dn_shard *shard)
{
    uint64_t keeps_ms = (uint64_t)shard->config.fleet.queue_keeps_s * 1000;
    return shard->now_ms + (keeps_ms > KEEPS_LEAST_MS ? keeps_ms : KEEPS_LEAST_MS);
}

/* Only what is not repeated by chance may be repeated on purpose (RFC 7252 section 5.1, RFC 8132 section 2). */
static bool is_idempotent(uint8_t method)
{
    return method == DN_COAP_GET || method == DN_COAP_PUT || method == DN_COAP_DELETE ||
           method == DN_COAP_FETCH || method == DN_COAP_IPATCH;
}

/* Raises the event about it: all but the two payloads. */
static void tell(dn_shard *shard, uint32_t number)
{
    const dn_queue *queue = &shard->queue;
    dn_queued_view view;
    dn_queue_view(queue, number, &view);
    uint32_t slot = dn_queue_line(queue, dn_queue_at(queue, number)->line)->slot;
    dn_event_record record = {
        .type = DN_EVENT_REQUEST, .at_ms = shard->wall_ms, .endpoint = view.ask.endpoint};
    if (slot != DN_SLOT_NONE) {
        record.id = dn_registrations_at(&shard->registrations, slot)->id;
    }
    uint8_t body[sizeof view + EVENT_TEXTS_MAX];
    record.body = dn_view_pack_request(&view, body, sizeof body);
    dn_events_put(shard->config.events, &record);
}

/* Waits for its end. */

static void finish_awaits(dn_shard *shard, dn_queued *request)
{
    while (request->awaiting != NULL) {
        dn_command *command = request->awaiting;
        request->awaiting = command->next;
        dn_deadline_cancel(&shard->awaits, &command->wake);
        dn_shard_finish(shard, command);
    }
}

static void stop_await(dn_shard *shard, dn_command *command)
{
    uint32_t number = dn_queue_find(&shard->queue, command->number);
    if (number != DN_QUEUE_NONE) {
        dn_command **link = &dn_queue_at(&shard->queue, number)->awaiting;
        while (*link != NULL && *link != command) {
            link = &(*link)->next;
        }
        if (*link != NULL) {
            *link = command->next;
        }
    }
    dn_shard_finish(shard, command);
}

static void submit_await(dn_shard *shard, dn_command *command)
{
    uint32_t number = dn_queue_find(&shard->queue, command->number);
    dn_queued *request = number != DN_QUEUE_NONE ? dn_queue_at(&shard->queue, number) : NULL;
    if (request == NULL || dn_queued_has_ended(request) || command->ask.timeout_ms == 0) {
        dn_shard_finish(shard, command);
        return;
    }
    command->next = request->awaiting;
    request->awaiting = command;
    dn_deadline_set(&shard->awaits, &command->wake, shard->now_ms + command->ask.timeout_ms);
}

void dn_delivery_cancel(dn_shard *shard)
{
    const dn_queue *queue = &shard->queue;
    for (size_t at = 0; at < queue->ids.count; at++) {
        if (queue->ids.places[at].number != DN_IDS_NONE) {
            finish_awaits(shard, dn_queue_at(queue, queue->ids.places[at].number));
        }
    }
}

/* Changes of state. */

static void count_end(dn_shard_counters *counters, dn_queued_state state)
{
    counters->queued_answered += state == DN_QUEUED_ANSWERED;
    counters->queued_failed += state == DN_QUEUED_FAILED || state == DN_QUEUED_UNKNOWN;
    counters->queued_expired += state == DN_QUEUED_EXPIRED;
}

static void end(dn_shard *shard, uint32_t number, dn_queued_state state, const dn_device_response *outcome)
{
    dn_queued *request = dn_queue_at(&shard->queue, number);
    dn_queue_end(&shard->queue, number, state, outcome, shard->wall_ms, drop_at(shard));
    count_end(&shard->counters, state);
    tell(shard, number);
    finish_awaits(shard, request);
    dn_queue_make_ready(&shard->queue, request->line);
}

static void end_with(dn_shard *shard, uint32_t number, dn_queued_state state, dunlin_status status)
{
    const dn_device_response outcome = {.status = status, .content_format = DN_COAP_NO_FORMAT};
    end(shard, number, state, &outcome);
}

/* It was not delivered and waits again, unless its time is over. */
static void wait_again(dn_shard *shard, uint32_t number)
{
    const dn_queued *request = dn_queue_at(&shard->queue, number);
    if (!dn_deadline_is_set(&request->expiry)) {
        end_with(shard, number, DN_QUEUED_EXPIRED, DUNLIN_ERR_TIMEOUT);
        return;
    }
    dn_queue_set_state(&shard->queue, number, DN_QUEUED_WAITING);
    tell(shard, number);
    dn_queue_make_ready(&shard->queue, request->line);
}

/* The end of a delivery that left open whether the device has done it. */
static void give_up_delivery(dn_shard *shard, uint32_t number, dunlin_status status)
{
    if (is_idempotent(dn_queue_at(&shard->queue, number)->method)) {
        wait_again(shard, number);
    } else {
        end_with(shard, number, DN_QUEUED_UNKNOWN, status);
    }
}

static void arm_retry(dn_shard *shard, uint32_t slot, const dn_queued *request)
{
    dn_line *line = dn_queue_line(&shard->queue, request->line);
    uint64_t pause_ms = RETRY_FIRST_MS;
    if (dn_registrations_at(&shard->registrations, slot)->flags & DN_REGISTRATION_QUEUE_MODE) {
        return; /* it sleeps, most likely: its next message tells */
    }
    for (uint32_t attempt = 1; attempt < request->attempts && pause_ms < RETRY_MOST_MS; attempt++) {
        pause_ms *= 2;
    }
    pause_ms = pause_ms < RETRY_MOST_MS ? pause_ms : RETRY_MOST_MS;
    dn_deadline_set(&shard->queue.retries, &line->retry, shard->now_ms + pause_ms);
}

void dn_delivery_answered(dn_shard *shard, dn_command *command, dunlin_status status,
                          const dn_coap_response *response)
{
    uint32_t number = dn_queue_find(&shard->queue, command->queued);
    dn_queued *request = number != DN_QUEUE_NONE ? dn_queue_at(&shard->queue, number) : NULL;
    if (request == NULL || request->delivery != command) {
        dn_command_free(command); /* it was cancelled */
        return;
    }
    bool had_arrived = command->by_stream || dn_coap_had_arrived(shard->coap);
    request->delivery = NULL;
    dn_requests_outcome(shard, command, status, response);
    if (status == DUNLIN_OK) {
        end(shard, number, DN_QUEUED_ANSWERED, &command->response);
    } else if (status == DUNLIN_ERR_TIMEOUT) {
        arm_retry(shard, command->slot, request);
        if (had_arrived) {
            give_up_delivery(shard, number, status);
        } else {
            wait_again(shard, number);
        }
    } else if (status != DUNLIN_ERR_CANCELLED) {
        end_with(shard, number, DN_QUEUED_FAILED, command->response.status);
    } else if (!shard->ending) {
        give_up_delivery(shard, number, DUNLIN_ERR_CANCELLED);
    } /* else the store keeps it as being delivered, and the next start decides */
    dn_command_free(command);
}

/* Delivering. */

static bool can_be_asked(const dn_shard *shard, const dn_line *line)
{
    if (shard->draining || line->slot == DN_SLOT_NONE || line->up == DN_QUEUE_NONE) {
        return false;
    }
    const dn_queued *request = dn_queue_at(&shard->queue, line->up);
    if (request->state != DN_QUEUED_WAITING || (request->auto_accept && shard->settle == NULL)) {
        return false;
    }
    dn_presence presence = dn_presence_of(dn_registrations_at(&shard->registrations, line->slot));
    return (presence == DN_PRESENCE_AWAKE || (presence == DN_PRESENCE_UNREACHABLE && line->retries)) &&
           dn_authority_reaches(shard, line->slot);
}

/* It is silent since somebody else's request: none of the queue's own, which would have set the pause, has failed. */
static void try_later(dn_shard *shard, const dn_line *line)
{
    if (line->slot == DN_SLOT_NONE || line->up == DN_QUEUE_NONE || dn_deadline_is_set(&line->retry)) {
        return;
    }
    const dn_queued *request = dn_queue_at(&shard->queue, line->up);
    dn_presence presence = dn_presence_of(dn_registrations_at(&shard->registrations, line->slot));
    if (request->state == DN_QUEUED_WAITING && presence == DN_PRESENCE_UNREACHABLE) {
        arm_retry(shard, line->slot, request);
    }
}

static dunlin_status send(dn_shard *shard, uint32_t number, uint32_t slot)
{
    dn_queued *request = dn_queue_at(&shard->queue, number);
    dn_device_request ask;
    dn_queue_ask(&shard->queue, request, &ask);
    dunlin_slice body = ask.payload;
    ask.payload = dunlin_slice_make(NULL, 0); /* no copy: the request outlives its delivery */
    dn_command *command = dn_command_create(DN_COMMAND_DELIVER, &ask);
    if (command == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    command->ask.payload = body;
    command->queued = request->id;
    dunlin_status status = dn_requests_send(shard, command, slot, DN_COAP_NO_OBSERVE, 0);
    if (status != DUNLIN_OK) {
        dn_command_free(command);
        return status;
    }
    request->delivery = command;
    return DUNLIN_OK;
}

/* What is under way may have met a device that slept; now it listens. */
static void nudge(dn_shard *shard, dn_line *line)
{
    const dn_queued *request = line->up != DN_QUEUE_NONE ? dn_queue_at(&shard->queue, line->up) : NULL;
    if (line->heard && request != NULL && request->delivery != NULL) {
        (void)dn_coap_nudge(shard->coap, request->delivery->exchange, shard->now_ms);
    }
    line->heard = false;
}

/* False: there is no room now. */
static bool deliver(dn_shard *shard, uint32_t line_number)
{
    dn_line *line = dn_queue_line(&shard->queue, line_number);
    nudge(shard, line);
    if (!can_be_asked(shard, line)) {
        try_later(shard, line);
        return true;
    }
    uint32_t number = line->up;
    dunlin_status status = send(shard, number, line->slot);
    if (status == DUNLIN_ERR_LIMIT || status == DUNLIN_ERR_MEMORY) {
        return false;
    }
    line->retries = false;
    dn_deadline_cancel(&shard->queue.retries, &line->retry);
    if (status == DUNLIN_OK) {
        dn_queue_set_state(&shard->queue, number, DN_QUEUED_DELIVERING);
        tell(shard, number);
    } else {
        end_with(shard, number, DN_QUEUED_FAILED, status);
    }
    return true;
}

static bool has_room(const dn_shard *shard)
{
    return shard->requests.delivering < DN_REQUESTS_DELIVERIES_MAX;
}

static void deliver_ready(dn_shard *shard)
{
    while (has_room(shard) && shard->now_ms >= shard->deliver_not_before_ms) {
        uint32_t line = dn_queue_next_ready(&shard->queue);
        if (line == DN_QUEUE_NONE) {
            return;
        }
        if (!deliver(shard, line)) {
            dn_queue_make_ready(&shard->queue, line);
            shard->deliver_not_before_ms = shard->now_ms + NO_ROOM_MS;
        }
    }
}

static void expire(dn_shard *shard)
{
    dn_deadline *due;
    for (uint32_t budget = ENDS_A_CYCLE;
         budget > 0 && (due = dn_wheel_expire(&shard->queue.expiries, shard->now_ms)) != NULL; budget--) {
        const dn_queued *request = DN_CONTAINER(due, dn_queued, expiry);
        if (request->state == DN_QUEUED_WAITING) { /* else the delivery's outcome decides */
            end_with(shard, dn_queue_find(&shard->queue, request->id), DN_QUEUED_EXPIRED, DUNLIN_ERR_TIMEOUT);
        }
    }
}

static void retry(dn_shard *shard)
{
    dn_deadline *due;
    for (uint32_t budget = ENDS_A_CYCLE;
         budget > 0 && (due = dn_wheel_expire(&shard->queue.retries, shard->now_ms)) != NULL; budget--) {
        dn_line *line = DN_CONTAINER(due, dn_line, retry);
        line->retries = true;
        dn_queue_make_ready(&shard->queue, dn_queue_at(&shard->queue, line->first)->line);
    }
}

/* Nothing can be due: who waits, waits for a request. */
static bool is_idle(const dn_queue *queue)
{
    return queue->slab.live == 0 && queue->first_ready == DN_QUEUE_NONE;
}

void dn_delivery_work(dn_shard *shard)
{
    dn_deadline *due;
    if (is_idle(&shard->queue)) {
        return;
    }
    expire(shard);
    dn_queue_drop_old(&shard->queue, shard->now_ms, ENDS_A_CYCLE);
    retry(shard);
    while ((due = dn_wheel_expire(&shard->awaits, shard->now_ms)) != NULL) {
        stop_await(shard, DN_CONTAINER(due, dn_command, wake));
    }
    deliver_ready(shard);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t dn_delivery_deadline(const dn_shard *shard)
{
    if (is_idle(&shard->queue)) {
        return DN_NEVER;
    }
    uint64_t deadline = earlier(dn_wheel_next(&shard->queue.expiries), dn_wheel_next(&shard->queue.retries));
    deadline = earlier(deadline, dn_wheel_next(&shard->awaits));
    deadline = earlier(deadline, dn_queue_drop_deadline(&shard->queue));
    /* While deliveries fill their places, their results bring the next cycle. */
    if (shard->queue.first_ready != DN_QUEUE_NONE && has_room(shard)) {
        deadline = earlier(deadline, shard->deliver_not_before_ms);
    }
    return deadline;
}

/* Registrations. */

static uint32_t line_of(const dn_shard *shard, uint32_t slot)
{
    const dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    if (!(registration->flags & DN_REGISTRATION_LINE)) {
        return DN_QUEUE_NONE;
    }
    return dn_queue_find_line(&shard->queue, dn_registration_endpoint(&shard->registrations, registration));
}

void dn_delivery_registered(dn_shard *shard, uint32_t slot)
{
    dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
    uint32_t number = DN_QUEUE_NONE;
    if (shard->queue.lines.live > 0) {
        number =
            dn_queue_find_line(&shard->queue, dn_registration_endpoint(&shard->registrations, registration));
    }
    registration->flags &= (uint8_t)~DN_REGISTRATION_LINE;
    if (number == DN_QUEUE_NONE) {
        return;
    }
    registration->flags |= DN_REGISTRATION_LINE;
    dn_queue_line(&shard->queue, number)->slot = slot;
    dn_queue_make_ready(&shard->queue, number);
}

/* What is under way goes to where the device no longer is: waiting for its end would waste the time it is awake. */
void dn_delivery_moved(dn_shard *shard, uint32_t slot)
{
    uint32_t line = line_of(shard, slot);
    uint32_t number = line != DN_QUEUE_NONE ? dn_queue_line(&shard->queue, line)->up : DN_QUEUE_NONE;
    dn_queued *request = number != DN_QUEUE_NONE ? dn_queue_at(&shard->queue, number) : NULL;
    if (request == NULL || request->delivery == NULL) {
        return;
    }
    dn_command *delivery = request->delivery;
    bool by_stream = delivery->by_stream;
    request->delivery = NULL; /* its outcome is nobody's */
    dn_requests_cancel(shard, delivery);
    if (by_stream || dn_coap_had_arrived(shard->coap)) {
        give_up_delivery(shard, number, DUNLIN_ERR_CANCELLED);
    } else {
        wait_again(shard, number);
    }
}

void dn_delivery_heard(dn_shard *shard, uint32_t slot)
{
    uint32_t number = line_of(shard, slot);
    if (number != DN_QUEUE_NONE) {
        dn_queue_line(&shard->queue, number)->heard = true;
        dn_queue_make_ready(&shard->queue, number);
    }
}

void dn_delivery_unregistered(dn_shard *shard, uint32_t slot)
{
    uint32_t number = line_of(shard, slot);
    if (number != DN_QUEUE_NONE) {
        dn_queue_line(&shard->queue, number)->slot = DN_SLOT_NONE;
    }
}

uint32_t dn_delivery_waiting(const dn_shard *shard, uint32_t slot)
{
    uint32_t number = line_of(shard, slot);
    return number != DN_QUEUE_NONE ? dn_queue_line(&shard->queue, number)->waiting : 0;
}

/* Callers. */

static void submit_enqueue(dn_shard *shard, dn_command *command)
{
    uint32_t slot = dn_registrations_find(&shard->registrations, command->ask.endpoint);
    if (slot == DN_SLOT_NONE) {
        dn_shard_finish_with(shard, command, DUNLIN_ERR_NOT_FOUND);
        return;
    }
    uint64_t expires_s = command->expires_s != 0 ? command->expires_s : shard->config.fleet.queue_expires_s;
    uint32_t number;
    dunlin_status status =
        dn_queue_add(&shard->queue, &command->ask, slot, shard->wall_ms,
                     shard->wall_ms + (int64_t)expires_s * 1000, shard->now_ms + expires_s * 1000, &number);
    if (status == DUNLIN_OK) {
        dn_registration *registration = dn_registrations_at(&shard->registrations, slot);
        registration->flags |= DN_REGISTRATION_LINE;
        command->number = dn_queue_at(&shard->queue, number)->id;
        tell(shard, number);
        dn_queue_make_ready(&shard->queue, dn_queue_at(&shard->queue, number)->line);
    }
    dn_shard_finish_with(shard, command, status);
}

static void submit_dequeue(dn_shard *shard, dn_command *command)
{
    uint32_t number = dn_queue_find(&shard->queue, command->number);
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    if (number != DN_QUEUE_NONE) {
        dn_queued *request = dn_queue_at(&shard->queue, number);
        dn_command *delivery = request->delivery;
        status = dn_queued_has_ended(request) ? DUNLIN_ERR_STATE : DUNLIN_OK;
        request->delivery = NULL; /* its outcome is nobody's */
        if (status == DUNLIN_OK) {
            end_with(shard, number, DN_QUEUED_CANCELLED, DUNLIN_ERR_CANCELLED);
        }
        if (delivery != NULL) {
            dn_requests_cancel(shard, delivery);
        }
    }
    dn_shard_finish_with(shard, command, status);
}

/* Lines whose first request waited for it have to be looked at. */
static void submit_settle(dn_shard *shard, dn_command *command)
{
    const dn_queue *queue = &shard->queue;
    shard->settle = command->done.settle;
    shard->settle_context = command->context;
    for (uint32_t line = 0; line < queue->lines.used; line++) {
        if (dn_queue_line(queue, line)->waiting > 0) {
            dn_queue_make_ready(&shard->queue, line);
        }
    }
    dn_command_free(command);
}

void dn_delivery_submit(dn_shard *shard, dn_command *command)
{
    switch (command->kind) {
    case DN_COMMAND_ENQUEUE:
        submit_enqueue(shard, command);
        break;
    case DN_COMMAND_AWAIT:
        submit_await(shard, command);
        break;
    case DN_COMMAND_DEQUEUE:
        submit_dequeue(shard, command);
        break;
    default:
        submit_settle(shard, command);
        break;
    }
}

static void complete_page(dn_shard *shard, const dn_command *command, bool alive)
{
    const dn_queue *queue = &shard->queue;
    bool of_all = command->ask.endpoint.len == 0;
    uint32_t line = of_all ? DN_QUEUE_NONE : dn_queue_find_line(queue, command->ask.endpoint);
    dn_queued_page page = {.count = 0};
    /* One more than asked for tells whether there is a next page. */
    dn_queued_view *views =
        alive && (of_all || line != DN_QUEUE_NONE) ? calloc((size_t)command->limit + 1, sizeof *views) : NULL;
    if (views != NULL) {
        size_t count = dn_queue_page(queue, line, command->after, (size_t)command->limit + 1, views);
        page.requests = views;
        page.count = count > command->limit ? command->limit : count;
        page.next = count > command->limit ? views[command->limit - 1].id : 0;
    }
    command->done.queue(command->context, &page);
    free(views);
}

void dn_delivery_complete(dn_shard *shard, dn_command *command, bool alive)
{
    if (command->kind == DN_COMMAND_QUEUE) {
        complete_page(shard, command, alive);
        return;
    }
    uint32_t number = alive ? dn_queue_find(&shard->queue, command->number) : DN_QUEUE_NONE;
    dn_queued_view view;
    if (number != DN_QUEUE_NONE) {
        dn_queue_view(&shard->queue, number, &view);
    }
    const dn_queued_view *shown = number != DN_QUEUE_NONE ? &view : NULL;
    dunlin_status status = command->response.status;
    if (command->kind == DN_COMMAND_AWAIT && shown != NULL) {
        status = DUNLIN_OK; /* as it stands, whatever has ended the wait */
    } else if (status == DUNLIN_OK && shown == NULL) {
        status = DUNLIN_ERR_NOT_FOUND; /* or it ended and gave way to another one, all in this cycle */
    }
    command->done.queued(command->context, status, shown);
}

/* Loading. */

static uint32_t slot_of(void *context, dunlin_slice endpoint)
{
    const dn_shard *shard = context;
    return dn_registrations_find(&shard->registrations, endpoint);
}

dunlin_status dn_delivery_loaded(dn_shard *shard)
{
    dn_queue *queue = &shard->queue;
    dunlin_status status =
        dn_queue_loaded(queue, slot_of, shard, shard->now_ms, shard->wall_ms, drop_at(shard) - shard->now_ms);
    if (status != DUNLIN_OK) {
        return status;
    }
    for (size_t at = 0; at < queue->ids.count; at++) {
        uint32_t number = queue->ids.places[at].number;
        const dn_queued *request = dn_queue_at(queue, number);
        const dn_line *line = dn_queue_line(queue, request->line);
        if (line->slot != DN_SLOT_NONE) {
            dn_registrations_at(&shard->registrations, line->slot)->flags |= DN_REGISTRATION_LINE;
        }
        if (request->state == DN_QUEUED_DELIVERING) {
            give_up_delivery(shard, number, DUNLIN_ERR_CANCELLED);
        } else if (request->state == DN_QUEUED_WAITING) {
            dn_queue_make_ready(queue, request->line);
        }
    }
    return DUNLIN_OK;
}
