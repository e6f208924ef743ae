/* SPDX-License-Identifier: Apache-2.0 */
/* The surroundings that make ways, and the script. */
#include "tests/client/ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000ull

static void must(bool so, const char *what)
{
    if (!so) {
        (void)fprintf(stderr, "ways: %s\n", what);
        abort();
    }
}

/* ---- the log ---- */

static void note(ways *w, unsigned server, char what)
{
    const size_t len = strlen(w->log);
    const unsigned second = (unsigned)(dn_simlink_now(w->r.link) / SECOND);
    char id[8] = "";
    if (w->several) {
        (void)snprintf(id, sizeof id, ":%u", server);
    }
    (void)snprintf(w->log + len, WAYS_LOG_MAX - len, "%s%u%s%c", len > 0 ? " " : "", second, id, what);
}

static void on_event(void *context, const dunlin_client_event *event)
{
    static const char letters[] = {
        [DUNLIN_CLIENT_REGISTERED] = 'R', [DUNLIN_CLIENT_UPDATED] = 'U',
        [DUNLIN_CLIENT_REFUSED] = 'X',    [DUNLIN_CLIENT_UNREACHABLE] = 'N',
        [DUNLIN_CLIENT_FAILED] = 'F',     [DUNLIN_CLIENT_DEREGISTERED] = 'D',
        [DUNLIN_CLIENT_CONNECTED] = 'C',  [DUNLIN_CLIENT_DISCONNECTED] = 'L',
        [DUNLIN_CLIENT_BOOTSTRAP] = 'B',  [DUNLIN_CLIENT_ASLEEP] = 'z',
        [DUNLIN_CLIENT_AWAKE] = 'a',
    };
    ways *w = context;
    rig *r = &w->r;
    if (r->event_count < sizeof r->events / sizeof r->events[0]) {
        r->events[r->event_count++] = *event;
    }
    if (event->kind < sizeof letters && letters[event->kind] != 0) {
        note(w, event->server, letters[event->kind]);
    }
}

/* For who looks for the reason of a failure. */
static void on_log(void *context, dunlin_log_level level, const char *area, const char *message)
{
    (void)context;
    (void)level;
    if (getenv("WAYS_LOG") != NULL) {
        (void)fprintf(stderr, "  %s: %s\n", area, message);
    }
}

/* ---- ways ---- */

static bool is_stream(const ways *w)
{
    return strstr(w->asked_uri, "+tcp://") != NULL;
}

static dunlin_peer peer_of(const ways *w)
{
    const dn_peer *address = is_stream(w) ? &w->r.server_stream : &w->r.server_address;
    dunlin_peer peer = {.len = address->len};
    memcpy(peer.bytes, address->bytes, sizeof peer.bytes);
    return peer;
}

/* The server's end of a stream, which goes with the client's. */
static void server_end(ways *w, bool open)
{
    dn_coap_close(w->r.server, &w->r.client_stream);
    w->r.by_stream = is_stream(w);
    if (open && is_stream(w) && !w->dumb) {
        const dunlin_status status =
            dn_coap_open(w->r.server, &w->r.client_stream, dn_simlink_now(w->r.link));
        must(status == DUNLIN_OK, "the server has no stream left");
    }
}

static dunlin_status on_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    ways *w = context;
    w->connects++;
    w->asked_server = way->server;
    w->asked = *way->security;
    w->anew = way->anew;
    (void)snprintf(w->asked_uri, sizeof w->asked_uri, "%s", way->uri);
    note(w, way->server, 'c');
    if (w->answer == DUNLIN_OK) {
        *peer = peer_of(w);
        if (w->chatty) {
            dunlin_client_connected(w->r.client, way->server, peer, dn_simlink_now(w->r.link));
        }
        if (!dn_coap_is_open(w->r.server, &w->r.client_stream)) {
            server_end(w, true);
        }
    }
    return w->answer;
}

static void on_disconnect(void *context, uint16_t server)
{
    ways *w = context;
    w->disconnects++;
    server_end(w, false);
    note(w, server, 'd');
    if (w->chatty) {
        dunlin_client_disconnected(w->r.client, server, DUNLIN_END, 42, dn_simlink_now(w->r.link));
    }
}

static void add(ways *w, const ways_account *account, int32_t ssid)
{
    dunlin_server server = dunlin_server_default();
    (void)snprintf(server.uri, sizeof server.uri, "%s",
                   account->uri == NULL ? "coaps://server" : account->uri);
    server.ssid = ssid;
    server.store_notifications = !account->no_store;
    server.policy.retry_timer_s = 10;
    server.policy.retry_count = account->retries == 0 ? 3 : account->retries;
    server.policy.priority = account->priority == 0 ? -1 : account->priority;
    server.policy.failure_blocks = account->blocks;
    server.policy.failure_bootstraps = !account->no_bootstrap;
    if (account->binding != NULL) {
        (void)snprintf(server.binding, sizeof server.binding, "%s", account->binding);
    }
    if (account->preferred != NULL) {
        (void)snprintf(server.preferred_transport, sizeof server.preferred_transport, "%s",
                       account->preferred);
    }
    if (server.uri[4] == 's' || server.uri[4] == 'S') {
        server.security.mode = DUNLIN_PSK;
        server.security.identity = dunlin_slice_of("device-1");
        server.security.secret = dunlin_slice_of("0123456789abcdef");
    }
    must(dunlin_client_add_server(w->r.client, &server) == DUNLIN_OK, "an account was refused");
}

void ways_open(ways *w, const ways_account *accounts, size_t count)
{
    memset(w, 0, sizeof *w);
    rig *r = &w->r;
    rig_open(r, accounts[0].lwm2m_1_0 ? DUNLIN_LWM2M_1_0 : DUNLIN_LWM2M_1_1, 11);
    rig_add_stream(r);
    w->several = count > 1;
    w->send_status = DUNLIN_END;
    r->config.servers = (uint16_t)count;
    r->config.credential_max = 256;
    r->config.stream_message = 1152;
    r->config.call.context = w;
    r->config.call.event = on_event;
    r->config.call.log = on_log;
    r->config.call.connect = accounts[0].no_connect ? NULL : on_connect;
    r->config.call.disconnect = on_disconnect;
    ways_remake(w, accounts, count);
}

/* The rig's own callbacks get the rig, which is what `ways` begins with. */
void ways_remake(ways *w, const ways_account *accounts, size_t count)
{
    rig *r = &w->r;
    rig_remake(r);
    memset(w->access, 0, sizeof w->access);
    if (count > 1) {
        must(dunlin_access_add(r->client, w->access, WAYS_ACCESS, 0) == DUNLIN_OK, "no access control");
    }
    for (size_t i = 0; i < count; i++) {
        add(w, &accounts[i], (int32_t)i + 1);
    }
}

void ways_close(ways *w)
{
    rig_close(&w->r);
}

/* ---- the script ---- */

static void on_sent(void *context, uint16_t server, dunlin_status status, uint8_t code)
{
    ways *w = context;
    w->send_status = status;
    w->send_code = code;
    note(w, server, status == DUNLIN_OK ? 'S' : 's');
}

static void do_send(ways *w, unsigned server)
{
    const dunlin_send_value value = {.path = dunlin_path_resource(3303, 0, 5700)};
    const dunlin_status status = dunlin_client_send(w->r.client, (uint16_t)server, &value, 1, on_sent, w);
    if (status != DUNLIN_OK) {
        on_sent(w, (uint16_t)server, status, 0);
    }
}

static void do_value(ways *w)
{
    w->r.thermometer[0].value += 1;
    dunlin_changed(w->r.client, dunlin_path_resource(3303, 0, 5700));
}

static void do_observe(ways *w)
{
    const rig_request request = {.method = DN_COAP_GET, .path = "/3303/0/5700", .observe = true, .token = 7};
    (void)rig_ask(&w->r, &request);
}

/* What happens to the client. False: not one of these. */
static bool do_call(ways *w, const char *what, unsigned server, int alert)
{
    rig *r = &w->r;
    const uint64_t now = dn_simlink_now(r->link);
    if (strcmp(what, "start") == 0) {
        dunlin_client_start(r->client, now);
    } else if (strcmp(what, "stop") == 0) {
        dunlin_client_stop(r->client, now);
    } else if (strcmp(what, "restart") == 0) {
        dunlin_client_restart(r->client, now);
    } else if (strcmp(what, "update") == 0) {
        dunlin_client_update(r->client);
    } else if (strcmp(what, "up") == 0) {
        const dunlin_peer peer = peer_of(w);
        server_end(w, true);
        dunlin_client_connected(r->client, (uint16_t)server, &peer, now);
    } else if (strcmp(what, "cut") == 0 || strcmp(what, "end") == 0) {
        const dunlin_status status = strcmp(what, "cut") == 0 ? DUNLIN_ERR_IO : DUNLIN_END;
        server_end(w, false);
        dunlin_client_disconnected(r->client, (uint16_t)server, status, alert, now);
    } else if (strcmp(what, "send") == 0) {
        do_send(w, server);
    } else if (strcmp(what, "value") == 0) {
        do_value(w);
    } else {
        return false;
    }
    return true;
}

/* What happens around it. */
static bool do_world(ways *w, const char *what)
{
    static const struct {
        const char *what;
        dunlin_status answer;
    } answers[] = {{"ok", DUNLIN_OK}, {"later", DUNLIN_END}, {"none", DUNLIN_ERR_IO}};
    rig *r = &w->r;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (strcmp(what, answers[i].what) == 0) {
            w->answer = answers[i].answer;
            return true;
        }
    }
    if (strcmp(what, "mute") == 0 || strcmp(what, "hear") == 0) {
        r->mute = what[0] == 'm';
    } else if (strcmp(what, "refuse") == 0 || strcmp(what, "accept") == 0) {
        r->register_code = what[0] == 'r' ? DN_COAP_FORBIDDEN : DN_COAP_CREATED;
    } else if (strcmp(what, "forget") == 0 || strcmp(what, "know") == 0) {
        r->update_code = what[0] == 'f' ? DN_COAP_NOT_FOUND : DN_COAP_CHANGED;
    } else if (strcmp(what, "keep") == 0) {
        r->deregister_code = 0;
    } else if (strcmp(what, "disable") == 0) {
        (void)rig_send(r, DN_COAP_POST, "/1/0/4", -1, NULL);
    } else if (strcmp(what, "trigger") == 0) {
        (void)rig_send(r, DN_COAP_POST, "/1/0/8", -1, NULL);
    } else if (strcmp(what, "trigger-t") == 0) {
        (void)rig_send(r, DN_COAP_POST, "/1/0/8", 0, "0='T'");
    } else if (strcmp(what, "move") == 0) {
        must(dn_simlink_rebind(r->link, &r->server_address) == DUNLIN_OK, "it cannot move");
    } else if (strcmp(what, "observe") == 0) {
        do_observe(w);
    } else {
        return strcmp(what, "run") == 0;
    }
    return true;
}

static void step(ways *w, const char *text)
{
    unsigned second = 0;
    unsigned server = 1;
    char what[24] = "";
    int alert = -1;
    const bool read = sscanf(text, "%u %23[a-z-]@%u %d", &second, what, &server, &alert) >= 3 ||
                      sscanf(text, "%u %23[a-z-] %d", &second, what, &alert) >= 2;
    must(read, text);
    const uint64_t at = second * SECOND;
    const uint64_t now = dn_simlink_now(w->r.link);
    rig_run(&w->r, at > now ? at - now : 0);
    must(do_call(w, what, server, alert) || do_world(w, what), text);
    rig_run(&w->r, 0);
}

void ways_play(ways *w, const char *script)
{
    char one[64];
    while (*script != '\0') {
        const size_t len = strcspn(script, ";");
        must(len < sizeof one, script);
        memcpy(one, script, len);
        one[len] = '\0';
        step(w, one);
        script += len + (script[len] == ';');
        script += strspn(script, " ");
    }
}
