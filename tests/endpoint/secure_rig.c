/* SPDX-License-Identifier: Apache-2.0 */
/* The rig's network, clients and log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bearer/udp.h"
#include "tests/endpoint/secure_rig.h"

#include <stdio.h>
#include <stdlib.h>

#define DEVICES 200u

/* The network. */

static void send_packet(rig *r, bool to_server, const dn_peer *peer, const uint8_t *bytes, size_t len)
{
    dn_random random = dn_seeded_random(&r->seed);
    if (r->loss_percent > 0 && dn_random_between(&random, 0, 99) < r->loss_percent) {
        return;
    }
    rig_packet *packet = malloc(sizeof *packet + len);
    if (packet == NULL) {
        return; /* the network has no memory either */
    }
    *packet =
        (rig_packet){.at_ms = r->now_ms + r->delay_ms, .to_server = to_server, .peer = *peer, .len = len};
    memcpy(packet->bytes, bytes, len);
    *(r->last != NULL ? &r->last->next : &r->first) = packet;
    r->last = packet;
}

/* Of what is sent together, how much arrives together. */
static size_t piece_of(const rig *r, dunlin_slice bytes)
{
    if (dn_transport_is_stream(r->config.transport)) {
        return r->cut > 0 && r->cut < bytes.len ? r->cut : bytes.len;
    }
    size_t record = bytes.len > 13 ? 13 + ((size_t)bytes.data[11] << 8 | bytes.data[12]) : bytes.len;
    return r->split && record < bytes.len ? record : bytes.len;
}

static void transmit(rig *r, bool to_server, const dn_peer *peer, dunlin_slice bytes)
{
    while (bytes.len > 0) {
        size_t len = piece_of(r, bytes);
        send_packet(r, to_server, peer, bytes.data, len);
        bytes.data += len;
        bytes.len -= len;
    }
}

static rig_client *client_at(const rig *r, const dn_peer *peer)
{
    rig_client *client = r->clients;
    while (client != NULL && (client->gone || !dn_peer_equal(&client->peer, peer))) {
        client = client->next;
    }
    return client;
}

static void deliver(rig *r, const rig_packet *packet)
{
    dunlin_slice bytes = dunlin_slice_make(packet->bytes, packet->len);
    if (packet->to_server) {
        dn_secure_receive(r->secure, &packet->peer, bytes, r->now_ms);
        return;
    }
    rig_client *client = client_at(r, &packet->peer);
    if (client != NULL && !client->deaf) {
        dn_tls_receive(client->tls, bytes, r->now_ms);
    }
}

/* The server's side. */

static rig_note *note(rig *r, rig_kind kind, const dn_peer *peer)
{
    assert_true(r->note_count < RIG_NOTES_MAX);
    rig_note *n = &r->notes[r->note_count++];
    *n = (rig_note){.kind = kind, .peer = *peer};
    return n;
}

static void on_output(void *context, const dn_peer *peer, dunlin_slice bytes)
{
    rig *r = context;
    if (++r->server_outputs != r->drop_server_output_at) {
        transmit(r, false, peer, bytes);
    }
}

static void on_input(void *context, const dn_peer *peer, dunlin_slice plain)
{
    rig *r = context;
    rig_note *n = note(r, RIG_INPUT, peer);
    n->len = plain.len;
    memcpy(n->bytes, plain.data, plain.len < sizeof n->bytes ? plain.len : sizeof n->bytes);
    if (r->echo) {
        assert_int_equal(dn_secure_send(r->secure, peer, plain, r->now_ms), DUNLIN_OK);
    }
    if (r->end_in_input) {
        dn_secure_close(r->secure, peer, r->now_ms);
    }
}

static void on_opened(void *context, const dn_peer *peer, const dn_identity *identity, bool resumed)
{
    rig *r = context;
    rig_note *n = note(r, RIG_OPENED, peer);
    n->resumed = resumed;
    (void)snprintf(n->endpoint, sizeof n->endpoint, "%.*s", identity->endpoint_len, identity->endpoint);
    assert_non_null(dn_secure_identity(r->secure, peer));
    if (r->end_in_opened) {
        dn_secure_close(r->secure, peer, r->now_ms);
    }
}

static void on_closed(void *context, const dn_peer *peer, dunlin_status status)
{
    rig *r = context;
    note(r, RIG_CLOSED, peer)->status = status;
    assert_null(dn_secure_identity(r->secure, peer));
}

static void on_log(void *context, dn_log_level level, const char *area, const char *message)
{
    rig *r = context;
    (void)level;
    assert_string_equal(area, "security");
    (void)snprintf(r->logged, sizeof r->logged, "%s", message);
}

size_t rig_count(const rig *r, rig_kind kind, const dn_peer *peer)
{
    size_t count = 0;
    for (size_t i = 0; i < r->note_count; i++) {
        count += r->notes[i].kind == kind && (peer == NULL || dn_peer_equal(&r->notes[i].peer, peer));
    }
    return count;
}

const rig_note *rig_last(const rig *r, rig_kind kind)
{
    for (size_t i = r->note_count; i > 0; i--) {
        if (r->notes[i - 1].kind == kind) {
            return &r->notes[i - 1];
        }
    }
    fail_msg("no note of kind %d", kind);
    return NULL;
}

/* Clients. */

static void on_client_output(void *context, dunlin_slice bytes)
{
    rig_client *client = context;
    if (client->flights++ == 0 && bytes.len <= sizeof client->first) {
        memcpy(client->first, bytes.data, bytes.len);
        client->first_len = bytes.len;
    }
    transmit(client->rig, true, &client->peer, bytes);
}

static void on_client_input(void *context, dunlin_slice plain)
{
    rig_client *client = context;
    if (client->got_len + plain.len <= sizeof client->got) {
        memcpy(client->got + client->got_len, plain.data, plain.len);
        client->got_len += plain.len;
    }
}

rig_client *rig_dial(rig *r, unsigned device, const dn_peer *peer, const char *identity, const char *key,
                     dunlin_slice resume)
{
    char own_identity[32], own_key[32], error[200];
    (void)snprintf(own_identity, sizeof own_identity, "identity %u", device);
    (void)snprintf(own_key, sizeof own_key, "a key for device %06u", device);
    rig_client *before = client_at(r, peer);
    if (before != NULL) {
        before->gone = true;
    }
    rig_client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->rig = r;
    client->peer = *peer;
    client->next = r->clients;
    r->clients = client;
    dn_tls_client_config config = dn_tls_client_config_default();
    config.mode = DN_SECURITY_PSK;
    config.own = dunlin_slice_of(identity != NULL ? identity : own_identity);
    config.secret = dunlin_slice_of(key != NULL ? key : own_key);
    if (dn_tls_client_create(&config, &client->context, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    bool stream = dn_transport_is_stream(r->config.transport);
    if (stream) {
        (void)dn_secure_connected(r->secure, peer, r->now_ms);
    }
    const dn_tls_opening opening = {
        .datagram = !stream,
        .resume = resume,
        .call = {.output = on_client_output, .input = on_client_input, .context = client}};
    client->tls = dn_tls_open(client->context, &opening, r->now_ms);
    assert_non_null(client->tls);
    return client;
}

void rig_say(rig_client *client, const char *text)
{
    assert_int_equal(dn_tls_send(client->tls, dunlin_slice_of(text), client->rig->now_ms), DUNLIN_OK);
}

bool rig_is_open(const rig_client *client)
{
    return dn_tls_state_of(client->tls) == DN_TLS_OPEN;
}

void rig_inject(rig *r, const dn_peer *peer, dunlin_slice bytes)
{
    dn_secure_receive(r->secure, peer, bytes, r->now_ms);
}

/* Time. */

bool rig_step(rig *r, uint64_t until_ms)
{
    uint64_t next = dn_secure_deadline(r->secure);
    if (r->first != NULL && r->first->at_ms < next) {
        next = r->first->at_ms;
    }
    for (const rig_client *c = r->clients; c != NULL; c = c->next) {
        if (!c->gone && dn_tls_deadline(c->tls) < next) {
            next = dn_tls_deadline(c->tls);
        }
    }
    if (next > until_ms) {
        return false;
    }
    r->now_ms = next > r->now_ms ? next : r->now_ms;
    if (r->first != NULL && r->first->at_ms <= r->now_ms) {
        rig_packet *packet = r->first;
        r->first = packet->next;
        r->last = r->first != NULL ? r->last : NULL;
        deliver(r, packet);
        free(packet);
        return true;
    }
    dn_secure_expire(r->secure, r->now_ms);
    for (rig_client *c = r->clients; c != NULL; c = c->next) {
        if (!c->gone && dn_tls_deadline(c->tls) <= r->now_ms) {
            dn_tls_expire(c->tls, r->now_ms);
        }
    }
    return true;
}

void rig_run(rig *r, uint64_t ms)
{
    uint64_t until = r->now_ms + ms;
    while (rig_step(r, until)) {
    }
    r->now_ms = until;
}

dn_peer rig_peer(dn_transport transport, unsigned host, unsigned port)
{
    dn_peer peer;
    char text[DN_UDP_TEXT_MAX];
    (void)snprintf(text, sizeof text, "10.%u.%u.%u:%u", host >> 16 & 255, host >> 8 & 255, host & 255, port);
    assert_int_equal(dn_udp_peer_parse(text, &peer), DUNLIN_OK);
    dn_peer_set_transport(&peer, transport);
    return peer;
}

dn_tls_context *rig_server_context(rig *r)
{
    char error[200];
    dn_tls_context *context = NULL;
    dn_tls_server_config config = dn_tls_server_config_default();
    config.credentials = &r->keeper.head;
    if (dn_tls_server_create(&config, &context, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
    return context;
}

void rig_change(rig *r, unsigned device)
{
    char endpoint[32], identity[32], key[32];
    (void)snprintf(endpoint, sizeof endpoint, "d%u", device);
    (void)snprintf(identity, sizeof identity, "identity %u", device);
    (void)snprintf(key, sizeof key, "a key for device %06u", device);
    (void)keeper_psk(&r->keeper, endpoint, identity, key);
}

rig *rig_create(dn_transport transport, void (*change)(dn_secure_config *config))
{
    rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->now_ms = RIG_START_MS;
    r->delay_ms = 5;
    dn_seeded_init(&r->seed, 4);
    keeper_init(&r->keeper);
    for (unsigned i = 0; i < DEVICES; i++) {
        rig_change(r, i);
    }
    r->context = rig_server_context(r);
    r->config = dn_secure_config_default(transport);
    r->log = (dn_log){.write = on_log, .context = r, .least = DN_LOG_INFO};
    r->config.log = &r->log;
    r->config.random = dn_seeded_random(&r->seed);
    if (change != NULL) {
        change(&r->config);
    }
    const dn_secure_callbacks call = {
        .output = on_output, .input = on_input, .opened = on_opened, .closed = on_closed, .context = r};
    r->secure = dn_secure_create(&r->config, r->context, &call, r->now_ms);
    assert_non_null(r->secure);
    return r;
}

void rig_destroy(rig *r)
{
    dn_secure_destroy(r->secure);
    dn_tls_context_give_up(r->context);
    while (r->clients != NULL) {
        rig_client *client = r->clients;
        r->clients = client->next;
        dn_tls_free(client->tls);
        dn_tls_context_give_up(client->context);
        free(client);
    }
    while (r->first != NULL) {
        rig_packet *packet = r->first;
        r->first = packet->next;
        free(packet);
    }
    free(r);
}
