/* SPDX-License-Identifier: Apache-2.0 */
/* Object links as text. */
#include "codec/objlnk.h"

#include "codec/number.h"

#define ID_MAX 65535u

static bool is_null_in_hex(dunlin_slice text)
{
    static const char null_link[] = "ffff:ffff";
    if (text.len != sizeof null_link - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((text.data[i] | 0x20) != (null_link[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

static bool read_id(dunlin_slice text, size_t *at, uint32_t *id)
{
    size_t first = *at;
    *id = 0;
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        *id = *id * 10 + (uint32_t)(text.data[*at] - '0');
        *id = *id > ID_MAX ? ID_MAX + 1 : *id;
    }
    return *at > first;
}

dunlin_status dn_objlnk_read(dunlin_slice text, dunlin_objlnk *out)
{
    uint32_t object;
    uint32_t instance;
    size_t at = 0;
    if (is_null_in_hex(text)) {
        out->object = ID_MAX;
        out->instance = ID_MAX;
        return DUNLIN_OK;
    }
    if (!read_id(text, &at, &object) || at == text.len || text.data[at++] != ':' ||
        !read_id(text, &at, &instance) || at != text.len) {
        return DUNLIN_ERR_TYPE;
    }
    if (object > ID_MAX || instance > ID_MAX) {
        return DUNLIN_ERR_RANGE;
    }
    out->object = (uint16_t)object;
    out->instance = (uint16_t)instance;
    return DUNLIN_OK;
}

size_t dn_objlnk_format(dunlin_objlnk link, char out[DN_OBJLNK_TEXT_MAX])
{
    char digits[DN_INTEGER_TEXT_MAX];
    size_t len = 0;
    const uint16_t id[2] = {link.object, link.instance};
    for (size_t i = 0; i < 2; i++) {
        if (i > 0) {
            out[len++] = ':';
        }
        size_t count = dn_unsigned_format(id[i], digits);
        for (size_t j = 0; j < count; j++) {
            out[len++] = digits[j];
        }
    }
    return len;
}
