/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over encoded options (RFC 7252 section 3.1). */
#include "coap/option.h"

/* The value of a 4-bit delta or length with its extension; false: reserved (15), too large, or cut off. */
static bool read_extended(dunlin_slice raw, size_t *at, unsigned nibble, uint32_t *value)
{
    switch (nibble) {
    case 13:
        if (raw.len - *at < 1) {
            return false;
        }
        *value = 13u + raw.data[*at];
        *at += 1;
        return true;
    case 14:
        if (raw.len - *at < 2) {
            return false;
        }
        *value = 269u + ((uint32_t)raw.data[*at] << 8 | raw.data[*at + 1]);
        *at += 2;
        return true;
    case 15:
        return false;
    default:
        *value = nibble;
        return true;
    }
}

dunlin_status dn_coap_option_next(dn_coap_options *walk, dn_coap_option *option)
{
    if (walk->at >= walk->raw.len) {
        return DUNLIN_END;
    }
    size_t at = walk->at;
    uint8_t head = walk->raw.data[at++];
    uint32_t delta, length;
    if (head == 0xff) {
        return DUNLIN_END;
    }
    if (!read_extended(walk->raw, &at, head >> 4, &delta) ||
        !read_extended(walk->raw, &at, head & 15u, &length) || length > walk->raw.len - at ||
        delta > (uint32_t)(UINT16_MAX - walk->number)) {
        return DUNLIN_ERR_MALFORMED;
    }
    walk->number = (uint16_t)(walk->number + delta);
    walk->at = at + length;
    option->number = walk->number;
    option->value = dunlin_slice_make(walk->raw.data + at, length);
    return DUNLIN_OK;
}

dunlin_status dn_coap_option_find(dn_coap_options *walk, uint16_t number, dunlin_slice *value)
{
    dn_coap_option option;
    while (dn_coap_option_next(walk, &option) == DUNLIN_OK) {
        if (option.number == number) {
            *value = option.value;
            return DUNLIN_OK;
        }
    }
    return DUNLIN_END;
}

bool dn_coap_option_uint(dunlin_slice value, uint32_t *out)
{
    if (value.len > 4) {
        return false;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < value.len; i++) {
        number = number << 8 | value.data[i];
    }
    *out = number;
    return true;
}

dunlin_slice dn_coap_option_from_uint(uint32_t value, uint8_t out[4])
{
    size_t length = value > 0xffffffu ? 4 : value > 0xffffu ? 3 : value > 0xffu ? 2 : value > 0 ? 1 : 0;
    for (size_t i = 0; i < length; i++) {
        out[i] = (uint8_t)(value >> (8 * (length - 1 - i)));
    }
    return dunlin_slice_make(out, length);
}
