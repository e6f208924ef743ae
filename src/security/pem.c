/* SPDX-License-Identifier: Apache-2.0 */
/* PEM; see pem.h. Lines are 64 characters when written (RFC 7468 section 2), of any length when read (its lax form). */
#include "security/pem.h"

#include "codec/base64.h"

#include <string.h>

#define LINE_BYTES  48u /* 64 characters */
#define LABEL_MAX   64u
#define DASHES      "-----"
#define BEGIN       "-----BEGIN "
#define END         "-----END "
#define GROUP_CHARS 4u
#define GROUP_BYTES 3u

static size_t find(dunlin_slice text, size_t from, const char *mark)
{
    const size_t len = strlen(mark);
    for (size_t i = from; i + len <= text.len; i++) {
        if (memcmp(text.data + i, mark, len) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static dunlin_slice part(dunlin_slice text, size_t from, size_t to)
{
    return dunlin_slice_make(text.data + from, to - from);
}

bool dn_pem_is(dunlin_slice text)
{
    return find(text, 0, BEGIN) != SIZE_MAX;
}

/* A block as it stands in a text. */
typedef struct {
    dunlin_slice label, body;
} block;

/* The next one; *at goes on behind it. NOT_FOUND; MALFORMED: no end, or another one's. */
static dunlin_status next(dunlin_slice text, size_t *at, block *out)
{
    const size_t begin = find(text, *at, BEGIN);
    if (begin == SIZE_MAX) {
        *at = text.len;
        return DUNLIN_ERR_NOT_FOUND;
    }
    const size_t label = begin + strlen(BEGIN);
    const size_t dashes = find(text, label, DASHES);
    if (dashes == SIZE_MAX || dashes - label > LABEL_MAX) {
        return DUNLIN_ERR_MALFORMED;
    }
    const size_t body = dashes + strlen(DASHES);
    const size_t end = find(text, body, END);
    out->label = part(text, label, dashes);
    const size_t behind = end == SIZE_MAX ? SIZE_MAX : end + strlen(END) + out->label.len + strlen(DASHES);
    if (behind > text.len) {
        return DUNLIN_ERR_MALFORMED;
    }
    out->body = part(text, body, end);
    *at = behind;
    const size_t again = end + strlen(END);
    return dunlin_slice_equal(part(text, again, again + out->label.len), out->label) &&
                   memcmp(text.data + behind - strlen(DASHES), DASHES, strlen(DASHES)) == 0
               ? DUNLIN_OK
               : DUNLIN_ERR_MALFORMED;
}

static bool is_space(uint8_t c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

/* Four characters at a time, so that a key is nowhere but in `der`. */
static dunlin_status decode(dunlin_slice body, dunlin_buf *der)
{
    uint8_t group[GROUP_CHARS];
    size_t held = 0;
    bool is_over = false;
    dunlin_status status = DUNLIN_OK;
    for (size_t i = 0; i < body.len && status == DUNLIN_OK; i++) {
        if (is_space(body.data[i])) {
            continue;
        }
        if (is_over || body.data[i] == '-' || body.data[i] == '_') {
            return DUNLIN_ERR_MALFORMED;
        }
        group[held++] = body.data[i];
        if (held == GROUP_CHARS) {
            uint8_t bytes[GROUP_BYTES];
            size_t len = 0;
            is_over = group[GROUP_CHARS - 1] == '=';
            status = dn_base64_decode(dunlin_slice_make(group, held), bytes, &len);
            if (status == DUNLIN_OK && !dunlin_buf_append(der, dunlin_slice_make(bytes, len))) {
                status = DUNLIN_ERR_SPACE;
            }
            held = 0;
        }
    }
    return status == DUNLIN_OK && held > 0 ? DUNLIN_ERR_MALFORMED : status;
}

dunlin_status dn_pem_read(dunlin_slice *text, const char *label, dunlin_buf *der)
{
    const size_t before = der->len;
    size_t at = 0;
    block found;
    dunlin_status status;
    do {
        status = next(*text, &at, &found);
    } while (status == DUNLIN_OK && label != NULL &&
             !dunlin_slice_equal(found.label, dunlin_slice_of(label)));
    if (status == DUNLIN_OK) {
        status = decode(found.body, der);
    }
    if (status == DUNLIN_OK && der->len == before) {
        status = DUNLIN_ERR_MALFORMED; /* nothing between the lines */
    }
    if (status == DUNLIN_OK) {
        *text = part(*text, at, text->len);
    } else {
        der->len = before;
    }
    return status;
}

size_t dn_pem_length(const char *label, size_t len)
{
    const size_t lines = (len + LINE_BYTES - 1) / LINE_BYTES;
    return strlen(BEGIN) + strlen(END) + 2 * (strlen(label) + strlen(DASHES) + 1) +
           dn_base64_length(DN_BASE64_PADDED, len) + lines;
}

static void add(dunlin_buf *out, const char *text)
{
    (void)dunlin_buf_append(out, dunlin_slice_of(text)); /* there is room: it was reckoned before */
}

dunlin_status dn_pem_write(const char *label, dunlin_slice der, dunlin_buf *out)
{
    if (dn_pem_length(label, der.len) > out->cap - out->len) {
        return DUNLIN_ERR_SPACE;
    }
    add(out, BEGIN);
    add(out, label);
    add(out, DASHES "\n");
    for (size_t at = 0; at < der.len; at += LINE_BYTES) {
        const size_t len = der.len - at < LINE_BYTES ? der.len - at : LINE_BYTES;
        out->len += dn_base64_encode(DN_BASE64_PADDED, part(der, at, at + len), out->data + out->len);
        add(out, "\n");
    }
    add(out, END);
    add(out, label);
    add(out, DASHES "\n");
    return DUNLIN_OK;
}
