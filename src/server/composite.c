/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of paths, as text and as SenML names. */
#include "server/composite.h"

#include "codec/format.h"

bool dn_composite_is_list(const dunlin_path *paths, size_t count)
{
    if (paths == NULL || count == 0 || count > DN_COMPOSITE_PATHS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (paths[i].depth > DUNLIN_PATH_DEPTH_MAX ||
            (i > 0 && dunlin_path_compare(paths[i - 1], paths[i]) >= 0)) {
            return false;
        }
    }
    return true;
}

bool dn_composite_equal(const dunlin_path *a, size_t a_count, const dunlin_path *b, size_t b_count)
{
    if (a_count != b_count) {
        return false;
    }
    for (size_t i = 0; i < a_count; i++) {
        if (!dunlin_path_equal(a[i], b[i])) {
            return false;
        }
    }
    return true;
}

dunlin_slice dn_composite_format(const dunlin_path *paths, size_t count, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            out[len++] = ' ';
        }
        len += dunlin_path_format(paths[i], out + len);
    }
    return dunlin_slice_make(out, len);
}

bool dn_composite_parse(dunlin_slice text, dunlin_path *paths, size_t *count)
{
    *count = 0;
    for (size_t start = 0; start < text.len;) {
        const uint8_t *blank = memchr(text.data + start, ' ', text.len - start);
        size_t end = blank != NULL ? (size_t)(blank - text.data) : text.len;
        if (*count == DN_COMPOSITE_PATHS_MAX ||
            dunlin_path_parse(dunlin_slice_make(text.data + start, end - start), &paths[*count]) !=
                DUNLIN_OK) {
            return false;
        }
        ++*count;
        start = end + 1;
    }
    return dn_composite_is_list(paths, *count);
}

dunlin_status dn_composite_encode(const dunlin_path *paths, size_t count, uint16_t format, dunlin_buf out,
                                  dunlin_slice *payload)
{
    dn_encoder encoder;
    if (format != DN_FORMAT_SENML_JSON && format != DN_FORMAT_SENML_CBOR) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    dunlin_status status = dn_encode(&encoder, format, dunlin_path_root(), out);
    for (size_t i = 0; i < count && status == DUNLIN_OK; i++) {
        const dn_record name = {.kind = DN_RECORD_EMPTY, .path = paths[i]};
        dn_encode_put(&encoder, &name);
    }
    return status == DUNLIN_OK ? dn_encode_finish(&encoder, payload) : status;
}
