/* SPDX-License-Identifier: Apache-2.0 */
/* A table of names and readers; each reader is the grammar of one parameter. */
#include "server/parameters.h"

#include "codec/utf8.h"

#include <string.h>

#define LIFETIME_DIGITS 10 /* of 4294967295 */
#define VERSION_DIGITS  2

static const char binding_letters[] = "UTSNMH";

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* C0 controls, DEL, and C1 controls, which UTF-8 writes as C2 80 .. C2 9F. The text ends up in logs,
 * terminals and pages. */
static bool has_control(dunlin_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0)) {
            return true;
        }
    }
    return false;
}

bool dn_parameters_is_endpoint(dunlin_slice name)
{
    return name.len > 0 && name.len <= DN_ENDPOINT_MAX && dn_utf8_valid(name) && !has_control(name);
}

static bool read_endpoint(dunlin_slice value, dn_parameters *out)
{
    out->endpoint = value;
    return dn_parameters_is_endpoint(value);
}

static bool read_number(dunlin_slice value, size_t digits, uint64_t *out)
{
    *out = 0;
    if (value.len == 0 || value.len > digits) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.data[i])) {
            return false;
        }
        *out = *out * 10 + (uint64_t)(value.data[i] - '0');
    }
    return true;
}

static bool read_lifetime(dunlin_slice value, dn_parameters *out)
{
    uint64_t seconds;
    if (!read_number(value, LIFETIME_DIGITS, &seconds) || seconds > UINT32_MAX) {
        return false;
    }
    out->lifetime_s = (uint32_t)seconds;
    return true;
}

static bool read_version(dunlin_slice value, dn_parameters *out)
{
    const uint8_t *dot = value.len > 0 ? memchr(value.data, '.', value.len) : NULL;
    if (dot == NULL) {
        return false;
    }
    size_t before = (size_t)(dot - value.data);
    uint64_t major, minor;
    if (!read_number(dunlin_slice_make(value.data, before), VERSION_DIGITS, &major) ||
        !read_number(dunlin_slice_make(dot + 1, value.len - before - 1), VERSION_DIGITS, &minor)) {
        return false;
    }
    out->version_major = (uint8_t)major;
    out->version_minor = (uint8_t)minor;
    return true;
}

static bool read_binding(dunlin_slice value, dn_parameters *out)
{
    bool queue = false;
    uint8_t binding = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == 'Q') {
            if (queue) {
                return false;
            }
            queue = true;
            continue;
        }
        const char *letter = value.data[i] != 0 ? strchr(binding_letters, value.data[i]) : NULL;
        uint8_t bit = letter != NULL ? (uint8_t)(1u << (letter - binding_letters)) : 0;
        if (bit == 0 || (binding & bit) != 0) {
            return false;
        }
        binding |= bit;
    }
    out->binding = binding;
    out->queue_mode = out->queue_mode || queue;
    return binding != 0;
}

static bool read_sms(dunlin_slice value, dn_parameters *out)
{
    uint64_t ignored;
    out->sms = value;
    return read_number(value, DN_SMS_MAX, &ignored);
}

static bool read_profile(dunlin_slice value, dn_parameters *out)
{
    uint64_t ignored;
    (void)out;
    return read_number(value, LIFETIME_DIGITS, &ignored);
}

static const struct {
    const char *name;
    unsigned bit;
    bool (*read)(dunlin_slice value, dn_parameters *out); /* NULL: a flag */
} known[] = {
    {"ep", DN_PARAMETER_EP, read_endpoint},
    {"lt", DN_PARAMETER_LT, read_lifetime},
    {"lwm2m", DN_PARAMETER_LWM2M, read_version},
    {"b", DN_PARAMETER_B, read_binding},
    {"Q", DN_PARAMETER_Q, NULL},
    {"sms", DN_PARAMETER_SMS, read_sms},
    {"pid", DN_PARAMETER_PID, read_profile},
};

static dunlin_status read_one(dunlin_slice query, dn_parameters *out)
{
    const uint8_t *equals = query.len > 0 ? memchr(query.data, '=', query.len) : NULL;
    size_t name_len = equals != NULL ? (size_t)(equals - query.data) : query.len;
    dunlin_slice name = dunlin_slice_make(query.data, name_len);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!dunlin_slice_equal(name, dunlin_slice_of(known[i].name))) {
            continue;
        }
        if (out->present & known[i].bit) {
            return DUNLIN_ERR_DUPLICATE;
        }
        out->present |= known[i].bit;
        if (known[i].read == NULL || equals == NULL) {
            return known[i].read == NULL && equals == NULL ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
        }
        dunlin_slice value = dunlin_slice_make(equals + 1, query.len - name_len - 1);
        return known[i].read(value, out) ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
    }
    return DUNLIN_ERR_UNSUPPORTED;
}

dunlin_status dn_parameters_read(dn_coap_options options, dn_parameters *parameters, dunlin_slice *culprit)
{
    dunlin_status result = DUNLIN_OK;
    *parameters = (dn_parameters){0};
    dunlin_slice query;
    while (dn_coap_option_find(&options, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
        dunlin_status status = read_one(query, parameters);
        if (status != DUNLIN_OK && (result == DUNLIN_OK || status != DUNLIN_ERR_UNSUPPORTED)) {
            *culprit = query;
            result = status;
        }
        if (status != DUNLIN_OK && status != DUNLIN_ERR_UNSUPPORTED) {
            break;
        }
    }
    parameters->queue_mode = parameters->queue_mode || (parameters->present & DN_PARAMETER_Q) != 0;
    return result;
}

void dn_binding_text(uint8_t binding, char *out)
{
    size_t len = 0;
    for (size_t i = 0; binding_letters[i] != '\0'; i++) {
        if (binding & 1u << i) {
            out[len++] = binding_letters[i];
        }
    }
    out[len] = '\0';
}
