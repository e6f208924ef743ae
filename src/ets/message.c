/* SPDX-License-Identifier: Apache-2.0 */
/* A CoAP message as text for people. */
#include "codec/utf8.h"
#include "ets/text.h"
#include "ets/trace.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX  1024u /* bytes of a payload that is shown as it is */
#define SIGNAL_CSM 0xe1u /* 7.01; the other signals follow */

typedef struct {
    uint16_t number;
    const char *name;
    char form; /* t: text, n: number, x: bytes, b: block */
} option_row;

static const option_row OPTIONS[] = {
    {DN_OPTION_IF_MATCH, "If-Match", 'x'},
    {DN_OPTION_URI_HOST, "Uri-Host", 't'},
    {DN_OPTION_ETAG, "ETag", 'x'},
    {DN_OPTION_IF_NONE_MATCH, "If-None-Match", 'x'},
    {DN_OPTION_OBSERVE, "Observe", 'n'},
    {DN_OPTION_URI_PORT, "Uri-Port", 'n'},
    {DN_OPTION_LOCATION_PATH, "Location-Path", 't'},
    {DN_OPTION_OSCORE, "OSCORE", 'x'},
    {DN_OPTION_URI_PATH, "Uri-Path", 't'},
    {DN_OPTION_CONTENT_FORMAT, "Content-Format", 'n'},
    {DN_OPTION_MAX_AGE, "Max-Age", 'n'},
    {DN_OPTION_URI_QUERY, "Uri-Query", 't'},
    {DN_OPTION_ACCEPT, "Accept", 'n'},
    {DN_OPTION_LOCATION_QUERY, "Location-Query", 't'},
    {DN_OPTION_BLOCK2, "Block2", 'b'},
    {DN_OPTION_BLOCK1, "Block1", 'b'},
    {DN_OPTION_SIZE2, "Size2", 'n'},
    {DN_OPTION_PROXY_URI, "Proxy-Uri", 't'},
    {DN_OPTION_PROXY_SCHEME, "Proxy-Scheme", 't'},
    {DN_OPTION_SIZE1, "Size1", 'n'},
    {DN_OPTION_ECHO, "Echo", 'x'},
    {DN_OPTION_REQUEST_TAG, "Request-Tag", 'x'},
};

const char *dn_ets_code_name(uint8_t code)
{
    static const struct {
        uint8_t code;
        const char *name;
    } rows[] = {
        {DN_COAP_GET, "GET"},
        {DN_COAP_POST, "POST"},
        {DN_COAP_PUT, "PUT"},
        {DN_COAP_DELETE, "DELETE"},
        {DN_COAP_FETCH, "FETCH"},
        {DN_COAP_PATCH, "PATCH"},
        {DN_COAP_IPATCH, "iPATCH"},
        {DN_COAP_CREATED, "2.01 Created"},
        {DN_COAP_DELETED, "2.02 Deleted"},
        {DN_COAP_VALID, "2.03 Valid"},
        {DN_COAP_CHANGED, "2.04 Changed"},
        {DN_COAP_CONTENT, "2.05 Content"},
        {DN_COAP_CONTINUE, "2.31 Continue"},
        {DN_COAP_BAD_REQUEST, "4.00 Bad Request"},
        {DN_COAP_UNAUTHORIZED, "4.01 Unauthorized"},
        {DN_COAP_BAD_OPTION, "4.02 Bad Option"},
        {DN_COAP_FORBIDDEN, "4.03 Forbidden"},
        {DN_COAP_NOT_FOUND, "4.04 Not Found"},
        {DN_COAP_METHOD_NOT_ALLOWED, "4.05 Method Not Allowed"},
        {DN_COAP_NOT_ACCEPTABLE, "4.06 Not Acceptable"},
        {DN_COAP_INCOMPLETE, "4.08 Request Entity Incomplete"},
        {DN_COAP_CONFLICT, "4.09 Conflict"},
        {DN_COAP_PRECONDITION_FAILED, "4.12 Precondition Failed"},
        {DN_COAP_TOO_LARGE, "4.13 Request Entity Too Large"},
        {DN_COAP_UNSUPPORTED_FORMAT, "4.15 Unsupported Content-Format"},
        {DN_COAP_INTERNAL_ERROR, "5.00 Internal Server Error"},
        {DN_COAP_NOT_IMPLEMENTED, "5.01 Not Implemented"},
        {DN_COAP_UNAVAILABLE, "5.03 Service Unavailable"},
        {SIGNAL_CSM, "7.01 CSM"},
        {SIGNAL_CSM + 1, "7.02 Ping"},
        {SIGNAL_CSM + 2, "7.03 Pong"},
        {SIGNAL_CSM + 3, "7.04 Release"},
        {SIGNAL_CSM + 4, "7.05 Abort"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) {
            return rows[i].name;
        }
    }
    return NULL;
}

static void put_bytes(dn_ets_text *out, dunlin_slice bytes)
{
    for (size_t i = 0; i < bytes.len && i < SHOWN_MAX; i++) {
        dn_ets_text_printf(out, "%02x", bytes.data[i]);
    }
    if (bytes.len > SHOWN_MAX) {
        dn_ets_text_printf(out, "… (%zu bytes)", bytes.len);
    }
}

/* Text of a stranger: what could move a terminal's cursor is shown as its number. */
static void put_text(dn_ets_text *out, dunlin_slice text)
{
    const bool valid = dn_utf8_valid(text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f || (text.data[i] > 0x7f && !valid)) {
            dn_ets_text_printf(out, "\\x%02x", text.data[i]);
        } else {
            dn_ets_text_printf(out, "%c", text.data[i]);
        }
    }
}

static void put_format(dn_ets_text *out, uint32_t number)
{
    const dn_format *format = number <= 0xffff ? dn_format_find((uint16_t)number) : NULL;
    dn_ets_text_printf(out, "%u", (unsigned)number);
    if (format != NULL || number == DN_FORMAT_LINK) {
        dn_ets_text_printf(out, " (%s)", format != NULL ? format->media_type : "application/link-format");
    }
}

static void put_option(dn_ets_text *out, const dn_coap_option *option)
{
    const option_row *row = NULL;
    uint32_t number = 0;
    for (size_t i = 0; row == NULL && i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
        row = OPTIONS[i].number == option->number ? &OPTIONS[i] : NULL;
    }
    if (row == NULL) {
        dn_ets_text_printf(out, "\n  option %u: ", (unsigned)option->number);
        put_bytes(out, option->value);
        return;
    }
    dn_ets_text_printf(out, "\n  %s: ", row->name);
    const bool is_number = dn_coap_option_uint(option->value, &number);
    if (row->form == 't') {
        put_text(out, option->value);
    } else if (row->form == 'x' || !is_number) {
        put_bytes(out, option->value);
    } else if (row->form == 'b') {
        dn_ets_text_printf(out, "%u/%u/%zu", (unsigned)(number >> 4), (unsigned)(number >> 3 & 1),
                           dn_coap_block_size(number & 7));
    } else if (option->number == DN_OPTION_ACCEPT || option->number == DN_OPTION_CONTENT_FORMAT) {
        put_format(out, number);
    } else {
        dn_ets_text_printf(out, "%u", (unsigned)number);
    }
}

static void put_values(dn_ets_text *out, const dn_ets_values *values)
{
    char path[DUNLIN_PATH_TEXT_MAX + 1];
    for (size_t i = 0; i < values->count; i++) {
        const dn_ets_value *one = &values->list[i];
        (void)dunlin_path_format(one->path, path);
        if (one->text == NULL) {
            dn_ets_text_printf(out, "\n    %s", path);
        } else {
            dn_ets_text_printf(out, "\n    %s = ", path);
            put_text(out, dunlin_slice_of(one->text));
            dn_ets_text_printf(out, " (%s)", dunlin_type_name(one->type));
        }
        if (one->time_s != 0) {
            dn_ets_text_printf(out, " at %.3f", one->time_s);
        }
    }
}

static bool is_shown_as_it_is(uint16_t format)
{
    return format == DN_FORMAT_TEXT || format == DN_FORMAT_LINK || format == DN_COAP_NO_FORMAT;
}

static void put_payload(dn_ets_text *out, const dn_ets_message *message, dunlin_path base)
{
    const dn_coap_message *is = &message->is;
    dn_ets_values values = {.list = NULL};
    if (is->payload.len == 0) {
        return;
    }
    dn_ets_text_printf(out, "\n  payload, %zu bytes:", is->payload.len);
    const bool part = (is->has & (DN_COAP_HAS_BLOCK1 | DN_COAP_HAS_BLOCK2)) != 0 &&
                      (is->block1.more || is->block1.num > 0 || is->block2.more || is->block2.num > 0);
    if (is_shown_as_it_is(is->content_format)) {
        dn_ets_text_printf(out, " ");
        put_text(out, is->payload);
    } else if (!part && dn_ets_values_decode(&values, is->content_format, base, is->payload) == DUNLIN_OK) {
        put_values(out, &values);
        dn_ets_text_printf(out, "\n    bytes: ");
        put_bytes(out, is->payload);
    } else {
        dn_ets_text_printf(out, " ");
        put_bytes(out, is->payload);
    }
    dn_ets_values_clear(&values);
}

/* Message id, which streams have not, and token. */
static void put_numbers(dn_ets_text *out, const dn_coap_message *is, bool framed)
{
    if (!framed) {
        dn_ets_text_printf(out, " [mid %u", (unsigned)is->mid);
    }
    if (is->token.len > 0) {
        dn_ets_text_printf(out, framed ? " [token " : ", token ");
        put_bytes(out, dunlin_slice_make(is->token.bytes, is->token.len));
    }
    if (!framed || is->token.len > 0) {
        dn_ets_text_printf(out, "]");
    }
}

char *dn_ets_message_text(const dn_ets_message *message, dunlin_path base)
{
    static const char *const types[] = {"CON", "NON", "ACK", "RST"};
    dn_ets_text out = {.data = NULL};
    dn_ets_text_printf(&out, "%s ", message->to_device ? "server → device" : "device → server");
    if (!message->readable) {
        dn_ets_text_printf(&out, "no CoAP: ");
        put_bytes(&out, dunlin_slice_make(message->bytes, message->len));
        return out.data;
    }
    const dn_coap_message *is = &message->is;
    const char *name = dn_ets_code_name(is->code);
    const dn_transport transport = dn_peer_transport(&message->device);
    const bool framed = dn_transport_is_stream(transport);
    if (transport != DN_TRANSPORT_UDP) {
        static const char *const transports[] = {"UDP", "DTLS", "TCP", "TLS"};
        dn_ets_text_printf(&out, "(%s) ", transports[transport]);
    }
    if (!framed) {
        dn_ets_text_printf(&out, "%s ", types[is->type & 3]);
    }
    if (is->code == DN_COAP_EMPTY) {
        dn_ets_text_printf(&out, "empty");
    } else if (name != NULL) {
        dn_ets_text_printf(&out, "%s", name);
    } else {
        dn_ets_text_printf(&out, "%u.%02u", is->code >> 5, is->code & 31u);
    }
    if (dn_coap_is_request(is->code)) {
        dn_ets_text_printf(&out, " ");
        put_text(&out, dunlin_slice_of(message->path));
        dn_ets_text_printf(&out, "%s", message->query[0] != '\0' ? "?" : "");
        put_text(&out, dunlin_slice_of(message->query));
    }
    put_numbers(&out, is, framed);
    dn_ets_text_printf(&out, "%s%s", message->again ? " (again)" : "", message->lost ? " (lost)" : "");
    dn_coap_options walk = dn_coap_is_signal(is->code) ? (dn_coap_options){0} : is->options;
    dn_coap_option option;
    while (dn_coap_option_next(&walk, &option) == DUNLIN_OK) {
        put_option(&out, &option);
    }
    put_payload(&out, message, base);
    return out.data;
}
