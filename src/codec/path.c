/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: their order, reading and writing them. (Core 1.1.1 section 7.3) */
#include <dunlin/value.h>

int dunlin_path_compare(dunlin_path a, dunlin_path b)
{
    for (unsigned i = 0; i < a.depth && i < b.depth; i++) {
        if (a.id[i] != b.id[i]) {
            return a.id[i] < b.id[i] ? -1 : 1;
        }
    }
    return (int)a.depth - (int)b.depth;
}

/* One id without leading zeros at `*at`, which moves behind it. */
static dunlin_status read_id(dunlin_slice text, size_t *at, uint16_t *id)
{
    size_t first = *at;
    uint32_t value = 0;
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        value = value * 10 + (uint32_t)(text.data[*at] - '0');
        value = value > DUNLIN_ID_NONE ? DUNLIN_ID_NONE : value;
    }
    size_t digits = *at - first;
    if (digits == 0 || (digits > 1 && text.data[first] == '0')) {
        return DUNLIN_ERR_MALFORMED;
    }
    *id = (uint16_t)value;
    return value == DUNLIN_ID_NONE ? DUNLIN_ERR_RANGE : DUNLIN_OK;
}

dunlin_status dunlin_path_parse(dunlin_slice text, dunlin_path *out)
{
    dunlin_path path = dunlin_path_root();
    dunlin_status result = DUNLIN_OK;
    size_t at = text.len > 0 && text.data[0] == '/' ? 1 : 0;
    if (text.len == 0) {
        return DUNLIN_ERR_MALFORMED;
    }
    while (at < text.len || path.depth > 0) {
        uint16_t id;
        if (path.depth == DUNLIN_PATH_DEPTH_MAX) {
            return DUNLIN_ERR_MALFORMED;
        }
        dunlin_status status = read_id(text, &at, &id);
        if (status == DUNLIN_ERR_MALFORMED) {
            return status;
        }
        result = status != DUNLIN_OK ? status : result;
        path.id[path.depth++] = id;
        if (at == text.len) {
            break;
        }
        if (text.data[at++] != '/') {
            return DUNLIN_ERR_MALFORMED;
        }
    }
    if (result == DUNLIN_OK) {
        *out = path;
    }
    return result;
}

size_t dunlin_path_format(dunlin_path path, char *out)
{
    size_t len = 0;
    if (path.depth == 0) {
        out[len++] = '/';
    }
    for (unsigned i = 0; i < path.depth; i++) {
        char digits[5];
        size_t start = sizeof digits;
        unsigned id = path.id[i];
        do {
            digits[--start] = (char)('0' + id % 10);
            id /= 10;
        } while (id > 0);
        out[len++] = '/';
        while (start < sizeof digits) {
            out[len++] = digits[start++];
        }
    }
    out[len] = '\0';
    return len;
}
