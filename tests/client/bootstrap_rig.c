/* SPDX-License-Identifier: Apache-2.0 */
/* A client to configure, and requests without a network. */
#include "tests/client/bootstrap_rig.h"

#include "client/account.h"
#include "client/bootstrap_operation.h"
#include "client/resource.h"
#include "client/tree.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 256
#define TEXT_MAX    65536

static void must(bool so, const char *what)
{
    if (!so) {
        (void)fprintf(stderr, "bootstrap_rig: %s failed\n", what);
        abort();
    }
}

static const char bootstrap_account[] =
    "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coaps://bs\"},{\"n\":\"1\",\"vb\":true},{\"n\":\"2\",\"v\":0},"
    "{\"n\":\"3\",\"vd\":\"aWQ\"},{\"n\":\"5\",\"vd\":\"c2VjcmV0LW9mLWJz\"},{\"n\":\"11\",\"v\":7}]";

static const char accounts[] =
    "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coaps://one\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":0},"
    "{\"n\":\"3\",\"vd\":\"b25l\"},{\"n\":\"5\",\"vd\":\"c2VjcmV0LW9mLW9uZQ\"},{\"n\":\"10\",\"v\":101},"
    "{\"bn\":\"/0/2/\",\"n\":\"0\",\"vs\":\"coap://two\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3},"
    "{\"n\":\"10\",\"v\":102},"
    "{\"bn\":\"/1/0/"
    "\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"},"
    "{\"bn\":\"/1/1/"
    "\",\"n\":\"0\",\"v\":102},{\"n\":\"1\",\"v\":600},{\"n\":\"6\",\"vb\":false},{\"n\":\"7\",\"vs\":\"U\"},"
    "{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":0},{\"n\":\"3\",\"v\":101},"
    "{\"bn\":\"/2/1/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":1},{\"n\":\"3\",\"v\":102},"
    "{\"bn\":\"/2/2/\",\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":0},{\"n\":\"2/101\",\"v\":15},{\"n\":\"2/"
    "102\",\"v\":15},"
    "{\"n\":\"3\",\"v\":65535},"
    "{\"bn\":\"/2/3/\",\"n\":\"0\",\"v\":33000},{\"n\":\"1\",\"v\":0},{\"n\":\"2/"
    "102\",\"v\":1},{\"n\":\"3\",\"v\":101}]";

static void provision(bootstrap_rig *b, const char *json)
{
    const dunlin_status status =
        dunlin_client_provision(b->r.client, dunlin_path_root(), DN_FORMAT_SENML_JSON, dunlin_slice_of(json));
    must(status == DUNLIN_OK, "provisioning");
}

bootstrap_rig *bootstrap_rig_open(dunlin_lwm2m lwm2m, bool with_accounts)
{
    bootstrap_rig *b = calloc(1, sizeof *b);
    must(b != NULL, "memory");
    rig_open(&b->r, lwm2m, 1);
    b->r.config.bootstrap = true;
    b->r.config.servers = 2;
    b->r.config.credential_max = 64;
    b->r.config.max_body = 4096;
    rig_remake(&b->r);
    must(dunlin_access_add(b->r.client, b->access, BOOTSTRAP_ACCESS, 0) == DUNLIN_OK &&
             dunlin_oscore_add(b->r.client, b->oscore, BOOTSTRAP_OSCORE, 0) == DUNLIN_OK,
         "Objects 2 and 21");
    provision(b, bootstrap_account);
    if (with_accounts) {
        provision(b, accounts);
    }
    return b;
}

void bootstrap_rig_close(bootstrap_rig *b)
{
    rig_close(&b->r);
    free(b);
}

/* Options of one number after another, each below 13 + 256 bytes. */
static void put_option(uint8_t *out, size_t *len, unsigned delta, const char *value, size_t value_len)
{
    must(*len + value_len + 3 <= OPTIONS_MAX && value_len < 13 + 256 && delta < 13, "an option");
    out[(*len)++] = (uint8_t)(delta << 4 | (value_len < 13 ? value_len : 13));
    if (value_len >= 13) {
        out[(*len)++] = (uint8_t)(value_len - 13);
    }
    memcpy(out + *len, value, value_len);
    *len += value_len;
}

static size_t put_options(uint8_t *out, const bootstrap_request *request)
{
    size_t len = 0;
    unsigned number = 0;
    const char *at = request->path;
    while (*at == '/' && at[1] != '\0') {
        const char *end = strchr(++at, '/');
        end = end == NULL ? at + strlen(at) : end;
        put_option(out, &len, DN_OPTION_URI_PATH - number, at, (size_t)(end - at));
        number = DN_OPTION_URI_PATH;
        at = end;
    }
    if (request->query != NULL) {
        put_option(out, &len, DN_OPTION_URI_QUERY - number, request->query, strlen(request->query));
    }
    return len;
}

const char *bootstrap_rig_ask(bootstrap_rig *b, const bootstrap_request *request)
{
    uint8_t options[OPTIONS_MAX];
    dn_coap_reply reply;
    dunlin_buf body = dunlin_buf_make(b->body, b->r.config.max_body);
    const size_t len = request->len > 0           ? request->len
                       : request->payload == NULL ? 0
                                                  : strlen(request->payload);
    dn_coap_incoming incoming = {
        .code = request->method,
        .content_format = request->format == 0 ? DN_FORMAT_NONE : (uint16_t)(request->format - 1),
        .accept = request->accept == 0 ? DN_FORMAT_NONE : (uint16_t)(request->accept - 1),
        .payload = dunlin_slice_make(request->payload, len),
    };
    incoming.options.raw = dunlin_slice_make(options, put_options(options, request));
    dn_coap_reply_init(&reply, 0);
    const uint8_t code = dn_client_bootstrap_operate(b->r.client, dn_client_bootstrap_operation_of(&incoming),
                                                     &incoming, &body, &reply);
    must(code == reply.code && reply.payload.len < sizeof b->answer, "the answer");
    if (reply.payload.len > 0) {
        memcpy(b->answer, reply.payload.data, reply.payload.len);
    }
    b->answer[reply.payload.len] = '\0';
    b->answer_len = reply.payload.len;
    b->answer_format = reply.content_format;
    return rig_code(code);
}

const char *bootstrap_rig_put(bootstrap_rig *b, const char *path, const char *json)
{
    const bootstrap_request request = {.method = DN_COAP_PUT,
                                       .path = path,
                                       .format = BOOTSTRAP_FORMAT(DN_FORMAT_SENML_JSON),
                                       .payload = json};
    return bootstrap_rig_ask(b, &request);
}

const char *bootstrap_rig_delete(bootstrap_rig *b, const char *path)
{
    const bootstrap_request request = {.method = DN_COAP_DELETE, .path = path};
    return bootstrap_rig_ask(b, &request);
}

static void dump_value(const dn_place *place, char *out, size_t size)
{
    dunlin_value value;
    uint8_t text[1024];
    dunlin_buf buf = dunlin_buf_make(text, sizeof text);
    if (place->resource == NULL || dn_client_resource_load(place, &value) != DUNLIN_OK ||
        dn_value_to_text(&value, &buf) != DUNLIN_OK) {
        return;
    }
    const size_t len = strlen(out);
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    (void)dunlin_path_format(place->path, path);
    must(snprintf(out + len, size - len, "%s=%.*s;", path, (int)buf.len, (const char *)text) <
             (int)(size - len),
         "the dump");
}

const char *bootstrap_rig_dump(bootstrap_rig *b, const char *base)
{
    static char text[TEXT_MAX]; /* one test runs at a time */
    dunlin_path path;
    text[0] = '\0';
    must(dunlin_path_parse(dunlin_slice_of(base), &path) == DUNLIN_OK, "a path");
    for (uint16_t i = 0; i < b->r.client->object_count; i++) {
        dn_place place;
        dn_walk walk;
        const dunlin_path object = dunlin_path_object(b->r.client->objects[i].def->id);
        const dunlin_path from = path.depth == 0 ? object : path;
        if (!dunlin_path_within(from, object) ||
            dn_client_tree_find(b->r.client, from, true, &place) != DUNLIN_OK) {
            continue;
        }
        dn_client_walk_start(&walk, &place);
        while (dn_client_walk_next(&walk)) {
            dump_value(&walk.at, text, sizeof text);
        }
    }
    return text;
}
