/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends, the Objects of the client, and the script of the server. */
#include "tests/client/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_OPTIONS_MAX 16
#define SERVER_BODY      8192

static void must(bool so)
{
    if (!so) {
        (void)fprintf(stderr, "rig: the test's own machinery failed\n");
        abort();
    }
}

/* ---- Objects ---- */

static dunlin_status refuse_13(const dunlin_call *call, const dunlin_value *value)
{
    (void)call;
    return value->as.integer == 13 ? DUNLIN_ERR_RANGE : DUNLIN_OK;
}

static dunlin_status stubborn_set(const dunlin_call *call, const dunlin_value *value)
{
    rig_things *t = call->instance;
    if (value->as.integer == 13) {
        return DUNLIN_ERR_IO;
    }
    t->stubborn_told = (int32_t)value->as.integer;
    return DUNLIN_OK;
}

static dunlin_status kept_get(const dunlin_call *call, dunlin_value *value)
{
    const rig_things *t = call->instance;
    *value = dunlin_integer(t->kept);
    return DUNLIN_OK;
}

static dunlin_status kept_set(const dunlin_call *call, const dunlin_value *value)
{
    rig_things *t = call->instance;
    t->kept = (int32_t)value->as.integer;
    return DUNLIN_OK;
}

static dunlin_status run(const dunlin_call *call, const dunlin_arguments *arguments)
{
    rig_things *t = call->instance;
    if ((arguments->present & 1u << 9) != 0) {
        return DUNLIN_ERR_STATE;
    }
    t->ran++;
    t->ran_with[0] = '\0';
    for (unsigned i = 0; i < 10; i++) {
        if ((arguments->present >> i & 1) != 0) {
            char one[32];
            (void)snprintf(one, sizeof one, "[%u:%.*s]", i, (int)arguments->value[i].len,
                           (const char *)arguments->value[i].data);
            strncat(t->ran_with, one, sizeof t->ran_with - strlen(t->ran_with) - 1);
        }
    }
    return DUNLIN_OK;
}

static const dunlin_resource things_table[] = {
    {DUNLIN_FIELD(RIG_NUMBER, INTEGER, DUNLIN_RW | DUNLIN_MANDATORY, rig_things, number), .min = -1000,
     .max = 1000},
    {DUNLIN_FIELD(RIG_SMALL, UNSIGNED, DUNLIN_RW, rig_things, small)},
    {DUNLIN_FIELD(RIG_REAL, FLOAT, DUNLIN_RW, rig_things, real)},
    {DUNLIN_FIELD(RIG_FLAG, BOOLEAN, DUNLIN_RW, rig_things, flag)},
    {DUNLIN_FIELD(RIG_TEXT, STRING, DUNLIN_RW, rig_things, text)},
    {DUNLIN_FIELD(RIG_BLOB, OPAQUE, DUNLIN_RW, rig_things, blob)},
    {DUNLIN_FIELD(RIG_WHEN, TIME, DUNLIN_RW, rig_things, when)},
    {DUNLIN_FIELD(RIG_LINK, OBJLNK, DUNLIN_RW, rig_things, link)},
    {DUNLIN_LIST(RIG_COUNTS, INTEGER, DUNLIN_RW, rig_things, counts)},
    {DUNLIN_LIST(RIG_LABELS, STRING, DUNLIN_RW, rig_things, labels)},
    {DUNLIN_FIELD(RIG_GUARDED, INTEGER, DUNLIN_RW, rig_things, guarded), .check = refuse_13},
    {DUNLIN_FIELD(RIG_STUBBORN, INTEGER, DUNLIN_RW, rig_things, stubborn), .set = stubborn_set},
    {DUNLIN_CALL(RIG_KEPT, INTEGER, DUNLIN_RW), .get = kept_get, .set = kept_set},
    {DUNLIN_FIELD(RIG_OPTIONAL, INTEGER, DUNLIN_RW | DUNLIN_ABSENT, rig_things, optional)},
    {DUNLIN_FIELD(RIG_SECRET, INTEGER, DUNLIN_W, rig_things, secret)},
    {DUNLIN_EXECUTE(RIG_RUN, 0, run)},
    {DUNLIN_CONSTANT(RIG_FIXED, "fixed")},
};

static const dunlin_object things_object = {
    .id = RIG_OBJECT,
    DUNLIN_TABLE(things_table),
    .flags = DUNLIN_MULTIPLE | DUNLIN_DYNAMIC,
    .size = sizeof(rig_things),
    .major = 1,
    .minor = 2,
};

static dunlin_status reset_range(const dunlin_call *call, const dunlin_arguments *arguments)
{
    rig_thermometer *t = call->instance;
    (void)arguments;
    t->least = t->most = t->value;
    return DUNLIN_OK;
}

static const dunlin_resource thermometer_table[] = {
    {DUNLIN_FIELD(5601, FLOAT, DUNLIN_R, rig_thermometer, least)},
    {DUNLIN_FIELD(5602, FLOAT, DUNLIN_R, rig_thermometer, most)},
    {DUNLIN_EXECUTE(5605, 0, reset_range)},
    {DUNLIN_FIELD(5700, FLOAT, DUNLIN_R | DUNLIN_MANDATORY, rig_thermometer, value)},
    {DUNLIN_CONSTANT(5701, "Cel")},
};

static const dunlin_object thermometer_object = {
    .id = 3303,
    DUNLIN_TABLE(thermometer_table),
    .flags = DUNLIN_MULTIPLE,
    .size = sizeof(rig_thermometer),
};

/* ---- the client's surroundings ---- */

static void client_send(void *context, const dunlin_peer *peer, dunlin_slice datagram)
{
    rig *r = context;
    dn_peer to = {.len = peer->len};
    memcpy(to.bytes, peer->bytes, sizeof to.bytes);
    const bool stream = dn_peer_equal(&to, &r->server_stream);
    dn_simlink_send(r->link, stream ? &r->client_stream : &r->client_address, &to, datagram);
}

static void client_random(void *context, void *out, size_t len)
{
    rig *r = context;
    const dn_random random = dn_seeded_random(&r->client_seed);
    random.fill(random.context, out, len);
}

static dunlin_status client_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    const rig *r = context;
    const bool other = strcmp(uri, "coap://other") == 0 && r->other_address.len > 0;
    if (r->unresolvable || (!other && strcmp(uri, "coap://server") != 0)) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    const dn_peer *address = other ? &r->other_address : &r->server_address;
    peer->len = address->len;
    memcpy(peer->bytes, address->bytes, sizeof peer->bytes);
    return DUNLIN_OK;
}

static void client_event(void *context, const dunlin_client_event *event)
{
    rig *r = context;
    if (r->event_count < sizeof r->events / sizeof r->events[0]) {
        r->events[r->event_count++] = *event;
    }
}

static void client_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    rig *r = context;
    dunlin_peer peer = {.len = from->len};
    memcpy(peer.bytes, from->bytes, sizeof peer.bytes);
    dunlin_client_receive(r->client, &peer, datagram, now_ms);
}

static uint64_t client_deadline(void *context)
{
    return dunlin_client_deadline(((rig *)context)->client);
}

static void client_expire(void *context, uint64_t now_ms)
{
    dunlin_client_step(((rig *)context)->client, now_ms);
}

static void on_reboot(void *context)
{
    ((rig *)context)->reboots++;
}

static int64_t clock_get(void *context)
{
    return ((rig *)context)->clock_s;
}

static dunlin_status clock_set(void *context, int64_t unix_s)
{
    ((rig *)context)->clock_s = unix_s;
    return DUNLIN_OK;
}

/* ---- the server ---- */

static void server_send(void *context, const dn_peer *peer, dunlin_slice datagram)
{
    rig *r = context;
    const bool stream = dn_peer_equal(peer, &r->client_stream);
    dn_simlink_send(r->link, stream ? &r->server_stream : &r->server_address, peer, datagram);
}

static void join(char *out, dn_coap_options options, uint16_t number, char separator)
{
    dunlin_slice value;
    size_t len = 0;
    out[0] = '\0';
    while (dn_coap_option_find(&options, number, &value) == DUNLIN_OK && len + value.len + 2 < RIG_TEXT_MAX) {
        if (len > 0 || separator == '/') {
            out[len++] = separator;
        }
        memcpy(out + len, value.data, value.len);
        len += value.len;
        out[len] = '\0';
    }
}

static dn_coap_answered answer_file(rig *r, dn_coap_reply *reply)
{
    static dn_coap_option etag; /* until the engine has sent it; one rig at a time runs */
    etag = (dn_coap_option){DN_OPTION_ETAG, dunlin_slice_make(&r->file_etag, 1)};
    reply->code = r->file_code;
    if (r->file_code == DN_COAP_CONTENT) {
        reply->options = &etag;
        reply->option_count = 1;
        reply->source = r->file;
    }
    return r->file_code == 0 ? DN_COAP_LATER /* never */ : DN_COAP_ANSWERED;
}

static dn_coap_answered server_request(void *context, const dn_coap_incoming *request, dunlin_buf *body,
                                       dn_coap_reply *reply)
{
    static const dn_coap_option rd = {DN_OPTION_LOCATION_PATH, {(const uint8_t *)"rd", 2}};
    static dn_coap_option location[3]; /* until the engine has sent it; one rig at a time runs */
    rig *r = context;
    char *path = r->path;
    (void)body;
    join(path, request->options, DN_OPTION_URI_PATH, '/');
    join(r->query, request->options, DN_OPTION_URI_QUERY, '&');
    const size_t len = request->payload.len < RIG_TEXT_MAX ? request->payload.len : RIG_TEXT_MAX - 1;
    memcpy(r->list, request->payload.data == NULL ? (const uint8_t *)"" : request->payload.data, len);
    r->list[len] = '\0';
    r->list_format = request->content_format;
    const uint64_t now = dn_simlink_now(r->link);
    if (r->file != NULL && strcmp(path, "/fw") == 0 && request->code == DN_COAP_GET) {
        return answer_file(r, reply);
    }
    if (strcmp(path, "/rd") == 0 && request->code == DN_COAP_POST) {
        if (r->registers < 64) {
            r->heard_ms[r->registers] = now;
        }
        r->registers++;
        reply->code = r->register_code;
        location[0] = rd;
        location[1] = (dn_coap_option){DN_OPTION_LOCATION_PATH, dunlin_slice_of(r->location)};
        location[2] = (dn_coap_option){DN_OPTION_LOCATION_PATH, dunlin_slice_of(r->location_more)};
        reply->options = location;
        reply->option_count = r->location_more != NULL ? 3 : 2;
        if (r->register_code != DN_COAP_CREATED) {
            reply->option_count = 0;
        }
    } else if (strcmp(path, "/dp") == 0 && request->code == DN_COAP_POST) {
        r->sends++;
        r->sent_len = len;
        r->sent_format = request->content_format;
        memcpy(r->sent, r->list, len + 1);
        reply->code = r->send_code;
        if (r->send_code == 0) {
            return DN_COAP_LATER; /* never */
        }
    } else if (request->code == DN_COAP_POST) {
        if (r->updates < 64) {
            r->updated_ms[r->updates] = now;
        }
        r->updates++;
        reply->code = r->update_code;
    } else if (request->code == DN_COAP_DELETE) {
        r->deregisters++;
        reply->code = r->deregister_code;
        if (r->deregister_code == 0) {
            return DN_COAP_LATER; /* never */
        }
    } else {
        reply->code = DN_COAP_NOT_FOUND;
    }
    return DN_COAP_ANSWERED;
}

static bool server_notification(void *context, const dn_peer *peer, const dn_coap_response *notification)
{
    rig *r = context;
    (void)peer;
    if (r->notify_count < RIG_NOTIFY_MAX) {
        rig_notification *n = &r->notified[r->notify_count++];
        memset(n, 0, sizeof *n);
        n->at_ms = dn_simlink_now(r->link);
        n->code = notification->code;
        n->confirmable = notification->confirmable;
        n->observe = notification->observe;
        n->format = notification->content_format;
        n->token = notification->token;
        n->more = notification->more;
        n->len =
            notification->payload.len < sizeof n->payload ? notification->payload.len : sizeof n->payload - 1;
        if (n->len > 0) {
            memcpy(n->payload, notification->payload.data, n->len);
        }
    }
    return !r->reset;
}

static void server_stream_ended(void *context, const dn_peer *peer, dunlin_status status, dunlin_slice detail)
{
    rig *r = context;
    (void)peer;
    (void)detail;
    r->stream_status = status;
}

static void server_receive(void *context, const dn_peer *from, dunlin_slice datagram, uint64_t now_ms)
{
    rig *r = context;
    if (!r->mute) {
        dn_coap_receive(r->server, from, datagram, now_ms);
    }
}

static uint64_t server_deadline(void *context)
{
    return dn_coap_deadline(((rig *)context)->server);
}

static void server_expire(void *context, uint64_t now_ms)
{
    dn_coap_expire(((rig *)context)->server, now_ms);
}

static void open_server(rig *r, uint64_t seed)
{
    dn_coap_config config = dn_coap_config_default();
    config.max_body = SERVER_BODY;
    config.nstart = 4;
    config.exchanges = 16;
    config.connections = 2;
    const dn_coap_callbacks callbacks = {.send = server_send,
                                         .request = server_request,
                                         .notification = server_notification,
                                         .stream_ended = server_stream_ended,
                                         .context = r};
    dn_seeded_init(&r->server_seed, seed + 1);
    const dn_random random = dn_seeded_random(&r->server_seed);
    r->server =
        dn_coap_create(r->server_arena, sizeof r->server_arena, &config, &callbacks, &random, NULL, 0);
    must(r->server != NULL);
}

static void fill_device(rig *r)
{
    dunlin_device *d = &r->device;
    dunlin_device_init(d);
    d->has = DUNLIN_DEVICE_BATTERY | DUNLIN_DEVICE_CLOCK;
    d->manufacturer = "Dunlin";
    d->model = "rig";
    d->serial = "1";
    d->firmware = "1.0";
    d->power_sources.count = d->power_voltage_mv.count = d->power_current_ma.count = 2;
    for (uint16_t i = 0; i < 2; i++) {
        d->power_sources.id[i] = d->power_voltage_mv.id[i] = d->power_current_ma.id[i] = i;
        d->power_sources.value[i] = i == 0 ? 1 : 5;
        d->power_voltage_mv.value[i] = i == 0 ? 3800 : 5000;
        d->power_current_ma.value[i] = i == 0 ? 125 : 900;
    }
    d->battery_level = 100;
    d->reboot = on_reboot;
    d->clock_get = clock_get;
    d->clock_set = clock_set;
    d->context = r;
    r->clock_s = 1367491215;
    memcpy(d->utc_offset, "+02:00", sizeof "+02:00");
}

static void fill_things(rig *r)
{
    for (size_t i = 0; i < 2; i++) {
        rig_things *t = &r->things[i];
        t->number = 7;
        t->real = 22.5;
        t->when = 1367491215;
        t->link = (dunlin_objlnk){3, 0};
        memcpy(t->text, "hello", sizeof "hello");
        t->blob.len = 3;
        memcpy(t->blob.data, "\x01\x02\x03", 3);
        t->counts.count = 2;
        t->counts.id[0] = 0;
        t->counts.id[1] = 5;
        t->counts.value[0] = 10;
        t->counts.value[1] = 50;
    }
}

void rig_remake(rig *r)
{
    r->client = dunlin_client_create(r->client_arena, sizeof r->client_arena, &r->config, 0);
    must(r->client != NULL);
    dunlin_status status = dunlin_device_add(r->client, &r->device);
    must(status == DUNLIN_OK);
    status = dunlin_client_add_object(r->client, &things_object, r->things, RIG_THINGS, 2, r);
    must(status == DUNLIN_OK);
    status = dunlin_client_add_object(r->client, &thermometer_object, r->thermometer, 1, 1, r);
    must(status == DUNLIN_OK);
}

void rig_open(rig *r, dunlin_lwm2m lwm2m, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    r->register_code = DN_COAP_CREATED;
    r->update_code = DN_COAP_CHANGED;
    r->deregister_code = DN_COAP_DELETED;
    r->send_code = DN_COAP_CHANGED;
    r->file_code = DN_COAP_CONTENT;
    r->file_etag = 'a';
    r->location = "abc";
    r->link = dn_simlink_create(seed, 0);
    must(r->link != NULL);
    open_server(r, seed);
    const dn_simlink_endpoint server = {server_receive, server_deadline, server_expire, r};
    const dn_simlink_endpoint client = {client_receive, client_deadline, client_expire, r};
    dunlin_status status = dn_simlink_attach(r->link, &server, &r->server_address);
    must(status == DUNLIN_OK);

    dn_seeded_init(&r->client_seed, seed);
    r->config = dunlin_client_config_default();
    r->config.endpoint = "urn:dev:ops:rig-1";
    r->config.lwm2m = lwm2m;
    r->config.call = (dunlin_client_callbacks){.send = client_send,
                                               .random = client_random,
                                               .resolve = client_resolve,
                                               .event = client_event,
                                               .context = r};
    fill_device(r);
    fill_things(r);
    r->thermometer[0] = (rig_thermometer){21, 20, 22};
    rig_remake(r);
    dunlin_server account = dunlin_server_default();
    (void)snprintf(account.uri, sizeof account.uri, "coap://server");
    status = dunlin_client_add_server(r->client, &account);
    must(status == DUNLIN_OK);
    status = dn_simlink_attach(r->link, &client, &r->client_address);
    must(status == DUNLIN_OK);
}

void rig_add_stream(rig *r)
{
    const dn_simlink_endpoint server = {.receive = server_receive, .context = r};
    const dn_simlink_endpoint client = {.receive = client_receive, .context = r};
    dunlin_status status = dn_simlink_attach(r->link, &server, &r->server_stream);
    must(status == DUNLIN_OK);
    status = dn_simlink_attach(r->link, &client, &r->client_stream);
    must(status == DUNLIN_OK);
}

void rig_register(rig *r, dunlin_lwm2m lwm2m)
{
    rig_open(r, lwm2m, 1);
    dunlin_client_start(r->client, dn_simlink_now(r->link));
    rig_run(r, 100);
    must(dunlin_client_registered(r->client));
}

void rig_close(rig *r)
{
    dn_simlink_destroy(r->link);
}

void rig_run(rig *r, uint64_t ms)
{
    (void)dn_simlink_run(r->link, dn_simlink_now(r->link) + ms, NULL, NULL);
}

static void on_answer(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    rig *r = context;
    (void)exchange;
    r->answer.done = true;
    r->answer.status = status;
    if (response == NULL) {
        return;
    }
    r->answer.code = response->code;
    r->answer.format = response->content_format;
    r->answer.observe = response->observe;
    r->answer.len = response->payload.len;
    must(r->answer.len < sizeof r->answer.payload);
    if (r->answer.len > 0) {
        memcpy(r->answer.payload, response->payload.data, r->answer.len);
    }
    char joined[RIG_TEXT_MAX];
    join(joined, response->options, DN_OPTION_LOCATION_PATH, '/');
    (void)snprintf(r->answer.location, sizeof r->answer.location, "%.60s", joined);
}

static size_t split(dn_coap_option *options, uint16_t number, const char *text, char separator)
{
    size_t count = 0;
    while (text != NULL && *text != '\0') {
        const char *end = strchr(text, separator);
        const size_t len = end == NULL ? strlen(text) : (size_t)(end - text);
        must(count < PATH_OPTIONS_MAX);
        options[count++] = (dn_coap_option){number, dunlin_slice_make(text, len)};
        text = end == NULL ? NULL : end + 1;
    }
    return count;
}

static bool answered(void *context)
{
    return ((rig *)context)->answer.done;
}

const rig_answer *rig_ask(rig *r, const rig_request *request)
{
    return rig_ask_from(r, r->server, request);
}

const rig_answer *rig_ask_from(rig *r, dn_coap *engine, const rig_request *request)
{
    dn_coap_option options[2 * PATH_OPTIONS_MAX];
    dn_coap_outgoing outgoing;
    uint64_t exchange = 0;
    dn_coap_outgoing_init(&outgoing, request->method);
    size_t count = split(options, DN_OPTION_URI_PATH, request->path + (request->path[0] == '/'), '/');
    count += split(options + count, DN_OPTION_URI_QUERY, request->query, '&');
    outgoing.confirmable = !request->non;
    outgoing.options = options;
    outgoing.option_count = count;
    outgoing.content_format = request->has_format ? request->format : DN_COAP_NO_FORMAT;
    outgoing.accept = request->has_accept ? request->accept : DN_COAP_NO_FORMAT;
    outgoing.observe = request->observe ? 0 : request->cancel ? 1 : DN_COAP_NO_OBSERVE;
    outgoing.payload = dunlin_slice_make(request->payload, request->len);
    if (request->token != 0) {
        outgoing.token = (dn_coap_token){1, {request->token}};
    }
    memset(&r->answer, 0, sizeof r->answer);
    const dn_peer *to = r->by_stream ? &r->client_stream : &r->client_address;
    const dunlin_status status =
        dn_coap_request(engine, to, &outgoing, on_answer, r, dn_simlink_now(r->link), &exchange);
    must(status == DUNLIN_OK);
    (void)dn_simlink_run(r->link, dn_simlink_now(r->link) + 300000, answered, r);
    return &r->answer;
}

const rig_answer *rig_get(rig *r, const char *path, int accept)
{
    const rig_request request = {
        .method = DN_COAP_GET, .path = path, .has_accept = accept >= 0, .accept = (uint16_t)accept};
    return rig_ask(r, &request);
}

const rig_answer *rig_send(rig *r, uint8_t method, const char *path, int format, const char *payload)
{
    const rig_request request = {
        .method = method,
        .path = path,
        .has_format = format >= 0,
        .format = (uint16_t)format,
        .payload = payload,
        .len = payload == NULL ? 0 : strlen(payload),
    };
    return rig_ask(r, &request);
}

const char *rig_code(uint8_t code)
{
    static char text[8][8];
    static unsigned at;
    at = (at + 1) % 8;
    (void)snprintf(text[at], sizeof text[at], "%u.%02u", code >> 5, code & 31u);
    return text[at];
}

unsigned rig_events(const rig *r, dunlin_client_event_kind kind)
{
    unsigned count = 0;
    for (size_t i = 0; i < r->event_count; i++) {
        count += r->events[i].kind == kind ? 1 : 0;
    }
    return count;
}
