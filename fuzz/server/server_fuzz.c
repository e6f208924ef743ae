/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes a shard with a memory store. The input is a script of steps, each one byte of kind, one of detail, two of length, and that many
 * bytes:
 *   0  a datagram as it is                       7  a De-register of the last location
 *   1  a Register: queries, NUL, object list     8  a Send
 *   2  an Update of the last location: queries   9  the operator observes, ends or forgets a list of paths
 *   3  an answer to what the server last asked  10  a device fetches a package
 *   4  the operator asks: read, observe, end    11  the operator pushes a package
 *   5  time passes                              12  the operator queues a request, or ends one
 *   6  the server ends and starts again         13  a device's session or stream comes or goes, its name is proved
 * The shard must hold its rules through all of it, and at the end a server that starts from what was committed must show the same as this one.
 */
#include "server/composite.h"
#include "server/registrations.h"
#include "server/shard.h"
#include "store/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS_MAX          200
#define DATAGRAM_MAX       1400
#define STREAM_MESSAGE_MAX 8192
#define PEERS              4
#define LISTING_MAX        (1u << 16)
#define PACKAGE            "00112233445566778899aabbccddeeff"
#define PACKAGE_SIZE       3000

typedef struct {
    dn_shard *shard;
    dn_store *store;
    dn_events *events;
    dn_seeded seeded;
    uint64_t now_ms;
    char location[DN_REGISTRATION_ID_TEXT + 1];
    /* The head of the server's last request: to be answered. */
    dn_peer asked_peer;
    size_t asked_len;
    uint8_t asked[16];
    uint16_t mid;
    uint64_t queued; /* the last request of the durable queue */
    /* How each device is heard: over plain UDP, or over a session or stream, which may be gone. */
    struct {
        dn_transport transport;
        bool is_open, has_proved;
        dn_identity identity;
    } way[PEERS];
} world;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static uint64_t clock_ms(void *context)
{
    return ((world *)context)->now_ms;
}

static int64_t wall_ms(void *context)
{
    return INT64_C(1790000000000) + (int64_t)((world *)context)->now_ms;
}

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    (void)snprintf(out, size, "peer%u", peer->bytes[0]); /* with its transport */
}

static bool same_host(const dn_peer *a, const dn_peer *b)
{
    return (a->bytes[0] & 15u) / 2 == (b->bytes[0] & 15u) / 2;
}

static dn_peer peer_of(const world *w, uint8_t number)
{
    dn_peer peer = {.len = 1, .bytes = {number % PEERS}};
    dn_peer_set_transport(&peer, w->way[number % PEERS].transport);
    return peer;
}

static bool reaches(void *context, const dn_peer *peer)
{
    const world *w = context;
    const dn_peer now = peer_of(w, peer->bytes[0] & 15u);
    return dn_peer_transport(peer) == DN_TRANSPORT_UDP ||
           (dn_peer_equal(&now, peer) && w->way[peer->bytes[0] & 15u].is_open);
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    const world *w = context;
    size_t number = peer->bytes[0] & 15u;
    return reaches(context, peer) && w->way[number].has_proved ? &w->way[number].identity : NULL;
}

static void end_peer(void *context, const dn_peer *peer)
{
    world *w = context;
    if (reaches(w, peer)) {
        w->way[peer->bytes[0] & 15u].is_open = false;
    }
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    world *w = context;
    if (dn_transport_is_stream(dn_peer_transport(peer))) {
        must(datagram.len >= 2 && datagram.len <= STREAM_MESSAGE_MAX,
             "a message on a stream has a sane size");
        return;
    }
    must(datagram.len >= 4 && datagram.len <= DATAGRAM_MAX, "a datagram has a sane size");
    uint8_t code = datagram.data[1];
    size_t token_len = datagram.data[0] & 15u;
    if (code == DN_COAP_CREATED && datagram.len > DN_REGISTRATION_ID_TEXT) {
        memcpy(w->location, datagram.data + datagram.len - DN_REGISTRATION_ID_TEXT, DN_REGISTRATION_ID_TEXT);
    } else if (code > 0 && code < DN_COAP_CODE(1, 0) && token_len <= 8) {
        must(reaches(w, peer), "who has no session is not asked");
        w->asked_peer = *peer;
        w->asked_len = 4 + token_len;
        memcpy(w->asked, datagram.data, w->asked_len);
    }
}

/* A directory with one package in it, for as long as the program runs. */
static char packages[] = "/tmp/dunlin-fuzz-XXXXXX";

static void remove_packages(void)
{
    char path[sizeof packages + sizeof PACKAGE];
    (void)snprintf(path, sizeof path, "%s/%s", packages, PACKAGE);
    (void)unlink(path);
    (void)rmdir(packages);
}

static void make_packages(void)
{
    static const uint8_t bytes[PACKAGE_SIZE];
    char path[sizeof packages + sizeof PACKAGE];
    static bool made;
    if (made) {
        return;
    }
    made = true;
    must(mkdtemp(packages) != NULL, "there is a directory");
    (void)snprintf(path, sizeof path, "%s/%s", packages, PACKAGE);
    FILE *file = fopen(path, "wb");
    must(file != NULL && fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes && fclose(file) == 0,
         "there is a file");
    (void)atexit(remove_packages);
}

static void start(world *w)
{
    char error[128];
    dn_shard_config config = {.fleet = dn_fleet_config_default(),
                              .send = on_send,
                              .context = w,
                              .peer_text = peer_text,
                              .same_host = same_host,
                              .identity = identity_of,
                              .reaches = reaches,
                              .end_peer = end_peer,
                              .events = w->events};
    config.fleet.nosec = DN_NOSEC_ON;
    config.fleet.store = w->store;
    config.fleet.max_registrations = 8;
    config.fleet.max_link_lists = 4;
    config.fleet.max_link_list_bytes = 512;
    config.fleet.max_observations = 6;
    config.fleet.max_requests = 8;
    config.fleet.max_queued = 8;
    config.fleet.max_queued_per_client = 4;
    config.fleet.packages = packages;
    config.fleet.coap = dn_coap_config_default();
    config.fleet.coap.exchange_lifetime_ms = 5000;
    config.fleet.coap.connections = PEERS;
    config.fleet.coap.max_stream_message = STREAM_MESSAGE_MAX;
    config.fleet.random = dn_seeded_random(&w->seeded);
    config.fleet.clock_ms = clock_ms;
    config.fleet.wall_ms = wall_ms;
    config.fleet.clock_context = w;
    must(dn_shard_create(&config, &w->shard, error, sizeof error) == DUNLIN_OK, error);
}

static void settle(world *w)
{
    dn_event_record record;
    for (unsigned i = 0; i < 1000 && (i == 0 || dn_shard_deadline(w->shard) <= w->now_ms); i++) {
        dn_shard_work(w->shard);
        must(dn_shard_commit(w->shard) == DUNLIN_OK, "the memory store commits");
        dn_shard_publish(w->shard);
    }
    while (dn_events_next(w->events, &record)) {
        must(record.type == DN_EVENT_GAP ||
                 (record.endpoint.len > 0 && record.endpoint.len <= DN_ENDPOINT_MAX),
             "an event names its endpoint");
    }
}

/* A datagram's message as a stream has it (RFC 8323 section 3.2): without type and id, with its length. */
static size_t frame(const uint8_t *bytes, size_t len, uint8_t *out)
{
    size_t token_len = len > 0 ? bytes[0] & 15u : 0;
    if (len < 4 + token_len) {
        memcpy(out, bytes, len);
        return len;
    }
    size_t rest = len - 4 - token_len;
    size_t at = 1;
    unsigned nibble = rest < 13 ? (unsigned)rest : rest < 269 ? 13u : 14u;
    if (nibble == 13) {
        out[at++] = (uint8_t)(rest - 13);
    } else if (nibble == 14) {
        out[at++] = (uint8_t)((rest - 269) >> 8);
        out[at++] = (uint8_t)(rest - 269);
    }
    out[0] = (uint8_t)(nibble << 4 | token_len);
    out[at++] = bytes[1];
    memcpy(out + at, bytes + 4, token_len + rest);
    return at + token_len + rest;
}

static void deliver(world *w, dn_peer peer, const uint8_t *bytes, size_t len)
{
    uint8_t framed[DATAGRAM_MAX + 8];
    if (!reaches(w, &peer) || len > DATAGRAM_MAX) {
        return;
    }
    if (dn_transport_is_stream(dn_peer_transport(&peer))) {
        len = frame(bytes, len, framed);
        bytes = framed;
    }
    dn_shard_begin(w->shard);
    dn_shard_receive(w->shard, &peer, dunlin_slice_make(bytes, len));
    settle(w);
}

/* Its session or stream, if it has one, ends; unless `detail` says that this is all, another one begins: the first byte says whether a
   name is proved, the rest is the name. */
static void change_way(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    static const uint8_t csm[] = {0x40, 0xe1, 0, 0};
    size_t number = detail % PEERS;
    dn_peer peer = peer_of(w, (uint8_t)number);
    dn_shard_begin(w->shard);
    if (w->way[number].is_open && (detail & 0x40)) {
        w->way[number].is_open = false;
        dn_shard_closed(w->shard, &peer);
        settle(w);
    }
    if (detail & 0x80) {
        return;
    }
    if (w->way[number].is_open) {
        w->way[number].is_open = false;
        dn_shard_closed(w->shard, &peer);
    }
    w->way[number].transport = (dn_transport)(detail >> 2 & 3u);
    peer = peer_of(w, (uint8_t)number);
    dn_identity *identity = &w->way[number].identity;
    *identity = (dn_identity){.mode = DN_SECURITY_PSK};
    w->way[number].has_proved = size > 1 && size - 1 <= sizeof identity->endpoint && (script[0] & 1);
    if (w->way[number].has_proved) {
        identity->endpoint_len = (uint8_t)(size - 1);
        memcpy(identity->endpoint, script + 1, size - 1);
        identity->is_pattern = dn_endpoint_is_pattern(dunlin_slice_make(script + 1, size - 1));
    }
    if (w->way[number].transport != DN_TRANSPORT_UDP) {
        w->way[number].is_open = true;
        dn_shard_opened(w->shard, &peer);
        settle(w);
    }
    if (dn_transport_is_stream(w->way[number].transport)) {
        deliver(w, peer, csm, sizeof csm);
    }
}

/* Writes an option of any number and length. False: no room. */
static bool put_option(uint8_t *out, size_t *len, unsigned delta, const uint8_t *value, size_t value_len)
{
    if (delta > 268 || value_len > 268 || *len + 5 + value_len > DATAGRAM_MAX) {
        return false;
    }
    size_t head = (*len)++;
    out[head] = (uint8_t)((delta < 13 ? delta : 13) << 4 | (value_len < 13 ? value_len : 13));
    if (delta >= 13) {
        out[(*len)++] = (uint8_t)(delta - 13);
    }
    if (value_len >= 13) {
        out[(*len)++] = (uint8_t)(value_len - 13);
    }
    if (value_len > 0) {
        memcpy(out + *len, value, value_len);
    }
    *len += value_len;
    return true;
}

/* A request to /rd or /rd/location with queries cut at '&', and a payload. */
static void request(world *w, uint8_t detail, uint8_t method, bool at_location, const uint8_t *script,
                    size_t size)
{
    static const uint8_t link_format = 40;
    uint8_t datagram[DATAGRAM_MAX] = {0x41, method, (uint8_t)(w->mid >> 8), (uint8_t)w->mid, 0x77};
    size_t len = 5;
    const uint8_t *end = size > 0 ? memchr(script, 0, size) : NULL;
    size_t queries = end != NULL ? (size_t)(end - script) : size;
    size_t payload = end != NULL ? size - queries - 1 : 0;
    bool fits = put_option(datagram, &len, 11, (const uint8_t *)"rd", 2);
    w->mid++;
    if (at_location) {
        fits = fits && put_option(datagram, &len, 0, (const uint8_t *)w->location, DN_REGISTRATION_ID_TEXT);
    }
    fits = fits && put_option(datagram, &len, 1, &link_format, 1);
    unsigned delta = 3;
    for (size_t at = 0; at < queries && fits; delta = 0) {
        const uint8_t *cut = memchr(script + at, '&', queries - at);
        size_t piece = (cut != NULL ? (size_t)(cut - script) : queries) - at;
        fits = put_option(datagram, &len, delta, script + at, piece);
        at += piece + 1;
    }
    if (!fits || len + 1 + payload > DATAGRAM_MAX) {
        return;
    }
    if (payload > 0) {
        datagram[len++] = 0xff;
        memcpy(datagram + len, end + 1, payload);
        len += payload;
    }
    deliver(w, peer_of(w, detail), datagram, len);
}

/* An acknowledgement, a separate message or a Reset with the token of the server's last request; the script gives code, options, payload. */
static void answer(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    uint8_t datagram[DATAGRAM_MAX];
    if (w->asked_len == 0 || size == 0 || w->asked_len + size > sizeof datagram) {
        return;
    }
    memcpy(datagram, w->asked, w->asked_len);
    datagram[0] = (uint8_t)((datagram[0] & 0x0f) | 0x40 | (detail & 3) << 4);
    datagram[1] = script[0];
    if ((detail & 3) < 2) {
        datagram[2] = (uint8_t)(w->mid >> 8); /* its own message id */
        datagram[3] = (uint8_t)w->mid++;
    }
    memcpy(datagram + w->asked_len, script + 1, size - 1);
    deliver(w, detail & 0x80 ? peer_of(w, detail >> 2) : w->asked_peer, datagram, w->asked_len + size - 1);
}

static void on_device(void *context, const dn_device_response *response)
{
    (void)context;
    must(response->payload.len == 0 || response->payload.data != NULL, "a payload has bytes");
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    must(!existed || response->status == DUNLIN_OK || response->status == DUNLIN_ERR_CANCELLED,
         "what exists has a value");
    on_device(context, response);
}

static void operate(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    static const dn_command_kind kinds[] = {DN_COMMAND_REQUEST, DN_COMMAND_OBSERVE, DN_COMMAND_UNOBSERVE};
    dn_command_kind kind = kinds[detail % 3];
    const dn_device_request ask = {
        .endpoint = dunlin_slice_make(script, size < DN_ENDPOINT_MAX ? size : DN_ENDPOINT_MAX),
        .method = DN_COAP_GET,
        .path = dunlin_path_resource(3, 0, detail >> 4),
        .content_format = DN_COAP_NO_FORMAT,
        .accept = DN_COAP_NO_FORMAT,
        .timeout_ms = 3000};
    dn_command *command = dn_command_create(kind, &ask);
    must(command != NULL, "there is memory");
    if (kind == DN_COMMAND_OBSERVE) {
        command->done.observe = on_observed;
    } else {
        command->done.request = on_device;
    }
    dn_shard_begin(w->shard);
    dn_shard_submit(w->shard, command);
    settle(w);
}

/* A request to a path of one or two segments with a payload of SenML. */
static void request_path(world *w, uint8_t detail, uint8_t method, const char *first, dunlin_slice second,
                         dunlin_slice payload)
{
    uint8_t datagram[DATAGRAM_MAX] = {0x41, method, (uint8_t)(w->mid >> 8), (uint8_t)w->mid, 0x77};
    const uint8_t format = detail & 0x80 ? 110 : 112;
    size_t len = 5;
    w->mid++;
    bool fits = put_option(datagram, &len, DN_OPTION_URI_PATH, (const uint8_t *)first, strlen(first));
    if (second.data != NULL) {
        fits = fits && put_option(datagram, &len, 0, second.data, second.len);
    }
    if (payload.len > 0) {
        fits = fits && put_option(datagram, &len, 1, &format, 1);
    }
    if (!fits || len + 1 + payload.len > DATAGRAM_MAX) {
        return;
    }
    if (payload.len > 0) {
        datagram[len++] = 0xff;
        memcpy(datagram + len, payload.data, payload.len);
        len += payload.len;
    }
    deliver(w, peer_of(w, detail), datagram, len);
}

static void fetch(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    const uint8_t methods[] = {DN_COAP_GET, DN_COAP_GET, DN_COAP_PUT, DN_COAP_FETCH};
    dunlin_slice name = detail & 0x40 ? dunlin_slice_make(script, size) : dunlin_slice_of(PACKAGE);
    request_path(w, detail, methods[detail >> 2 & 3], "fw", name, dunlin_slice_make(NULL, 0));
}

static void submit(world *w, dn_command *command)
{
    must(command != NULL, "there is memory");
    dn_shard_begin(w->shard);
    dn_shard_submit(w->shard, command);
    settle(w);
}

/* The first byte says how many paths, four bytes each: depth, and ids of one byte; behind them the name. */
static void operate_composite(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    dunlin_path paths[8] = {{{0, 0, 0, 0}, 0}};
    size_t count = size > 0 ? script[0] % 8u + 1 : 1;
    size_t at = 1;
    for (size_t i = 0; i < count; i++, at += 4) {
        paths[i].depth = at + 4 <= size ? script[at] % 4u : 0;
        for (size_t j = 0; j < paths[i].depth; j++) {
            paths[i].id[j] = script[at + 1 + j];
        }
    }
    at = at < size ? at : size;
    bool observes = detail % 3 == 0;
    const dn_device_request ask = {.endpoint = dunlin_slice_make(script + at, size - at),
                                   .method = DN_COAP_FETCH,
                                   .accept = detail & 0x10 ? 110 : 112,
                                   .timeout_ms = 3000};
    if (!dn_composite_is_list(paths, count) || ask.endpoint.len > DN_ENDPOINT_MAX) {
        return; /* the fleet lets none through */
    }
    dn_command *command = dn_command_create(observes ? DN_COMMAND_OBSERVE : DN_COMMAND_UNOBSERVE, &ask);
    must(command != NULL && dn_command_observe(command, paths, count), "there is memory");
    command->silent = detail % 3 == 2;
    if (observes) {
        command->done.observe = on_observed;
    } else {
        command->done.request = on_device;
    }
    submit(w, command);
}

static dn_device_request change_of(uint8_t detail, const uint8_t *script, size_t size)
{
    const uint8_t methods[] = {DN_COAP_PUT, DN_COAP_POST, DN_COAP_GET, DN_COAP_DELETE};
    return (dn_device_request){.endpoint =
                                   dunlin_slice_make(script, size < DN_ENDPOINT_MAX ? size : DN_ENDPOINT_MAX),
                               .method = methods[detail >> 2 & 3],
                               .path = dunlin_path_resource(5, 0, 0),
                               .content_format = 42,
                               .accept = DN_COAP_NO_FORMAT,
                               .package = detail & 0x40 ? dunlin_slice_of(PACKAGE) : (dunlin_slice){NULL, 0},
                               .timeout_ms = 3000};
}

static void push(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    const dn_device_request ask = change_of(detail | 0x40, script, size);
    dn_command *command = dn_command_create(DN_COMMAND_REQUEST, &ask);
    must(command != NULL, "there is memory");
    command->done.request = on_device;
    submit(w, command);
}

static void on_queued(void *context, dunlin_status status, const dn_queued_view *queued)
{
    world *w = context;
    must(status != DUNLIN_OK || queued != NULL, "what was taken can be seen");
    w->queued = queued != NULL ? queued->id : w->queued;
}

static void queue(world *w, uint8_t detail, const uint8_t *script, size_t size)
{
    const dn_device_request ask = change_of(detail, script, size);
    bool adds = (detail & 3) != 0;
    dn_command *command = dn_command_create(adds ? DN_COMMAND_ENQUEUE : DN_COMMAND_DEQUEUE, &ask);
    must(command != NULL, "there is memory");
    command->number = adds ? 0 : w->queued;
    command->expires_s = adds ? detail : 0;
    command->done.queued = on_queued;
    command->context = w;
    submit(w, command);
}

static void end_shard(world *w)
{
    dn_shard_cancel(w->shard);
    dn_shard_publish(w->shard);
    dn_shard_destroy(w->shard);
}

static void restart(world *w)
{
    dn_store *left = dn_memory_store_snapshot(w->store);
    must(left != NULL, "there is memory");
    end_shard(w);
    w->store = left;
    w->asked_len = 0;
    for (size_t i = 0; i < PEERS; i++) {
        w->way[i].is_open = false; /* sessions and streams end with the process */
    }
    start(w);
}

/* Everything that a restart must keep, as text. */
typedef struct {
    char *text;
    size_t len;
    world *w;
} listing;

static void add_observations(void *context, bool registered, const dn_observation_view *list, size_t count)
{
    listing *l = context;
    for (size_t i = 0; i < count; i++) {
        l->len += (size_t)snprintf(l->text + l->len, LISTING_MAX - l->len, "  %d %u/%u/%u %u %d %u %zu\n",
                                   registered, list[i].path.id[0], list[i].path.id[1], list[i].path.id[2],
                                   list[i].format, list[i].has_last, list[i].code, list[i].payload.len);
        must(l->len < LISTING_MAX, "the listing fits");
        for (size_t j = 0; j < list[i].path_count; j++) {
            l->len += (size_t)snprintf(l->text + l->len, LISTING_MAX - l->len, "    %u/%u/%u %u\n",
                                       list[i].paths[j].id[0], list[i].paths[j].id[1], list[i].paths[j].id[2],
                                       list[i].paths[j].depth);
            must(l->len < LISTING_MAX, "the listing fits");
        }
    }
}

static void add_clients(void *context, const dn_client_page *page)
{
    listing *l = context;
    must(page->count == page->total && page->next == 0, "the page holds all");
    for (size_t i = 0; i < page->count; i++) {
        const dn_client_view *client = &page->clients[i];
        l->len += (size_t)snprintf(
            l->text + l->len, LISTING_MAX - l->len, "%.*s %s %s %u.%u %s %d %u %lld %lld %.*s %.*s\n",
            (int)client->endpoint.len, (const char *)client->endpoint.data, client->id, client->address,
            client->version_major, client->version_minor, client->binding, client->queue_mode,
            (unsigned)client->lifetime_s, (long long)client->registered_ms, (long long)client->updated_ms,
            (int)client->sms.len, (const char *)client->sms.data, (int)client->links.len,
            (const char *)client->links.data);
        must(l->len < LISTING_MAX, "the listing fits");
        const dn_device_request ask = {.endpoint = client->endpoint};
        dn_command *command = dn_command_create(DN_COMMAND_OBSERVATIONS, &ask);
        must(command != NULL, "there is memory");
        command->done.observations = add_observations;
        command->context = l;
        dn_shard_submit(l->w->shard, command);
    }
}

static void list_all(world *w, listing *l)
{
    const dn_device_request all = {.method = 0};
    dn_command *command = dn_command_create(DN_COMMAND_LIST, &all);
    must(command != NULL, "there is memory");
    *l = (listing){.text = calloc(1, LISTING_MAX), .w = w};
    must(l->text != NULL, "there is memory");
    command->limit = 1000;
    command->done.list = add_clients;
    command->context = l;
    dn_shard_begin(w->shard);
    dn_shard_submit(w->shard, command);
    settle(w);
}

static void compare_with_restarted(world *w)
{
    listing before, after;
    settle(w);
    list_all(w, &before);
    restart(w);
    list_all(w, &after);
    if (strcmp(before.text, after.text) != 0) {
        fprintf(stderr, "before:\n%safter:\n%s", before.text, after.text);
    }
    must(strcmp(before.text, after.text) == 0, "a restart shows the same");
    free(before.text);
    free(after.text);
}

static void step(world *w, uint8_t kind, uint8_t detail, const uint8_t *script, size_t size)
{
    switch (kind % 16) {
    case 0:
        deliver(w, peer_of(w, detail), script, size);
        break;
    case 1:
        request(w, detail, DN_COAP_POST, false, script, size);
        break;
    case 2:
        request(w, detail, DN_COAP_POST, true, script, size);
        break;
    case 3:
        answer(w, detail, script, size);
        break;
    case 4:
        operate(w, detail, script, size);
        break;
    case 5:
        w->now_ms += (uint64_t)detail * detail * 10;
        dn_shard_begin(w->shard);
        settle(w);
        break;
    case 6:
        restart(w);
        break;
    case 13:
        change_way(w, detail, script, size);
        break;
    case 7:
        request(w, detail, DN_COAP_DELETE, true, script, 0);
        break;
    case 8:
        request_path(w, detail, DN_COAP_POST, "dp", (dunlin_slice){NULL, 0}, dunlin_slice_make(script, size));
        break;
    case 9:
        operate_composite(w, detail, script, size);
        break;
    case 10:
        fetch(w, detail, script, size);
        break;
    case 11:
        push(w, detail, script, size);
        break;
    case 12:
        queue(w, detail, script, size);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.now_ms = 1000};
    make_packages();
    memset(w.location, '0', DN_REGISTRATION_ID_TEXT);
    dn_seeded_init(&w.seeded, 1);
    w.store = dn_memory_store_create();
    w.events = dn_events_create(8192);
    must(w.store != NULL && w.events != NULL, "there is memory");
    start(&w);
    for (unsigned steps = 0; steps < STEPS_MAX && size >= 4; steps++) {
        size_t len = (size_t)data[2] << 8 | data[3];
        len = len < size - 4 ? len : size - 4;
        len = len < DATAGRAM_MAX ? len : DATAGRAM_MAX;
        step(&w, data[0], data[1], data + 4, len);
        data += 4 + len;
        size -= 4 + len;
    }
    compare_with_restarted(&w);
    end_shard(&w);
    dn_events_destroy(w.events);
    return 0;
}
