/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and query parameters; see query.h. */
#include "api/query.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place; the text never grows. A zero byte is refused: it would end the text early for some readers. */
static bool decode(char *text, bool plus_is_blank, size_t *len)
{
    char *to = text;
    for (const char *from = text; *from != 0; from++) {
        char c = *from;
        if (c == '%') {
            int high = hex_digit(from[1]);
            int low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0 || (high | low) == 0) {
                return false;
            }
            c = (char)(high << 4 | low);
            from += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = 0;
    *len = (size_t)(to - text);
    return true;
}

bool dn_query_parse(char *text, dn_query *query)
{
    query->count = 0;
    char *next = text;
    while (next != NULL && *next != 0) {
        char *name = next;
        next = strchr(name, '&');
        if (next != NULL) {
            *next++ = 0;
        }
        if (*name == 0) {
            continue;
        }
        char *value = strchr(name, '=');
        if (value != NULL) {
            *value++ = 0;
        }
        size_t len;
        if (query->count == DN_QUERY_MAX || !decode(name, true, &len) ||
            (value != NULL && !decode(value, true, &len)) || dn_query_get(query, name) != NULL) {
            return false;
        }
        query->parameter[query->count].name = name;
        query->parameter[query->count].value = value != NULL ? value : "";
        query->count++;
    }
    return true;
}

const char *dn_query_get(const dn_query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++) {
        if (strcmp(query->parameter[i].name, name) == 0) {
            return query->parameter[i].value;
        }
    }
    return NULL;
}

bool dn_query_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    uint64_t sum = 0;
    if (*text == 0) {
        return false;
    }
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9' || sum > (UINT64_MAX - 9) / 10) {
            return false;
        }
        sum = sum * 10 + (uint64_t)(*text - '0');
    }
    *number = sum;
    return sum >= least && sum <= most;
}

bool dn_segments_parse(char *path, dn_segments *segments)
{
    segments->count = 0;
    char *next = path[0] == '/' ? path + 1 : NULL;
    while (next != NULL) {
        char *segment = next;
        next = strchr(segment, '/');
        if (next != NULL) {
            *next++ = 0;
        }
        size_t len;
        if (segments->count == DN_SEGMENTS_MAX || !decode(segment, false, &len)) {
            return false;
        }
        segments->segment[segments->count++] = dunlin_slice_make(segment, len);
    }
    return true;
}
