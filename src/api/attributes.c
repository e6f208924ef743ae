/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes; see attributes.h. */
#include "api/attributes.h"

#include "api/json_write.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MAX 40
#define NUMBER_MAX 1e15
#define TEXT_MAX   80u

static const struct {
    const char *name;
    bool real; /* else a number of seconds */
} known[] = {{"pmin", false}, {"pmax", false},  {"gt", true},    {"lt", true},
             {"st", true},    {"epmin", false}, {"epmax", false}};

static bool fail(dn_node_error *error, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(dn_node_error *error, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->detail, sizeof error->detail, format, arguments);
    va_end(arguments);
    snprintf(error->pointer, sizeof error->pointer, "%s%.20s", key[0] != 0 ? "/" : "", key);
    return false;
}

/* Digits and a point only: attributes have no exponents. */
static bool put_real(dn_text *query, double number)
{
    char text[TEXT_MAX];
    if (!isfinite(number) || fabs(number) >= NUMBER_MAX) {
        return false;
    }
    for (int places = 0; places <= PLACES_MAX; places++) {
        snprintf(text, sizeof text, "%.*f", places, number);
        double back = strtod(text, NULL);
        if (!(back < number) && !(back > number)) {
            dn_text_put(query, text);
            return true;
        }
    }
    return false;
}

static bool put_value(const json_t *value, bool real, dn_text *query)
{
    int64_t seconds;
    if (json_is_null(value)) {
        return true;
    }
    dn_text_char(query, '=');
    if (real) {
        return json_is_number(value) && put_real(query, json_number_value(value));
    }
    if (!dn_jsonr_integer(value, 0, UINT32_MAX, &seconds)) {
        return false;
    }
    dn_text_signed(query, seconds);
    return true;
}

bool dn_attributes_query(const json_t *body, dn_text *query, dn_node_error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(body) || json_object_size(body) == 0) {
        return fail(error, "", "must be an object with attributes, such as {\"pmin\": 5, \"gt\": null}");
    }
    json_object_foreach((json_t *)(uintptr_t)body, key, value)
    {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && strcmp(known[i].name, key) != 0) {
            i++;
        }
        if (i == sizeof known / sizeof known[0]) {
            return fail(error, "", "there is no attribute \"%.40s\": pmin, pmax, gt, lt, st, epmin, epmax",
                        key);
        }
        if (query->len > 0) {
            dn_text_char(query, '&');
        }
        dn_text_put(query, key);
        if (!put_value(value, known[i].real, query)) {
            return fail(error, key, "must be %s, or null to unset it",
                        known[i].real ? "a number that decimals can say" : "a number of seconds");
        }
    }
    return !query->failed || fail(error, "", "no memory");
}
