/* SPDX-License-Identifier: Apache-2.0 */
/* The shard's side of the rig: its cycle, its store, its commands. */
#include "tests/server/rig.h"

#include "server/composite.h"
#include "store/memory.h"
#include "tests/server/rig_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SETTLE_MS 400000u /* longer than any exchange lasts */

static uint64_t clock_ms(void *context)
{
    rig *r = context;
    return dn_simlink_now(r->link);
}

static int64_t wall_ms(void *context)
{
    rig *r = context;
    return RIG_EPOCH_MS + r->wall_offset_ms + (int64_t)(dn_simlink_now(r->link) - RIG_START_MS);
}

static void peer_text(const dn_peer *peer, char *out, size_t size)
{
    uint32_t host = 0, port = 0;
    memcpy(&host, peer->bytes + 4, sizeof host);
    memcpy(&port, peer->bytes + 8, sizeof port);
    (void)snprintf(out, size, "host%u:%u", (unsigned)host, (unsigned)port);
}

/* A rebound endpoint keeps its number: it is the same host with another port. */
static bool same_host(const dn_peer *a, const dn_peer *b)
{
    return memcmp(a->bytes + 4, b->bytes + 4, 4) == 0;
}

/* The device of that host; NULL: it is none of ours. */
static rig_device *device_of(rig *r, const dn_peer *peer)
{
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        if (same_host(&r->devices[i].address, peer)) {
            return &r->devices[i];
        }
    }
    return NULL;
}

dn_peer rig_peer(const rig_device *device)
{
    dn_peer peer = device->address;
    dn_peer_set_transport(&peer, device->transport);
    return peer;
}

dn_peer rig_server(const rig_device *device)
{
    dn_peer peer = device->owner->address;
    dn_peer_set_transport(&peer, device->transport);
    return peer;
}

static bool is_open(rig *r, const dn_peer *peer)
{
    const rig_device *device = device_of(r, peer);
    const dn_peer now = device != NULL ? rig_peer(device) : *peer;
    return device != NULL && device->is_open && dn_peer_equal(&now, peer);
}

static bool reaches(void *context, const dn_peer *peer)
{
    return dn_peer_transport(peer) == DN_TRANSPORT_UDP || is_open(context, peer);
}

static const dn_identity *identity_of(void *context, const dn_peer *peer)
{
    const rig_device *device = device_of(context, peer);
    return is_open(context, peer) && device->has_proved ? &device->identity : NULL;
}

static void end_peer(void *context, const dn_peer *peer)
{
    rig *r = context;
    if (is_open(r, peer)) {
        device_of(r, peer)->is_open = false;
    }
    r->peers_ended++;
}

/* The server is the network's host 0, the devices those from 1 on. */
static bool is_loopback(const dn_peer *peer)
{
    uint32_t host = 0;
    memcpy(&host, peer->bytes + 4, sizeof host);
    return host != RIG_FAR + 1;
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    rig *r = context;
    assert_true(r->waiting < sizeof r->wait / sizeof r->wait[0] && datagram.len <= sizeof r->wait[0].bytes);
    r->wait[r->waiting].peer = *peer;
    r->wait[r->waiting].len = datagram.len;
    memcpy(r->wait[r->waiting].bytes, datagram.data, datagram.len);
    r->waiting++;
}

/* The rest of a cycle. */
static void settle(rig *r)
{
    dn_shard_work(r->shard);
    if (dn_shard_commit(r->shard) != DUNLIN_OK) {
        r->failed = true;
        r->waiting = 0;
        return;
    }
    for (size_t i = 0; i < r->waiting; i++) {
        if (dn_peer_transport(&r->wait[i].peer) != DN_TRANSPORT_UDP && !is_open(r, &r->wait[i].peer)) {
            continue;
        }
        dn_peer_set_transport(&r->wait[i].peer, DN_TRANSPORT_UDP);
        dn_simlink_send(r->link, &r->address, &r->wait[i].peer,
                        dunlin_slice_make(r->wait[i].bytes, r->wait[i].len));
    }
    r->waiting = 0;
    dn_shard_publish(r->shard);
}

static void receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    rig *r = context;
    const rig_device *device = device_of(r, from);
    const dn_peer peer = device != NULL && dn_peer_equal(from, &device->address) ? rig_peer(device) : *from;
    (void)now_ms;
    if (!r->failed && (dn_peer_transport(&peer) == DN_TRANSPORT_UDP || device->is_open)) {
        dn_shard_begin(r->shard);
        dn_shard_receive(r->shard, &peer, datagram);
        settle(r);
    }
}

static uint64_t deadline(void *context)
{
    rig *r = context;
    return r->failed ? DN_NEVER : dn_shard_deadline(r->shard);
}

static void expire(void *context, uint64_t now_ms)
{
    rig *r = context;
    (void)now_ms;
    dn_shard_begin(r->shard);
    settle(r);
}

void rig_session(rig *r, const dn_peer *peer, bool opened)
{
    dn_shard_begin(r->shard);
    (opened ? dn_shard_opened : dn_shard_closed)(r->shard, peer);
    settle(r);
}

void rig_submit(rig *r, dn_command *command)
{
    assert_non_null(command);
    dn_shard_begin(r->shard);
    dn_shard_submit(r->shard, command);
    settle(r);
}

static void start_shard(rig *r)
{
    char error[256] = "";
    r->config.store = r->store;
    dn_shard_config config = {.fleet = r->config,
                              .send = on_send,
                              .context = r,
                              .peer_text = peer_text,
                              .same_host = same_host,
                              .is_loopback = is_loopback,
                              .identity = identity_of,
                              .reaches = reaches,
                              .end_peer = end_peer,
                              .events = r->events};
    dunlin_status status = dn_shard_create(&config, &r->shard, error, sizeof error);
    if (status != DUNLIN_OK) {
        print_error("%s\n", error);
    }
    assert_int_equal(status, DUNLIN_OK);
}

void rig_start(rig *r, uint64_t seed, void (*tweak)(dn_fleet_config *config))
{
    memset(r, 0, sizeof *r);
    dn_seeded_init(&r->seeded, seed);
    r->link = dn_simlink_create(seed, RIG_START_MS);
    r->store = dn_memory_store_create();
    assert_non_null(r->store);
    r->config = dn_fleet_config_default();
    r->config.coap.dedup_slots = 256;
    r->config.coap.transfers = 8;
    r->config.max_requests = 64;
    r->config.nosec = DN_NOSEC_ON;
    r->config.coap.connections = RIG_DEVICES;
    r->config.event_buffer_bytes = 1u << 20;
    r->config.random = dn_seeded_random(&r->seeded);
    r->config.clock_ms = clock_ms;
    r->config.wall_ms = wall_ms;
    r->config.clock_context = r;
    if (tweak != NULL) {
        tweak(&r->config);
    }
    r->events = dn_events_create(r->config.event_buffer_bytes);
    assert_non_null(r->events);
    start_shard(r);
    const dn_simlink_endpoint endpoint = {
        .receive = receive, .deadline = deadline, .expire = expire, .context = r};
    assert_int_equal(dn_simlink_attach(r->link, &endpoint, &r->address), DUNLIN_OK);
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        rig_device_make(r, &r->devices[i], seed * RIG_DEVICES + i);
    }
}

void rig_end(rig *r)
{
    dn_shard_begin(r->shard);
    dn_shard_cancel(r->shard);
    (void)dn_shard_commit(r->shard);
    dn_shard_publish(r->shard);
    dn_shard_destroy(r->shard);
    dn_events_destroy(r->events);
    for (size_t i = 0; i < RIG_DEVICES; i++) {
        rig_device_unmake(&r->devices[i]);
    }
    dn_simlink_destroy(r->link);
}

void rig_crash(rig *r, int64_t down_ms)
{
    dn_store *left = dn_memory_store_snapshot(r->store);
    assert_non_null(left);
    dn_shard_cancel(r->shard);
    dn_shard_publish(r->shard);
    dn_shard_destroy(r->shard);
    rig_skip_events(r);
    r->waiting = 0;
    r->failed = false;
    r->wall_offset_ms += down_ms;
    r->store = left;
    start_shard(r);
}

void rig_run(rig *r, uint64_t ms)
{
    (void)dn_simlink_run(r->link, dn_simlink_now(r->link) + ms, NULL, NULL);
}

dn_fleet_counters rig_count(rig *r)
{
    dn_fleet_counters counters;
    dn_shard_count(r->shard, &counters);
    return counters;
}

/* Commands. */

static void copy_text(char *out, size_t size, dunlin_slice text)
{
    assert_true(text.len < size);
    if (text.len > 0) {
        memcpy(out, text.data, text.len);
    }
    out[text.len] = '\0';
}

static void on_device(void *context, const dn_device_response *response)
{
    rig_outcome *outcome = context;
    assert_false(outcome->done);
    outcome->done = true;
    outcome->status = response->status;
    outcome->code = response->code;
    outcome->format = response->content_format;
    copy_text(outcome->text, sizeof outcome->text, response->payload);
    copy_text(outcome->location, sizeof outcome->location, response->location);
}

static void on_observed(void *context, const dn_device_response *response, bool existed)
{
    on_device(context, response);
    ((rig_outcome *)context)->existed = existed;
}

static bool is_done(void *context)
{
    return ((rig_outcome *)context)->done;
}

static void run_until_done(rig *r, rig_outcome *outcome)
{
    assert_true(outcome->done ||
                dn_simlink_run(r->link, dn_simlink_now(r->link) + SETTLE_MS, is_done, outcome));
}

static dunlin_path path_of(const char *text)
{
    dunlin_path path;
    assert_int_equal(dunlin_path_parse(dunlin_slice_of(text), &path), DUNLIN_OK);
    return path;
}

uint64_t rig_post_request(rig *r, const dn_device_request *ask, rig_outcome *outcome)
{
    static uint64_t last;
    *outcome = (rig_outcome){.done = false};
    dn_command *command = dn_command_create(DN_COMMAND_REQUEST, ask);
    assert_non_null(command);
    command->number = ++last;
    command->done.request = on_device;
    command->context = outcome;
    rig_submit(r, command);
    return last;
}

void rig_post_cancel(rig *r, uint64_t number)
{
    const dn_device_request none = {.method = 0};
    dn_command *command = dn_command_create(DN_COMMAND_CANCEL, &none);
    assert_non_null(command);
    command->number = number;
    rig_submit(r, command);
}

rig_outcome rig_read(rig *r, const char *endpoint, const char *path)
{
    const dn_device_request ask = {.endpoint = dunlin_slice_of(endpoint),
                                   .method = DN_COAP_GET,
                                   .path = path_of(path),
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = DN_COAP_NO_FORMAT};
    rig_outcome outcome;
    (void)rig_post_request(r, &ask, &outcome);
    run_until_done(r, &outcome);
    return outcome;
}

static void observe_list(dn_command *command, const char *text)
{
    dunlin_path paths[DN_COMPOSITE_PATHS_MAX];
    size_t count;
    assert_true(dn_composite_parse(dunlin_slice_of(text), paths, &count));
    assert_true(dn_command_observe(command, paths, count));
}

/* OBSERVE or UNOBSERVE of a path, or of a list. */
static dn_command *make_observe(dn_command_kind kind, const char *endpoint, const char *path, bool is_list,
                                uint16_t accept)
{
    const dn_device_request ask = {.endpoint = dunlin_slice_of(endpoint),
                                   .method = DN_COAP_GET,
                                   .path = is_list ? dunlin_path_root() : path_of(path),
                                   .content_format = DN_COAP_NO_FORMAT,
                                   .accept = accept};
    dn_command *command = dn_command_create(kind, &ask);
    assert_non_null(command);
    if (is_list) {
        observe_list(command, path);
    }
    return command;
}

static void post_observe(rig *r, dn_command *command, rig_outcome *outcome)
{
    *outcome = (rig_outcome){.done = false};
    if (command->kind == DN_COMMAND_OBSERVE) {
        command->done.observe = on_observed;
    } else {
        command->done.request = on_device;
    }
    command->context = outcome;
    rig_submit(r, command);
}

static rig_outcome run_observe(rig *r, dn_command *command)
{
    rig_outcome outcome;
    post_observe(r, command, &outcome);
    run_until_done(r, &outcome);
    return outcome;
}

void rig_post_observe(rig *r, const char *endpoint, const char *path, rig_outcome *outcome)
{
    post_observe(r, make_observe(DN_COMMAND_OBSERVE, endpoint, path, false, 112), outcome);
}

rig_outcome rig_observe(rig *r, const char *endpoint, const char *path)
{
    return run_observe(r, make_observe(DN_COMMAND_OBSERVE, endpoint, path, false, 112));
}

rig_outcome rig_unobserve(rig *r, const char *endpoint, const char *path)
{
    return run_observe(r, make_observe(DN_COMMAND_UNOBSERVE, endpoint, path, false, DN_COAP_NO_FORMAT));
}

rig_outcome rig_forget(rig *r, const char *endpoint, const char *path)
{
    dn_command *command =
        make_observe(DN_COMMAND_UNOBSERVE, endpoint, path, strchr(path, ' ') != NULL, DN_COAP_NO_FORMAT);
    command->silent = true;
    return run_observe(r, command);
}

rig_outcome rig_observe_composite(rig *r, const char *endpoint, const char *paths, uint16_t accept)
{
    return run_observe(r, make_observe(DN_COMMAND_OBSERVE, endpoint, paths, true, accept));
}

void rig_post_observe_composite(rig *r, const char *endpoint, const char *paths, uint16_t accept,
                                rig_outcome *outcome)
{
    post_observe(r, make_observe(DN_COMMAND_OBSERVE, endpoint, paths, true, accept), outcome);
}

rig_outcome rig_unobserve_composite(rig *r, const char *endpoint, const char *paths)
{
    return run_observe(r, make_observe(DN_COMMAND_UNOBSERVE, endpoint, paths, true, DN_COAP_NO_FORMAT));
}

/* Queries. */

static void on_get(void *context, const dn_client_view *client)
{
    rig_client *out = context;
    if (client == NULL) {
        return;
    }
    out->found = true;
    copy_text(out->endpoint, sizeof out->endpoint, client->endpoint);
    memcpy(out->id, client->id, sizeof out->id);
    memcpy(out->address, client->address, sizeof out->address);
    memcpy(out->binding, client->binding, sizeof out->binding);
    copy_text(out->sms, sizeof out->sms, client->sms);
    copy_text(out->links, sizeof out->links, client->links);
    assert_int_equal(client->version_major, 1);
    out->version_minor = client->version_minor;
    out->queue_mode = client->queue_mode;
    out->lifetime_s = client->lifetime_s;
    out->transport = client->transport;
    out->security = client->security;
    out->registered_ms = client->registered_ms;
    out->updated_ms = client->updated_ms;
    out->expires_ms = client->expires_ms;
    out->presence = (dn_presence)client->presence;
    out->seen_ms = client->seen_ms;
    out->queued = client->queued;
}

rig_client rig_get(rig *r, const char *endpoint)
{
    const dn_device_request ask = {.endpoint = dunlin_slice_of(endpoint)};
    rig_client client = {.found = false};
    dn_command *command = dn_command_create(DN_COMMAND_GET, &ask);
    assert_non_null(command);
    command->done.get = on_get;
    command->context = &client;
    rig_submit(r, command);
    return client;
}

static void on_list(void *context, const dn_client_page *page)
{
    rig_page *out = context;
    out->count = page->count;
    out->next = page->next;
    out->total = page->total;
    for (size_t i = 0; i < page->count; i++) {
        copy_text(out->names[i], sizeof out->names[i], page->clients[i].endpoint);
    }
}

rig_page *rig_list(rig *r, uint64_t after, uint32_t limit, const char *substring)
{
    static rig_page page;
    const dn_device_request ask = {.endpoint = dunlin_slice_of(substring)};
    page = (rig_page){.next = UINT64_MAX};
    dn_command *command = dn_command_create(DN_COMMAND_LIST, &ask);
    assert_non_null(command);
    command->done.list = on_list;
    command->context = &page;
    command->after = after;
    command->limit = limit;
    rig_submit(r, command);
    for (unsigned i = 0; i < 1000 && page.next == UINT64_MAX; i++) {
        expire(r, 0);
    }
    assert_true(page.next != UINT64_MAX);
    return &page;
}

static void on_observations(void *context, bool registered, const dn_observation_view *list, size_t count)
{
    rig_observations *out = context;
    out->registered = registered;
    out->count = count;
    assert_true(count <= sizeof out->list / sizeof out->list[0]);
    for (size_t i = 0; i < count; i++) {
        if (list[i].path_count > 0) {
            dunlin_slice text = dn_composite_format(list[i].paths, list[i].path_count, out->list[i].path);
            out->list[i].path[text.len] = '\0';
        } else {
            (void)dunlin_path_format(list[i].path, out->list[i].path);
        }
        out->list[i].format = list[i].format;
        out->list[i].state = list[i].state;
        out->list[i].has_last = list[i].has_last;
        out->list[i].code = list[i].code;
        out->list[i].since_ms = list[i].since_ms;
        copy_text(
            out->list[i].text, sizeof out->list[i].text,
            dunlin_slice_make(list[i].payload.data, list[i].payload.len > 255 ? 255 : list[i].payload.len));
    }
}

rig_observations rig_observations_of(rig *r, const char *endpoint)
{
    const dn_device_request ask = {.endpoint = dunlin_slice_of(endpoint)};
    rig_observations observations = {.count = SIZE_MAX};
    dn_command *command = dn_command_create(DN_COMMAND_OBSERVATIONS, &ask);
    assert_non_null(command);
    command->done.observations = on_observations;
    command->context = &observations;
    rig_submit(r, command);
    assert_true(observations.count != SIZE_MAX);
    return observations;
}

/* Events. */

bool rig_next_event(rig *r, dn_event *event)
{
    dn_event_record record;
    if (!dn_events_next(r->events, &record)) {
        return false;
    }
    dn_view_event(&record, peer_text, event);
    return true;
}

dn_event rig_expect(rig *r, dn_event_type type, const char *endpoint)
{
    dn_event event;
    assert_true(rig_next_event(r, &event));
    assert_int_equal(event.type, type);
    assert_true(dunlin_slice_equal(event.client.endpoint, dunlin_slice_of(endpoint)));
    return event;
}

void rig_expect_no_event(rig *r)
{
    dn_event event;
    assert_false(rig_next_event(r, &event));
}

void rig_skip_events(rig *r)
{
    dn_event event;
    while (rig_next_event(r, &event)) {
    }
}
