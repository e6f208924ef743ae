/* SPDX-License-Identifier: Apache-2.0 */
/* Execute, and its arguments (Core 1.1.1 section 6.3.5). */
#include "client/formats.h"
#include "client/operation.h"
#include "client/resource.h"
#include <string.h>

/* CHAR of the grammar: '!', 0x23-0x26, 0x28-0x5B, 0x5D-0x7E. */
static bool argument_char(uint8_t c)
{
    return c == 0x21 || (c >= 0x23 && c <= 0x26) || (c >= 0x28 && c <= 0x5B) || (c >= 0x5D && c <= 0x7E);
}

/* Reads `d` or `d='text'` at `*at`. Each digit may stand once. */
static bool read_argument(dunlin_slice text, size_t *at, dunlin_arguments *arguments)
{
    if (*at >= text.len || text.data[*at] < '0' || text.data[*at] > '9') {
        return false;
    }
    const unsigned digit = (unsigned)(text.data[(*at)++] - '0');
    if ((arguments->present >> digit & 1) != 0) {
        return false;
    }
    arguments->present = (uint16_t)(arguments->present | 1u << digit);
    if (*at >= text.len || text.data[*at] != '=') {
        return true;
    }
    ++*at;
    if (*at >= text.len || text.data[*at] != '\'') {
        return false;
    }
    const size_t start = ++*at;
    while (*at < text.len && argument_char(text.data[*at])) {
        ++*at;
    }
    if (*at >= text.len || text.data[*at] != '\'') {
        return false;
    }
    arguments->value[digit] = dunlin_slice_make(text.data + start, *at - start);
    ++*at;
    return true;
}

static void skip_blanks(dunlin_slice text, size_t *at)
{
    while (*at < text.len && text.data[*at] == ' ') {
        ++*at;
    }
}

/* The list, with blanks around the commas as the printed examples have them. */
static bool read_arguments(dunlin_slice text, dunlin_arguments *arguments)
{
    size_t at = 0;
    if (text.len == 0) {
        return true;
    }
    for (;;) {
        skip_blanks(text, &at);
        if (!read_argument(text, &at, arguments)) {
            return false;
        }
        skip_blanks(text, &at);
        if (at == text.len) {
            return true;
        }
        if (text.data[at++] != ',') {
            return false;
        }
    }
}

uint8_t dn_client_operation_execute(dn_operation *op)
{
    const dn_coap_incoming *request = op->request;
    const dunlin_resource *resource = op->at.resource;
    dn_coap_options walk = request->options;
    dunlin_slice text = request->payload;
    dunlin_slice query;
    dunlin_arguments arguments;
    memset(&arguments, 0, sizeof arguments);

    if ((resource->flags & DUNLIN_E) == 0) {
        return DN_COAP_METHOD_NOT_ALLOWED;
    }
    if (text.len > 0 && request->content_format != DN_FORMAT_NONE &&
        dn_format_canonical(request->content_format) != DN_FORMAT_TEXT) {
        return DN_COAP_BAD_REQUEST;
    }
    /* The Transport document shows /1/x/8?0='U', Core a payload: both are taken, but not together. */
    if (dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
        if (text.len > 0) {
            return DN_COAP_BAD_REQUEST;
        }
        text = query;
        if (dn_coap_option_find(&walk, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
            return DN_COAP_BAD_REQUEST;
        }
    }
    if (!read_arguments(text, &arguments)) {
        return DN_COAP_BAD_REQUEST;
    }
    const dunlin_call call = dn_client_resource_call(&op->at);
    const dunlin_status status = resource->execute(&call, &arguments);
    if (status != DUNLIN_OK) {
        return dn_client_code_of(status);
    }
    const dunlin_client_event event = {.kind = DUNLIN_CLIENT_EXECUTED,
                                       .server = op->at.server,
                                       .path = op->at.path,
                                       .arguments = &arguments};
    dn_client_tell(op->client, &event);
    return DN_COAP_CHANGED;
}
