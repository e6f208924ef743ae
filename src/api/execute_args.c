/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of an Execute; see execute_args.h. */
#include "api/execute_args.h"

#include "api/json_read.h"

#include <stdio.h>
#include <string.h>

/* The characters of an argument's text: printable ASCII without blank, quotes and backslash. */
static bool is_arg_char(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
}

static bool take_arg(dunlin_slice text, size_t *at, unsigned *seen)
{
    if (*at >= text.len || text.data[*at] < '0' || text.data[*at] > '9') {
        return false;
    }
    unsigned bit = 1u << (text.data[(*at)++] - '0');
    if ((*seen & bit) != 0) {
        return false;
    }
    *seen |= bit;
    if (*at >= text.len || text.data[*at] != '=') {
        return true;
    }
    (*at)++;
    if (*at >= text.len || text.data[(*at)++] != '\'') {
        return false;
    }
    while (*at < text.len && is_arg_char(text.data[*at])) {
        (*at)++;
    }
    return *at < text.len && text.data[(*at)++] == '\'';
}

bool dn_execute_args_valid(dunlin_slice text)
{
    unsigned seen = 0;
    size_t at = 0;
    if (text.len == 0) {
        return true;
    }
    while (take_arg(text, &at, &seen)) {
        if (at == text.len) {
            return true;
        }
        if (text.data[at++] != ',') {
            return false;
        }
    }
    return false;
}

static bool write_list(const json_t *list, dn_text *args)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *element = json_array_get(list, i);
        const json_t *value = json_object_get(element, "value");
        int64_t id;
        dunlin_slice text;
        if (!dn_jsonr_integer(json_object_get(element, "id"), 0, 9, &id) ||
            json_object_size(element) != (value == NULL ? 1u : 2u)) {
            return false;
        }
        if (i > 0) {
            dn_text_char(args, ',');
        }
        dn_text_unsigned(args, (uint64_t)id);
        if (value != NULL) {
            if (!dn_jsonr_string(value, &text)) {
                return false;
            }
            dn_text_put(args, "='");
            dn_text_slice(args, text);
            dn_text_char(args, '\'');
        }
    }
    return true;
}

static bool refuse(dn_call *call, const char *pointer)
{
    dn_call_problem_with(
        call, (dn_problem){.kind = DN_PROBLEM_INVALID_VALUE,
                           .pointer = pointer,
                           .detail = "Arguments are \"0='text',1\" or [{\"id\":0,\"value\":\"text\"},"
                                     "{\"id\":1}]: one digit each, none twice; a text is printable "
                                     "ASCII without blanks, quotes and backslashes."});
    return false;
}

bool dn_execute_args(dn_call *call, dn_text *args)
{
    char error[DN_JSON_ERROR_MAX];
    if (call->body.len == 0) {
        return true;
    }
    json_t *body = dn_jsonr_parse(dn_text_view(&call->body), error);
    if (body == NULL) {
        dn_call_problem(call, DN_PROBLEM_MALFORMED_JSON, "%s", error);
        return false;
    }
    const json_t *list = json_object_get(body, "args");
    dunlin_slice text;
    bool shape = json_is_object(body) && json_object_size(body) == (list == NULL ? 0u : 1u);
    bool good = shape;
    if (list != NULL && shape) {
        if (dn_jsonr_string(list, &text)) {
            dn_text_slice(args, text);
        } else {
            good = json_is_array(list) && write_list(list, args);
        }
        good = good && !args->failed && dn_execute_args_valid(dn_text_view(args));
    }
    json_decref(body);
    return good ? true : refuse(call, shape ? "/args" : "");
}
