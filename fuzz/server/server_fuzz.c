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
#include "fuzz/must.h"
#include "fuzz/server/devices.h"
#include "server/composite.h"
#include "server/registrations.h"
#include "server/shard.h"
#include "store/memory.h"

#include <string.h>
#include <unistd.h>

#define LISTING_MAX  (1u << 16)
#define PACKAGE      "00112233445566778899aabbccddeeff"
#define PACKAGE_SIZE 3000

typedef struct {
    devices devices;
    dn_shard *shard;
    dn_store *store;
    dn_events *events;
    dn_seeded seeded;
    char location[DN_REGISTRATION_ID_TEXT + 1];
    uint64_t queued; /* the last request of the durable queue */
} world;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_host(const dn_peer *a, const dn_peer *b)
{
    return (a->bytes[0] & 15u) / 2 == (b->bytes[0] & 15u) / 2;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice message)
{
    world *w = context;
    devices_hear(&w->devices, peer, message);
    if (!dn_transport_is_stream(dn_peer_transport(peer)) && message.data[1] == DN_COAP_CREATED &&
        message.len > DN_REGISTRATION_ID_TEXT) {
        memcpy(w->location, message.data + message.len - DN_REGISTRATION_ID_TEXT, DN_REGISTRATION_ID_TEXT);
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
    must_that(mkdtemp(packages) != NULL, "there is a directory");
    (void)snprintf(path, sizeof path, "%s/%s", packages, PACKAGE);
    FILE *file = fopen(path, "wb");
    must_that(file != NULL && fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes && fclose(file) == 0,
              "there is a file");
    (void)atexit(remove_packages);
}

static void start(world *w)
{
    char error[128];
    dn_shard_config config = {.fleet = dn_fleet_config_default(),
                              .send = on_send,
                              .context = w,
                              .peer_text = devices_peer_text,
                              .same_host = same_host,
                              .identity = devices_identity,
                              .reaches = devices_reach,
                              .end_peer = devices_end_peer,
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
    config.fleet.coap.connections = DEVICES;
    config.fleet.coap.max_stream_message = STREAM_MESSAGE_MAX;
    config.fleet.random = dn_seeded_random(&w->seeded);
    config.fleet.clock_ms = devices_clock_ms;
    config.fleet.wall_ms = devices_wall_ms;
    config.fleet.clock_context = w;
    must_that(dn_shard_create(&config, &w->shard, error, sizeof error) == DUNLIN_OK, error);
}

/* ---- the server as its devices know it ---- */

static void begin(void *context)
{
    const world *w = context;
    dn_shard_begin(w->shard);
}

static void receive(void *context, const dn_peer *from, dunlin_slice message)
{
    const world *w = context;
    dn_shard_receive(w->shard, from, message);
}

static void opened(void *context, const dn_peer *peer)
{
    const world *w = context;
    dn_shard_opened(w->shard, peer);
}

static void closed(void *context, const dn_peer *peer)
{
    const world *w = context;
    dn_shard_closed(w->shard, peer);
}

static void settle(void *context)
{
    const world *w = context;
    dn_event_record record;
    for (unsigned i = 0; i < 1000 && (i == 0 || dn_shard_deadline(w->shard) <= w->devices.now_ms); i++) {
        dn_shard_work(w->shard);
        must_that(dn_shard_commit(w->shard) == DUNLIN_OK, "the memory store commits");
        dn_shard_publish(w->shard);
    }
    while (dn_events_next(w->events, &record)) {
        must_that(record.type == DN_EVENT_GAP ||
                      (record.endpoint.len > 0 && record.endpoint.len <= DN_ENDPOINT_MAX),
                  "an event names its endpoint");
    }
}

static const devices_server the_server = {
    .begin = begin, .receive = receive, .opened = opened, .closed = closed, .settle = settle};

/* ---- steps ---- */

/* Its session or stream, if it has one, ends; unless `detail` says that this is all, another one begins: the first byte says whether a
   name is proved, the rest is the name. */
static void change_way(world *w, uint8_t detail, dunlin_slice script)
{
    const size_t number = detail % DEVICES;
    const bool proves = script.len > 1 && (script.data[0] & 1) != 0;
    begin(w);
    if (w->devices.way[number].is_open && (detail & 0x40)) {
        devices_close(&w->devices, number);
        settle(w);
    }
    if ((detail & 0x80) == 0) {
        devices_open(&w->devices, number, (dn_transport)(detail >> 2 & 3u),
                     proves ? dunlin_slice_make(script.data + 1, script.len - 1)
                            : dunlin_slice_make(NULL, 0));
    }
}

/* A request to /rd or /rd/location with queries cut at '&', and a payload behind a NUL. */
static void request(world *w, uint8_t detail, uint8_t method, bool at_location, dunlin_slice script)
{
    static const uint8_t link_format = 40;
    const uint8_t *end = script.len > 0 ? memchr(script.data, 0, script.len) : NULL;
    const size_t queries = end != NULL ? (size_t)(end - script.data) : script.len;
    device_request one = device_request_start(&w->devices, method);
    device_request_option(&one, DN_OPTION_URI_PATH, dunlin_slice_of("rd"));
    if (at_location) {
        device_request_option(&one, 0, dunlin_slice_make(w->location, DN_REGISTRATION_ID_TEXT));
    }
    device_request_option(&one, DN_OPTION_CONTENT_FORMAT - DN_OPTION_URI_PATH,
                          dunlin_slice_make(&link_format, 1));
    device_request_queries(&one, DN_OPTION_URI_QUERY - DN_OPTION_CONTENT_FORMAT,
                           dunlin_slice_make(script.data, queries));
    device_request_send(&one, &w->devices, detail,
                        end != NULL ? dunlin_slice_make(end + 1, script.len - queries - 1)
                                    : dunlin_slice_make(NULL, 0));
}

static void on_device(void *context, const dn_device_response *response)
{
    (void)context;
    must_that(response->payload.len == 0 || response->payload.data != NULL, "a payload has bytes");
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    must_that(!existed || response->status == DUNLIN_OK || response->status == DUNLIN_ERR_CANCELLED,
              "what exists has a value");
    on_device(context, response);
}

static dunlin_slice name_of(dunlin_slice script)
{
    return dunlin_slice_make(script.data, script.len < DN_ENDPOINT_MAX ? script.len : DN_ENDPOINT_MAX);
}

static void submit(world *w, dn_command *command)
{
    must_that(command != NULL, "there is memory");
    dn_shard_begin(w->shard);
    dn_shard_submit(w->shard, command);
    settle(w);
}

static void operate(world *w, uint8_t detail, dunlin_slice script)
{
    static const dn_command_kind kinds[] = {DN_COMMAND_REQUEST, DN_COMMAND_OBSERVE, DN_COMMAND_UNOBSERVE};
    dn_command_kind kind = kinds[detail % 3];
    const dn_device_request ask = {.endpoint = name_of(script),
                                   .method = DN_COAP_GET,
                                   .path = dunlin_path_resource(3, 0, detail >> 4),
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = DN_COAP_NO_FORMAT,
                                   .timeout_ms = 3000};
    dn_command *command = dn_command_create(kind, &ask);
    must_that(command != NULL, "there is memory");
    if (kind == DN_COMMAND_OBSERVE) {
        command->done.observe = on_observed;
    } else {
        command->done.request = on_device;
    }
    submit(w, command);
}

/* A request to a path of one or two segments with a payload of SenML. */
static void request_path(world *w, uint8_t detail, uint8_t method, const char *first, dunlin_slice second,
                         dunlin_slice payload)
{
    const uint8_t format = detail & 0x80 ? 110 : 112;
    device_request one = device_request_start(&w->devices, method);
    device_request_option(&one, DN_OPTION_URI_PATH, dunlin_slice_of(first));
    if (second.data != NULL) {
        device_request_option(&one, 0, second);
    }
    if (payload.len > 0) {
        device_request_option(&one, DN_OPTION_CONTENT_FORMAT - DN_OPTION_URI_PATH,
                              dunlin_slice_make(&format, 1));
    }
    device_request_send(&one, &w->devices, detail, payload);
}

static void fetch(world *w, uint8_t detail, dunlin_slice script)
{
    const uint8_t methods[] = {DN_COAP_GET, DN_COAP_GET, DN_COAP_PUT, DN_COAP_FETCH};
    dunlin_slice name = detail & 0x40 ? script : dunlin_slice_of(PACKAGE);
    request_path(w, detail, methods[detail >> 2 & 3], "fw", name, dunlin_slice_make(NULL, 0));
}

/* The first byte says how many paths, four bytes each: depth, and ids of one byte; behind them the name. */
static void operate_composite(world *w, uint8_t detail, dunlin_slice script)
{
    dunlin_path paths[8] = {{{0, 0, 0, 0}, 0}};
    size_t count = script.len > 0 ? script.data[0] % 8u + 1 : 1;
    size_t at = 1;
    for (size_t i = 0; i < count; i++, at += 4) {
        paths[i].depth = at + 4 <= script.len ? script.data[at] % 4u : 0;
        for (size_t j = 0; j < paths[i].depth; j++) {
            paths[i].id[j] = script.data[at + 1 + j];
        }
    }
    at = at < script.len ? at : script.len;
    bool observes = detail % 3 == 0;
    const dn_device_request ask = {.endpoint = dunlin_slice_make(script.data + at, script.len - at),
                                   .method = DN_COAP_FETCH,
                                   .accept = detail & 0x10 ? 110 : 112,
                                   .timeout_ms = 3000};
    if (!dn_composite_is_list(paths, count) || ask.endpoint.len > DN_ENDPOINT_MAX) {
        return; /* the fleet lets none through */
    }
    dn_command *command = dn_command_create(observes ? DN_COMMAND_OBSERVE : DN_COMMAND_UNOBSERVE, &ask);
    must_that(command != NULL && dn_command_observe(command, paths, count), "there is memory");
    command->silent = detail % 3 == 2;
    if (observes) {
        command->done.observe = on_observed;
    } else {
        command->done.request = on_device;
    }
    submit(w, command);
}

static dn_device_request change_of(uint8_t detail, dunlin_slice script)
{
    const uint8_t methods[] = {DN_COAP_PUT, DN_COAP_POST, DN_COAP_GET, DN_COAP_DELETE};
    return (dn_device_request){.endpoint = name_of(script),
                               .method = methods[detail >> 2 & 3],
                               .path = dunlin_path_resource(5, 0, 0),
                               .content_format = 42,
                               .accept = DN_COAP_NO_FORMAT,
                               .package = detail & 0x40 ? dunlin_slice_of(PACKAGE) : (dunlin_slice){NULL, 0},
                               .timeout_ms = 3000};
}

static void push(world *w, uint8_t detail, dunlin_slice script)
{
    const dn_device_request ask = change_of(detail | 0x40, script);
    dn_command *command = dn_command_create(DN_COMMAND_REQUEST, &ask);
    must_that(command != NULL, "there is memory");
    command->done.request = on_device;
    submit(w, command);
}

static void on_queued(void *context, dunlin_status status, const dn_queued_view *queued)
{
    world *w = context;
    must_that(status != DUNLIN_OK || queued != NULL, "what was taken can be seen");
    w->queued = queued != NULL ? queued->id : w->queued;
}

static void queue(world *w, uint8_t detail, dunlin_slice script)
{
    const dn_device_request ask = change_of(detail, script);
    bool adds = (detail & 3) != 0;
    dn_command *command = dn_command_create(adds ? DN_COMMAND_ENQUEUE : DN_COMMAND_DEQUEUE, &ask);
    must_that(command != NULL, "there is memory");
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
    must_that(left != NULL, "there is memory");
    end_shard(w);
    w->store = left;
    w->devices.asked_len = 0;
    for (size_t i = 0; i < DEVICES; i++) {
        w->devices.way[i].is_open = false; /* sessions and streams end with the process */
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
        must_that(l->len < LISTING_MAX, "the listing fits");
        for (size_t j = 0; j < list[i].path_count; j++) {
            l->len += (size_t)snprintf(l->text + l->len, LISTING_MAX - l->len, "    %u/%u/%u %u\n",
                                       list[i].paths[j].id[0], list[i].paths[j].id[1], list[i].paths[j].id[2],
                                       list[i].paths[j].depth);
            must_that(l->len < LISTING_MAX, "the listing fits");
        }
    }
}

static void add_clients(void *context, const dn_client_page *page)
{
    listing *l = context;
    must_that(page->count == page->total && page->next == 0, "the page holds all");
    for (size_t i = 0; i < page->count; i++) {
        const dn_client_view *client = &page->clients[i];
        l->len += (size_t)snprintf(
            l->text + l->len, LISTING_MAX - l->len, "%.*s %s %s %u.%u %s %d %u %lld %lld %.*s %.*s\n",
            (int)client->endpoint.len, (const char *)client->endpoint.data, client->id, client->address,
            client->version_major, client->version_minor, client->binding, client->queue_mode,
            (unsigned)client->lifetime_s, (long long)client->registered_ms, (long long)client->updated_ms,
            (int)client->sms.len, (const char *)client->sms.data, (int)client->links.len,
            (const char *)client->links.data);
        must_that(l->len < LISTING_MAX, "the listing fits");
        const dn_device_request ask = {.endpoint = client->endpoint};
        dn_command *command = dn_command_create(DN_COMMAND_OBSERVATIONS, &ask);
        must_that(command != NULL, "there is memory");
        command->done.observations = add_observations;
        command->context = l;
        dn_shard_submit(l->w->shard, command);
    }
}

static void list_all(world *w, listing *l)
{
    const dn_device_request all = {.method = 0};
    dn_command *command = dn_command_create(DN_COMMAND_LIST, &all);
    must_that(command != NULL, "there is memory");
    *l = (listing){.text = calloc(1, LISTING_MAX), .w = w};
    must_that(l->text != NULL, "there is memory");
    command->limit = 1000;
    command->done.list = add_clients;
    command->context = l;
    submit(w, command);
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
    must_that(strcmp(before.text, after.text) == 0, "a restart shows the same");
    free(before.text);
    free(after.text);
}

static void play(world *w, const script_step *step)
{
    const uint8_t detail = step->detail;
    const dunlin_slice script = step->bytes;
    const dn_peer peer = devices_peer(&w->devices, detail);
    switch (step->kind % 16) {
    case 0:
        devices_send(&w->devices, &peer, script);
        break;
    case 1:
        request(w, detail, DN_COAP_POST, false, script);
        break;
    case 2:
        request(w, detail, DN_COAP_POST, true, script);
        break;
    case 3:
        devices_answer(&w->devices, detail, script);
        break;
    case 4:
        operate(w, detail, script);
        break;
    case 5:
        w->devices.now_ms += (uint64_t)detail * detail * 10;
        dn_shard_begin(w->shard);
        settle(w);
        break;
    case 6:
        restart(w);
        break;
    case 13:
        change_way(w, detail, script);
        break;
    case 7:
        request(w, detail, DN_COAP_DELETE, true, dunlin_slice_make(NULL, 0));
        break;
    case 8:
        request_path(w, detail, DN_COAP_POST, "dp", (dunlin_slice){NULL, 0}, script);
        break;
    case 9:
        operate_composite(w, detail, script);
        break;
    case 10:
        fetch(w, detail, script);
        break;
    case 11:
        push(w, detail, script);
        break;
    case 12:
        queue(w, detail, script);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.devices = {.server = &the_server, .now_ms = 1000}};
    make_packages();
    memset(w.location, '0', DN_REGISTRATION_ID_TEXT);
    dn_seeded_init(&w.seeded, 1);
    w.store = dn_memory_store_create();
    w.events = dn_events_create(8192);
    must_that(w.store != NULL && w.events != NULL, "there is memory");
    start(&w);
    dunlin_slice script = dunlin_slice_make(data, size);
    script_step step;
    for (unsigned steps = 0; steps < SCRIPT_STEPS_MAX && script_next(&script, &step); steps++) {
        play(&w, &step);
    }
    compare_with_restarted(&w);
    end_shard(&w);
    dn_events_destroy(w.events);
    return 0;
}
