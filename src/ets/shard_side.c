/* SPDX-License-Identifier: Apache-2.0 */
/* The shard's cycle, and the operator's wishes as its commands. */
#include "ets/shard_side.h"

#include "store/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEDUP_SLOTS   256u
#define TRANSFERS     8u
#define REQUESTS_MAX  64u
#define EVENT_BYTES   (1u << 20)
#define BODY_MAX      65536u
#define PAYLOAD_MAX   65536u
#define DATAGRAM_MAX  2048u
#define SPOOF_MID     0x4554u /* "ET" */
#define PATH_TEXT_MAX 512u

#define CONNECTIONS_MAX 16u

typedef struct waiting {
    struct waiting *next;
    dn_peer peer;
    size_t len;
    uint8_t bytes[];
} waiting;

struct dn_ets_shard_side {
    dn_ets_shard_config config;
    dn_shard *shard;
    dn_events *events;
    waiting *first, **last; /* until the commit */
    bool failed;
    dn_ets_operator operator;
    uint64_t numbers;
    struct pending *awaiting; /* a queued request whose end is still to be awaited */
    char *packages;           /* a directory */
    uint64_t offered;
    dn_ets_values sent;  /* by the device, with Send */
    dn_coap_token spoof; /* whose answer goes nowhere; len 0: none */
};

/* ---- the cycle ---- */

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    dn_ets_shard_side *side = context;
    dn_coap_message message;
    const bool framed = dn_transport_is_stream(dn_peer_transport(peer));
    if (side->spoof.len > 0 &&
        (framed ? dn_coap_message_read_framed(&message, datagram)
                : dn_coap_message_read(&message, datagram)) == DUNLIN_OK &&
        message.token.len == side->spoof.len &&
        memcmp(&message.token, &side->spoof, sizeof side->spoof) == 0) {
        return;
    }
    waiting *one = malloc(sizeof *one + datagram.len);
    if (one == NULL) {
        return; /* lost, as on a network */
    }
    *one = (waiting){.peer = *peer, .len = datagram.len};
    if (datagram.len > 0) {
        memcpy(one->bytes, datagram.data, datagram.len);
    }
    *side->last = one;
    side->last = &one->next;
}

static void let_go(dn_ets_shard_side *side, bool send)
{
    waiting *one = side->first;
    side->first = NULL;
    side->last = &side->first;
    while (one != NULL) {
        waiting *next = one->next;
        if (send) {
            side->config.send(side->config.context, &one->peer, dunlin_slice_make(one->bytes, one->len));
        }
        free(one);
        one = next;
    }
}

static void await_queued(dn_ets_shard_side *side);

static void take_events(dn_ets_shard_side *side)
{
    dn_event_record record;
    while (dn_events_next(side->events, &record)) {
        if (record.type == DN_EVENT_SEND) {
            (void)dn_ets_values_decode(&side->sent, record.content_format, dunlin_path_root(), record.body);
        }
    }
}

static void settle(dn_ets_shard_side *side)
{
    dn_shard_work(side->shard);
    if (dn_shard_commit(side->shard) != DUNLIN_OK) {
        side->failed = true;
        let_go(side, false);
        return;
    }
    let_go(side, true);
    dn_shard_publish(side->shard);
    take_events(side);
    if (side->awaiting != NULL) {
        await_queued(side);
    }
}

void dn_ets_shard_side_receive(dn_ets_shard_side *side, const dn_peer *peer, dunlin_slice datagram)
{
    if (!side->failed) {
        dn_shard_begin(side->shard);
        dn_shard_receive(side->shard, peer, datagram);
        settle(side);
    }
}

void dn_ets_shard_side_opened(dn_ets_shard_side *side, const dn_peer *peer)
{
    if (!side->failed) {
        dn_shard_begin(side->shard);
        dn_shard_opened(side->shard, peer);
        settle(side);
    }
}

void dn_ets_shard_side_closed(dn_ets_shard_side *side, const dn_peer *peer)
{
    if (!side->failed) {
        dn_shard_begin(side->shard);
        dn_shard_closed(side->shard, peer);
        settle(side);
    }
}

void dn_ets_shard_side_expire(dn_ets_shard_side *side)
{
    if (!side->failed) {
        dn_shard_begin(side->shard);
        settle(side);
    }
}

uint64_t dn_ets_shard_side_deadline(const dn_ets_shard_side *side)
{
    return side->failed ? DN_NEVER : dn_shard_deadline(side->shard);
}

bool dn_ets_shard_side_failed(const dn_ets_shard_side *side)
{
    return side->failed;
}

/* ---- the operator ---- */

static void finish(dn_ets_answer *answer, dunlin_status status)
{
    answer->status = status;
    atomic_store(&answer->done, true);
}

/* What an answer is about, from the asking until it comes. */
typedef struct pending {
    dn_ets_shard_side *side;
    dn_ets_answer *answer;
    dunlin_path base;
    bool links;
    uint32_t timeout_ms;
    uint64_t queued; /* the id of a request of the durable queue */
} pending;

static void take_payload(dn_ets_answer *answer, const pending *p, const dn_device_response *response)
{
    if (p->links && response->code == DN_COAP_CONTENT) {
        answer->links = calloc(1, response->payload.len + 1);
        if (answer->links != NULL && response->payload.len > 0) {
            memcpy(answer->links, response->payload.data, response->payload.len);
        }
    } else if (response->code == DN_COAP_CONTENT) {
        const dunlin_status status =
            response->payload.len == 0 && response->content_format == DN_COAP_NO_FORMAT
                ? DUNLIN_OK
                : dn_ets_values_decode(&answer->values, response->content_format, p->base, response->payload);
        answer->decoded = status == DUNLIN_OK;
        if (status != DUNLIN_OK) {
            (void)snprintf(answer->trouble, sizeof answer->trouble, "%s", dunlin_status_text(status));
        }
    }
}

static void on_device(void *context, const dn_device_response *response)
{
    pending *p = context;
    dn_ets_answer *answer = p->answer;
    answer->code = response->code;
    answer->content_format = response->content_format;
    if (response->status == DUNLIN_OK) {
        take_payload(answer, p, response);
        (void)snprintf(answer->location, sizeof answer->location, "%.*s", (int)response->location.len,
                       response->location.len > 0 ? (const char *)response->location.data : "");
    }
    free(p);
    finish(answer, response->status);
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    (void)existed;
    on_device(context, response);
}

/* A request of the durable queue has ended; `context` as above. */
static void on_queued(void *context, dunlin_status status, const dn_queued_view *queued)
{
    dn_device_response response = {.status = status};
    if (queued != NULL) {
        const bool answered = queued->state == DN_QUEUED_ANSWERED;
        response = (dn_device_response){.status = answered                             ? DUNLIN_OK
                                                  : queued->state == DN_QUEUED_WAITING ? DUNLIN_ERR_TIMEOUT
                                                  : queued->status != DUNLIN_OK        ? queued->status
                                                                                       : DUNLIN_ERR_CANCELLED,
                                        .code = queued->code,
                                        .content_format = queued->content_format,
                                        .payload = queued->payload,
                                        .location = queued->location};
    }
    on_device(context, &response);
}

/* It was taken: wait for its end. The command is submitted later, for this runs within the shard. */
static void on_taken(void *context, dunlin_status status, const dn_queued_view *queued)
{
    pending *p = context;
    const dn_device_response failed = {.status = status};
    if (status != DUNLIN_OK || p->side->awaiting != NULL) {
        on_device(context, &failed);
        return;
    }
    p->queued = queued->id;
    p->side->awaiting = p;
}

static void await_queued(dn_ets_shard_side *side)
{
    pending *p = side->awaiting;
    const dn_device_request ask = {.timeout_ms = p->timeout_ms};
    dn_command *command = dn_command_create(DN_COMMAND_AWAIT, &ask);
    side->awaiting = NULL;
    if (command == NULL) {
        const dn_device_response failed = {.status = DUNLIN_ERR_MEMORY};
        on_device(p, &failed);
        return;
    }
    command->number = p->queued;
    command->done.queued = on_queued;
    command->context = p;
    dn_shard_begin(side->shard);
    dn_shard_submit(side->shard, command);
    settle(side);
}

static void on_client(void *context, const dn_client_view *client)
{
    dn_ets_answer *answer = context;
    answer->registered = client != NULL;
    finish(answer, DUNLIN_OK);
}

static uint8_t method_of(dn_ets_operation operation)
{
    switch (operation) {
    case DN_ETS_WRITE:
    case DN_ETS_ATTRIBUTES:
        return DN_COAP_PUT;
    case DN_ETS_UPDATE:
    case DN_ETS_EXECUTE:
    case DN_ETS_CREATE:
        return DN_COAP_POST;
    case DN_ETS_DELETE:
        return DN_COAP_DELETE;
    case DN_ETS_READ_COMPOSITE:
    case DN_ETS_OBSERVE_COMPOSITE:
    case DN_ETS_CANCEL_COMPOSITE:
        return DN_COAP_FETCH;
    case DN_ETS_WRITE_COMPOSITE:
        return DN_COAP_IPATCH;
    default:
        return DN_COAP_GET;
    }
}

/* The payload of a request into `out`, and its format. */
static dunlin_status make_payload(const dn_ets_ask *ask, dn_device_request *request, dunlin_buf *out)
{
    dunlin_status status = DUNLIN_OK;
    dn_ets_values names = {.list = NULL};
    switch (ask->operation) {
    case DN_ETS_WRITE:
    case DN_ETS_UPDATE:
    case DN_ETS_CREATE:
    case DN_ETS_WRITE_COMPOSITE:
        request->content_format = ask->format;
        status = ask->bytes.len == 0 ? dn_ets_values_encode(ask->values, ask->format, ask->path, out)
                 : dunlin_buf_append(out, ask->bytes) ? DUNLIN_OK
                                                      : DUNLIN_ERR_SPACE;
        break;
    case DN_ETS_READ_COMPOSITE:
        for (size_t i = 0; i < ask->path_count; i++) {
            dn_ets_values_put(&names, ask->paths[i], DUNLIN_TYPE_NONE, NULL);
        }
        request->content_format = request->accept = ask->format;
        status = dn_ets_values_encode(&names, ask->format, dunlin_path_root(), out);
        dn_ets_values_clear(&names);
        break;
    case DN_ETS_EXECUTE:
        if (ask->query[0] != '\0') {
            request->content_format = DN_FORMAT_TEXT;
            (void)dunlin_buf_append(out, dunlin_slice_of(ask->query));
        }
        break;
    default:
        break;
    }
    request->payload = dunlin_buf_view(out);
    return status;
}

static dn_command_kind kind_of(dn_ets_operation operation)
{
    switch (operation) {
    case DN_ETS_OBSERVE:
    case DN_ETS_OBSERVE_COMPOSITE:
        return DN_COMMAND_OBSERVE;
    case DN_ETS_CANCEL:
    case DN_ETS_CANCEL_COMPOSITE:
    case DN_ETS_FORGET:
        return DN_COMMAND_UNOBSERVE;
    case DN_ETS_IS_REGISTERED:
        return DN_COMMAND_GET;
    default:
        return DN_COMMAND_REQUEST;
    }
}

static dn_command *make_command(dn_ets_shard_side *side, const dn_ets_ask *ask, dn_ets_answer *answer,
                                const dn_device_request *request)
{
    dn_command *command =
        dn_command_create(ask->queued ? DN_COMMAND_ENQUEUE : kind_of(ask->operation), request);
    pending *p = calloc(1, sizeof *p);
    if (command == NULL || p == NULL) {
        free(p);
        free(command);
        return NULL;
    }
    *p = (pending){.side = side,
                   .answer = answer,
                   .base = ask->path,
                   .links = ask->operation == DN_ETS_DISCOVER,
                   .timeout_ms = ask->timeout_ms};
    command->context = p;
    if (ask->path_count > 0 && command->kind != DN_COMMAND_REQUEST) {
        (void)dn_command_observe(command, ask->paths, ask->path_count);
    }
    switch (command->kind) {
    case DN_COMMAND_OBSERVE:
        command->done.observe = on_observed;
        break;
    case DN_COMMAND_ENQUEUE:
        command->done.queued = on_taken;
        break;
    case DN_COMMAND_GET:
        command->done.get = on_client;
        command->context = answer;
        free(p);
        break;
    default:
        command->silent = ask->operation == DN_ETS_FORGET;
        command->number = ++side->numbers;
        command->done.request = on_device;
        break;
    }
    return command;
}

static void ask_shard(void *context, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    dn_ets_shard_side *side = context;
    if (ask->operation == DN_ETS_SENT) {
        dn_ets_values_copy(&answer->values, &side->sent, dunlin_path_root());
        answer->decoded = true;
        finish(answer, DUNLIN_OK);
        return;
    }
    uint8_t *memory = malloc(PAYLOAD_MAX);
    dn_device_request request = {.endpoint = dunlin_slice_of(ask->endpoint),
                                 .method = method_of(ask->operation),
                                 .path = ask->path,
                                 .query = ask->operation == DN_ETS_ATTRIBUTES ? dunlin_slice_of(ask->query)
                                                                              : dunlin_slice_of(NULL),
                                 .content_format = DN_COAP_NO_FORMAT,
                                 .accept = DN_COAP_NO_FORMAT,
                                 .timeout_ms = ask->timeout_ms};
    if (ask->operation == DN_ETS_READ || ask->operation == DN_ETS_OBSERVE ||
        ask->operation == DN_ETS_OBSERVE_COMPOSITE) {
        request.accept = ask->format;
    } else if (ask->operation == DN_ETS_DISCOVER) {
        request.accept = DN_FORMAT_LINK;
    }
    dunlin_buf payload = dunlin_buf_make(memory, PAYLOAD_MAX);
    const dunlin_status status = memory == NULL ? DUNLIN_ERR_MEMORY : make_payload(ask, &request, &payload);
    dn_command *command = status == DUNLIN_OK ? make_command(side, ask, answer, &request) : NULL;
    free(memory);
    if (command == NULL) {
        finish(answer, status != DUNLIN_OK ? status : DUNLIN_ERR_MEMORY);
        return;
    }
    dn_shard_begin(side->shard);
    dn_shard_submit(side->shard, command);
    settle(side);
}

const dn_ets_operator *dn_ets_shard_side_operator(dn_ets_shard_side *side)
{
    return &side->operator;
}

/* ---- packages ---- */

static void package_path(const dn_ets_shard_side *side, uint64_t number, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/%032llx", side->packages, (unsigned long long)number);
}

static void remove_packages(dn_ets_shard_side *side)
{
    char path[PATH_TEXT_MAX];
    for (uint64_t i = 1; side->packages != NULL && i <= side->offered; i++) {
        package_path(side, i, path, sizeof path);
        (void)unlink(path);
    }
    if (side->packages != NULL) {
        (void)rmdir(side->packages);
        free(side->packages);
    }
}

bool dn_ets_shard_side_offer(dn_ets_shard_side *side, dunlin_slice package, char *path, size_t size)
{
    char file_path[PATH_TEXT_MAX];
    if (side->packages == NULL) {
        return false;
    }
    package_path(side, ++side->offered, file_path, sizeof file_path);
    FILE *file = fopen(file_path, "wb");
    const bool written = file != NULL && fwrite(package.data, 1, package.len, file) == package.len;
    (void)snprintf(path, size, "/fw/%032llx", (unsigned long long)side->offered);
    return (file == NULL || fclose(file) == 0) && written;
}

/* ---- making ---- */

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    const dn_ets_shard_side *side = context;
    return side->config.identity(side->config.context, peer);
}

static bool reaches(void *context, const dn_peer *peer)
{
    const dn_ets_shard_side *side = context;
    return side->config.reaches(side->config.context, peer);
}

static void end_peer(void *context, const dn_peer *peer)
{
    const dn_ets_shard_side *side = context;
    side->config.end_peer(side->config.context, peer);
}

static uint64_t clock_ms(void *context)
{
    dn_ets_shard_side *side = context;
    return side->config.clock_ms(side->config.context);
}

static int64_t wall_ms(void *context)
{
    dn_ets_shard_side *side = context;
    return side->config.wall_ms(side->config.context);
}

dn_ets_shard_side *dn_ets_shard_side_create(const dn_ets_shard_config *config, char *error, size_t error_size)
{
    dn_ets_shard_side *side = calloc(1, sizeof *side);
    dn_shard_config made = {.fleet = dn_fleet_config_default(),
                            .send = on_send,
                            .peer_text = config->peer_text,
                            .same_host = config->same_host};
    (void)snprintf(error, error_size, "no memory");
    if (side == NULL) {
        return NULL;
    }
    if (config->identity != NULL) {
        made.identity = identity_of;
        made.reaches = reaches;
        made.end_peer = end_peer;
    }
    made.fleet.credentials = config->credentials;
    made.fleet.coap.connections = CONNECTIONS_MAX;
    side->config = *config;
    side->last = &side->first;
    side->operator=(dn_ets_operator){.name = "the server", .ask = ask_shard, .context = side};
    side->events = dn_events_create(EVENT_BYTES);
    dn_store *store = dn_memory_store_create();
    char directory[] = "/tmp/dunlin-ets-XXXXXX";
    side->packages = mkdtemp(directory) != NULL ? strdup(directory) : NULL;
    made.fleet.nosec = DN_NOSEC_ON; /* the policy is not what is tested here */
    made.fleet.packages = side->packages;
    made.fleet.store = store;
    made.fleet.coap.dedup_slots = DEDUP_SLOTS;
    made.fleet.coap.transfers = TRANSFERS;
    made.fleet.coap.max_body = BODY_MAX;
    made.fleet.max_requests = REQUESTS_MAX;
    made.fleet.random = config->random;
    made.fleet.clock_ms = clock_ms;
    made.fleet.wall_ms = wall_ms;
    made.fleet.clock_context = side;
    made.context = side;
    made.events = side->events;
    if (side->events == NULL || store == NULL ||
        dn_shard_create(&made, &side->shard, error, error_size) != DUNLIN_OK) {
        dn_events_destroy(side->events);
        remove_packages(side);
        free(side);
        return NULL;
    }
    return side;
}

void dn_ets_shard_side_destroy(dn_ets_shard_side *side)
{
    if (side == NULL) {
        return;
    }
    dn_shard_begin(side->shard);
    dn_shard_cancel(side->shard);
    (void)dn_shard_commit(side->shard);
    dn_shard_publish(side->shard);
    dn_shard_destroy(side->shard);
    dn_events_destroy(side->events);
    let_go(side, false);
    dn_ets_values_clear(&side->sent);
    remove_packages(side);
    free(side);
}

void dn_ets_shard_side_leave(dn_ets_shard_side *side, const dn_ets_registration *registration)
{
    uint8_t bytes[DATAGRAM_MAX];
    dn_coap_writer writer;
    side->spoof = (dn_coap_token){.len = 8, .bytes = {'e', 't', 's', 's', 'p', 'o', 'o', 'f'}};
    dn_coap_write_header(&writer, bytes, sizeof bytes, DN_COAP_CON, DN_COAP_DELETE,
                         (uint16_t)(SPOOF_MID + side->numbers++), &side->spoof);
    for (const char *at = registration->location; *at == '/';) {
        const size_t len = strcspn(at + 1, "/");
        dn_coap_write_option(&writer, DN_OPTION_URI_PATH, dunlin_slice_make(at + 1, len));
        at += len + 1;
    }
    const bool framed = dn_transport_is_stream(dn_peer_transport(&registration->device));
    const dunlin_slice message =
        framed ? dn_coap_message_frame(bytes, writer.len) : dunlin_slice_make(bytes, writer.len);
    dn_ets_shard_side_receive(side, &registration->device, message);
    side->spoof.len = 0;
}

void dn_ets_shard_side_begin(dn_ets_shard_side *side)
{
    dn_ets_values_clear(&side->sent);
}
