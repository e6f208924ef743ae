/* SPDX-License-Identifier: Apache-2.0 */
/* The second server of the tests: it registers all that comes, and asks. */
#include "tests/client/second.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 8192

static void must(bool so)
{
    if (!so) {
        (void)fprintf(stderr, "second: the test's own machinery failed\n");
        abort();
    }
}

static void on_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    second *s = context;
    dn_simlink_send(s->r->link, &s->address, peer, datagram);
}

static dn_coap_answered on_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                   dn_coap_reply *reply)
{
    static const dn_coap_option location[] = {
        {DN_OPTION_LOCATION_PATH, {(const uint8_t *)"rd", 2}},
        {DN_OPTION_LOCATION_PATH, {(const uint8_t *)"two", 3}},
    };
    second *s = context;
    dn_coap_options walk = request->options;
    dunlin_slice segment = {NULL, 0};
    dunlin_slice next;
    (void)body;
    (void)dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &segment);
    const bool bare = dn_coap_option_find(&walk, DN_OPTION_URI_PATH, &next) != DUNLIN_OK;
    reply->code = request->code == DN_COAP_DELETE ? DN_COAP_DELETED : DN_COAP_CHANGED;
    if (dunlin_slice_equal(segment, dunlin_slice_of("dp"))) {
        s->sends++;
    } else if (bare) {
        s->registers++;
        reply->code = DN_COAP_CREATED;
        reply->options = location;
        reply->option_count = 2;
    } else {
        s->updates++;
    }
    return DN_COAP_ANSWERED;
}

static bool on_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    second *s = context;
    const size_t len =
        notification->payload.len < sizeof s->told ? notification->payload.len : sizeof s->told - 1;
    (void)peer;
    s->notified++;
    if (len > 0) {
        memcpy(s->told, notification->payload.data, len);
    }
    s->told[len] = '\0';
    return true;
}

static void on_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    dn_coap_receive(((second *)context)->coap, from, datagram, now_ms);
}

static uint64_t on_deadline(void *context)
{
    return dn_coap_deadline(((second *)context)->coap);
}

static void on_expire(void *context, uint64_t now_ms)
{
    dn_coap_expire(((second *)context)->coap, now_ms);
}

static void open_engine(second *s)
{
    const dn_coap_callbacks callbacks = {
        .send = on_send, .request = on_request, .notification = on_notification, .context = s};
    const dn_simlink_endpoint endpoint = {on_receive, on_deadline, on_expire, s};
    dn_coap_config config = dn_coap_config_default();
    config.max_body = BODY_MAX;
    dn_seeded_init(&s->seed, 77);
    const dn_random random = dn_seeded_random(&s->seed);
    s->coap = dn_coap_create(s->arena, sizeof s->arena, &config, &callbacks, &random, NULL, 0);
    must(s->coap != NULL);
    must(dn_simlink_attach(s->r->link, &endpoint, &s->address) == DUNLIN_OK);
    s->r->other_address = s->address;
}

void second_open(second *s, rig *r, const dunlin_access *access, uint16_t count)
{
    memset(s, 0, sizeof *s);
    s->r = r;
    rig_open(r, DUNLIN_LWM2M_1_1, 1);
    open_engine(s);
    r->config.servers = 2;
    rig_remake(r);
    must(count <= SECOND_ACCESS_MAX);
    if (count > 0) {
        memcpy(s->access, access, count * sizeof *access);
    }
    must(dunlin_access_add(r->client, s->access, SECOND_ACCESS_MAX, count) == DUNLIN_OK);
    dunlin_server account = dunlin_server_default();
    (void)snprintf(account.uri, sizeof account.uri, "coap://server");
    must(dunlin_client_add_server(r->client, &account) == DUNLIN_OK);
    (void)snprintf(account.uri, sizeof account.uri, "coap://other");
    account.ssid = 2;
    must(dunlin_client_add_server(r->client, &account) == DUNLIN_OK);
    dunlin_client_start(r->client, dn_simlink_now(r->link));
    rig_run(r, 1000);
    must(dunlin_client_registered(r->client));
}

void second_close(second *s)
{
    rig_close(s->r);
}

const rig_answer *second_ask(second *s, unsigned server, const rig_request *request)
{
    return rig_ask_from(s->r, server == 1 ? s->r->server : s->coap, request);
}

const rig_answer *second_get(second *s, unsigned server, const char *path, int accept)
{
    const rig_request request = {
        .method = DN_COAP_GET, .path = path, .has_accept = accept >= 0, .accept = (uint16_t)accept};
    return second_ask(s, server, &request);
}

const rig_answer *second_send(second *s, unsigned server, uint8_t method, const char *path, int format,
                              const char *payload)
{
    const rig_request request = {
        .method = method,
        .path = path,
        .has_format = format >= 0,
        .format = (uint16_t)format,
        .payload = payload,
        .len = payload == NULL ? 0 : strlen(payload),
    };
    return second_ask(s, server, &request);
}
