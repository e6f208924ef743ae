/* SPDX-License-Identifier: Apache-2.0 */
/* What a device says of the protocols that it fetches packages by. */
#include "apps/dunlin/pull.h"

#include "apps/dunlin/device.h"
#include "apps/dunlin/show.h"

#include <string.h>

#define HTTP_OK        200
#define HTTP_NOT_FOUND 404
#define PROTOCOLS      6u
#define COAP           0u

/* Object 5, resource 8; numbers of later versions mean nothing here. */
static const char *const schemes[PROTOCOLS] = {"coap", "coaps", "http", "https", "coap+tcp", "coaps+tcp"};
static const char *const transports[PROTOCOLS] = {"udp", "dtls", "", "", "tcp", "tls"};

/* The answer's document; NULL: no success. */
static json_t *get(dn_text *url, long *status)
{
    dn_answer answer = dn_rest("GET", url->data, NULL, 0, NULL);
    json_t *body = dn_show_load(answer.body.data, answer.body.len);
    *status = answer.status;
    dn_answer_free(&answer);
    dn_text_free(url);
    return body;
}

static void look_at_protocols(const dn_options *options, const char *endpoint, dn_pull *out)
{
    dn_device_path path;
    long status = 0;
    size_t i = 0;
    const json_t *entry = NULL;
    (void)dn_device_path_read("firmware", "/5/0/8", 3, 3, &path);
    dn_text url = dn_device_url(options, endpoint, "", &path, "");
    json_t *body = get(&url, &status);
    out->said = status == HTTP_OK;
    out->known = out->said || strcmp(dn_show_text(body, "coapCode"), "4.04") == 0;
    out->set = out->said ? 0 : 1u << COAP;
    json_array_foreach(json_object_get(json_object_get(body, "node"), "values"), i, entry)
    {
        const json_int_t protocol = json_integer_value(json_object_get(entry, "value"));
        if (protocol >= 0 && protocol < (json_int_t)PROTOCOLS) {
            out->set |= 1u << protocol;
        }
    }
    json_decref(body);
}

static void look_at_registration(const dn_options *options, const char *endpoint, dn_pull *out)
{
    dn_text path = {0};
    long status = 0;
    dn_text_puts(&path, "/clients/");
    dn_text_percent(&path, endpoint);
    dn_text url = dn_rest_url(options, path.data, false);
    json_t *body = get(&url, &status);
    for (size_t i = 0; i < PROTOCOLS; i++) {
        if (strcmp(dn_show_text(body, "transport"), transports[i]) == 0 && transports[i][0] != '\0') {
            (void)snprintf(out->scheme, sizeof out->scheme, "%s", schemes[i]);
        }
    }
    json_decref(body);
    dn_text_free(&path);
}

void dn_pull_look(const dn_options *options, const char *endpoint, dn_pull *out)
{
    memset(out, 0, sizeof *out);
    look_at_protocols(options, endpoint, out);
    look_at_registration(options, endpoint, out);
}

bool dn_pull_can(const dn_pull *pull, const char *uri)
{
    const size_t len = strcspn(uri, ":");
    bool can = !pull->known;
    for (size_t i = 0; i < PROTOCOLS; i++) {
        can = can ||
              ((pull->set >> i & 1u) != 0 && strlen(schemes[i]) == len && strncmp(uri, schemes[i], len) == 0);
    }
    return can;
}

const char *dn_pull_choose(const dn_pull *pull, const json_t *uris)
{
    size_t i = 0;
    const json_t *uri = NULL;
    json_array_foreach(uris, i, uri)
    {
        if (json_is_string(uri) && dn_pull_can(pull, json_string_value(uri))) {
            return json_string_value(uri);
        }
    }
    return NULL;
}

void dn_pull_names(const dn_pull *pull, char *out, size_t size)
{
    unsigned left = 0;
    size_t len = 0;
    for (size_t i = 0; i < PROTOCOLS; i++) {
        left += pull->set >> i & 1u;
    }
    (void)snprintf(out, size, "nothing that is known here");
    for (size_t i = 0; i < PROTOCOLS && len < size; i++) {
        if ((pull->set >> i & 1u) != 0) {
            left--;
            const char *after = left == 0 ? "" : left == 1 ? " and " : ", ";
            len += (size_t)snprintf(out + len, size - len, "%s%s", schemes[i], after);
        }
    }
}
