/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in object definitions, and object versions (Core 1.1.1 section 7.2). */
#include "model/object.h"

const dn_resource_def *dn_object_resource(const dn_object_def *object, uint16_t id)
{
    size_t low = 0;
    size_t high = object->resource_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (object->resources[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < object->resource_count && object->resources[low].id == id ? &object->resources[low] : NULL;
}

/* Reads one to three digits up to 255; false when there is no digit or too large a number. */
static bool read_part(dunlin_slice text, size_t *at, uint8_t *out)
{
    unsigned value = 0;
    const size_t start = *at;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
        value = value * 10 + (unsigned)(text.data[*at] - '0');
        if (value > UINT8_MAX) {
            return false;
        }
        ++*at;
    }
    *out = (uint8_t)value;
    return *at > start;
}

dunlin_status dn_version_parse(dunlin_slice text, dn_version *out)
{
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"') {
        text = dunlin_slice_make(text.data + 1, text.len - 2);
    }
    dn_version version = {0, 0};
    size_t at = 0;
    if (!read_part(text, &at, &version.major)) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (at < text.len) {
        if (text.data[at++] != '.' || !read_part(text, &at, &version.minor) || at != text.len) {
            return DUNLIN_ERR_MALFORMED;
        }
    }
    *out = version;
    return DUNLIN_OK;
}

int dn_version_compare(dn_version a, dn_version b)
{
    return (a.major << 8 | a.minor) - (b.major << 8 | b.minor);
}

dn_version dn_version_implied(uint16_t object, dn_version lwm2m)
{
    /* Table of Core 1.1.1 section 7.2.3 and Core 1.2.2 table E-1; a core Object without a row here is 1.0 in
     * each. */
    static const struct {
        uint16_t object;
        dn_version v1_1, v1_2;
    } core[] = {
        {0, {1, 1}, {1, 2}}, {1, {1, 1}, {1, 2}}, {2, {1, 0}, {1, 1}},  {3, {1, 1}, {1, 2}},
        {4, {1, 2}, {1, 3}}, {5, {1, 0}, {1, 1}}, {21, {1, 0}, {2, 0}},
    };
    if (lwm2m.major == 1 && lwm2m.minor >= 1) {
        for (size_t i = 0; i < sizeof core / sizeof core[0]; i++) {
            if (core[i].object == object) {
                return lwm2m.minor == 1 ? core[i].v1_1 : core[i].v1_2;
            }
        }
    }
    return (dn_version){1, 0};
}
