/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader. */
#include "codec/json.h"

#include "codec/utf8.h"

#include <string.h>

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

static inline void skip_space(dn_cursor *cursor)
{
    while (cursor->at < cursor->end &&
           (*cursor->at == ' ' || *cursor->at == '\n' || *cursor->at == '\r' || *cursor->at == '\t')) {
        cursor->at++;
    }
}

dunlin_status dn_json_missing(const dn_cursor *cursor)
{
    return dn_cursor_done(cursor) ? DUNLIN_ERR_TRUNCATED : DUNLIN_ERR_MALFORMED;
}

dn_json_kind dn_json_peek(dn_cursor *cursor)
{
    skip_space(cursor);
    if (dn_cursor_done(cursor)) {
        return DN_JSON_END;
    }
    switch (*cursor->at) {
    case '{':
        return DN_JSON_OBJECT;
    case '[':
        return DN_JSON_ARRAY;
    case '"':
        return DN_JSON_STRING;
    case 't':
    case 'f':
        return DN_JSON_BOOLEAN;
    case 'n':
        return DN_JSON_NULL;
    default:
        return *cursor->at == '-' || (*cursor->at >= '0' && *cursor->at <= '9') ? DN_JSON_NUMBER
                                                                                : DN_JSON_INVALID;
    }
}

bool dn_json_take(dn_cursor *cursor, char letter)
{
    skip_space(cursor);
    if (cursor->at < cursor->end && *cursor->at == (uint8_t)letter) {
        cursor->at++;
        return true;
    }
    return false;
}

dunlin_status dn_json_next(dn_cursor *cursor, char close, bool *first)
{
    if (dn_json_take(cursor, close)) {
        return DUNLIN_END;
    }
    if (!*first && !dn_json_take(cursor, ',')) {
        return dn_json_missing(cursor);
    }
    *first = false;
    return DUNLIN_OK;
}

/* True if the eight bytes hold neither '"' nor '\' nor a control character nor a byte of 0x80 or more. */
static inline bool is_plain(uint64_t word)
{
    uint64_t quote = word ^ (ONES * '"');
    uint64_t backslash = word ^ (ONES * '\\');
    uint64_t found = (quote - ONES) | (backslash - ONES) | (word - ONES * 0x20) | word;
    return (found & HIGHS) == 0;
}

/* Moves over characters that stand for themselves; false at a byte that is no part of a string. */
static bool pass_plain(dn_cursor *cursor)
{
    while (cursor->at < cursor->end) {
        uint64_t word;
        if (dn_cursor_left(cursor) >= sizeof word) {
            memcpy(&word, cursor->at, sizeof word);
            if (is_plain(word)) {
                cursor->at += sizeof word;
                continue;
            }
        }
        uint8_t letter = *cursor->at;
        if (letter == '"' || letter == '\\') {
            return true;
        }
        if (letter < 0x20) {
            return false;
        }
        size_t len = letter < 0x80 ? 1 : dn_utf8_sequence(cursor->at, cursor->end);
        if (len == 0) {
            return false;
        }
        cursor->at += len;
    }
    return true;
}

static dunlin_status read_hex(dn_cursor *cursor, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, cursor->at++) {
        if (dn_cursor_done(cursor)) {
            return DUNLIN_ERR_TRUNCATED;
        }
        uint32_t letter = *cursor->at;
        uint32_t folded = letter | 0x20;
        if (letter >= '0' && letter <= '9') {
            value = value << 4 | (letter - '0');
        } else if (folded >= 'a' && folded <= 'f') {
            value = value << 4 | (folded - 'a' + 10);
        } else {
            return DUNLIN_ERR_MALFORMED;
        }
    }
    *out = value;
    return DUNLIN_OK;
}

/* Behind "\u": one code point, from one escape or from the two of a surrogate pair. */
static dunlin_status read_code_point(dn_cursor *cursor, uint32_t *out)
{
    dunlin_status status = read_hex(cursor, out);
    if (status != DUNLIN_OK || *out < 0xd800 || *out > 0xdfff) {
        return status;
    }
    uint32_t low = 0;
    if (*out > 0xdbff) {
        return DUNLIN_ERR_MALFORMED;
    }
    for (const char *expected = "\\u"; *expected != '\0'; expected++, cursor->at++) {
        if (dn_cursor_done(cursor) || *cursor->at != (uint8_t)*expected) {
            return dn_json_missing(cursor);
        }
    }
    status = read_hex(cursor, &low);
    if (status == DUNLIN_OK && (low < 0xdc00 || low > 0xdfff)) {
        return DUNLIN_ERR_MALFORMED;
    }
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return status;
}

/* Behind a backslash: appends what the escape stands for. */
static dunlin_status read_escape(dn_cursor *cursor, dunlin_buf *scratch)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (dn_cursor_done(cursor)) {
        return DUNLIN_ERR_TRUNCATED;
    }
    uint32_t code_point;
    uint8_t letter = *cursor->at++;
    if (letter == 'u') {
        dunlin_status status = read_code_point(cursor, &code_point);
        if (status != DUNLIN_OK) {
            return status;
        }
    } else {
        const char *found = memchr(letters, letter, sizeof letters - 1);
        if (found == NULL) {
            return DUNLIN_ERR_MALFORMED;
        }
        code_point = (uint8_t)meanings[found - letters];
    }
    uint8_t bytes[4];
    size_t len = dn_utf8_put(code_point, bytes);
    return dunlin_buf_append(scratch, dunlin_slice_make(bytes, len)) ? DUNLIN_OK : DUNLIN_ERR_SPACE;
}

dunlin_status dn_json_string(dn_cursor *cursor, dunlin_buf *scratch, dunlin_slice *out)
{
    size_t kept = scratch->len;
    bool escapes = false;
    cursor->at++;
    for (;;) {
        const uint8_t *start = cursor->at;
        if (!pass_plain(cursor)) {
            return DUNLIN_ERR_MALFORMED;
        }
        if (dn_cursor_done(cursor)) {
            return DUNLIN_ERR_TRUNCATED;
        }
        dunlin_slice run = dunlin_slice_make(start, (size_t)(cursor->at - start));
        uint8_t stop = *cursor->at++;
        if (stop == '"' && !escapes) {
            *out = run;
            return DUNLIN_OK;
        }
        escapes = true;
        if (!dunlin_buf_append(scratch, run)) {
            return DUNLIN_ERR_SPACE;
        }
        if (stop == '"') {
            *out = dunlin_slice_make(scratch->data + kept, scratch->len - kept);
            return DUNLIN_OK;
        }
        dunlin_status status = read_escape(cursor, scratch);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
}

static bool is_number_letter(uint8_t letter)
{
    return (letter >= '0' && letter <= '9') || letter == '-' || letter == '+' || letter == '.' ||
           letter == 'e' || letter == 'E';
}

dunlin_status dn_json_number(dn_cursor *cursor, dn_number *out)
{
    const uint8_t *start = cursor->at;
    while (cursor->at < cursor->end && is_number_letter(*cursor->at)) {
        cursor->at++;
    }
    dunlin_status status =
        dn_number_read(dunlin_slice_make(start, (size_t)(cursor->at - start)), DN_NUMBER_JSON, out);
    return status == DUNLIN_ERR_MALFORMED ? dn_json_missing(cursor) : status;
}

static dunlin_status take_word(dn_cursor *cursor, const char *word)
{
    for (; *word != '\0'; word++, cursor->at++) {
        if (dn_cursor_done(cursor) || *cursor->at != (uint8_t)*word) {
            return dn_json_missing(cursor);
        }
    }
    return DUNLIN_OK;
}

dunlin_status dn_json_boolean(dn_cursor *cursor, bool *out)
{
    *out = *cursor->at == 't';
    return take_word(cursor, *out ? "true" : "false");
}

dunlin_status dn_json_key(dn_cursor *cursor, dunlin_buf *scratch, dunlin_slice *out)
{
    if (dn_json_peek(cursor) != DN_JSON_STRING) {
        return dn_json_missing(cursor);
    }
    dunlin_status status = dn_json_string(cursor, scratch, out);
    if (status == DUNLIN_OK && !dn_json_take(cursor, ':')) {
        return dn_json_missing(cursor);
    }
    return status;
}

static dunlin_status skip_scalar(dn_cursor *cursor, dn_json_kind kind, dunlin_buf *scratch)
{
    dunlin_buf unused = *scratch;
    dunlin_slice text;
    dn_number number;
    bool boolean;
    switch (kind) {
    case DN_JSON_STRING:
        return dn_json_string(cursor, &unused, &text);
    case DN_JSON_NUMBER:
        return dn_json_number(cursor, &number);
    case DN_JSON_BOOLEAN:
        return dn_json_boolean(cursor, &boolean);
    case DN_JSON_NULL:
        return take_word(cursor, "null");
    default:
        return dn_json_missing(cursor);
    }
}

/* The containers around the place where a skip has come to. */
typedef struct {
    char close[DN_JSON_NESTING_MAX];
    bool first;
    unsigned depth;
} nesting;

/* Moves to where the next value starts: END when the outermost container was closed. */
static dunlin_status next_value(dn_cursor *cursor, nesting *open, dunlin_buf *scratch)
{
    for (;;) {
        char close = open->close[open->depth - 1];
        dunlin_status status = dn_json_next(cursor, close, &open->first);
        if (status == DUNLIN_OK && close == '}') {
            dunlin_buf unused = *scratch;
            dunlin_slice key;
            return dn_json_key(cursor, &unused, &key);
        }
        if (status != DUNLIN_END) {
            return status;
        }
        open->first = false;
        if (--open->depth == 0) {
            return DUNLIN_END;
        }
    }
}

dunlin_status dn_json_skip(dn_cursor *cursor, dunlin_buf *scratch)
{
    nesting open = {{0}, false, 0};
    dunlin_status status = DUNLIN_OK;
    while (status == DUNLIN_OK) {
        dn_json_kind kind = dn_json_peek(cursor);
        if (kind == DN_JSON_OBJECT || kind == DN_JSON_ARRAY) {
            if (open.depth == DN_JSON_NESTING_MAX) {
                return DUNLIN_ERR_LIMIT;
            }
            open.close[open.depth++] = kind == DN_JSON_OBJECT ? '}' : ']';
            open.first = true;
            cursor->at++;
        } else {
            status = skip_scalar(cursor, kind, scratch);
        }
        if (status == DUNLIN_OK && open.depth == 0) {
            return DUNLIN_OK;
        }
        if (status == DUNLIN_OK) {
            status = next_value(cursor, &open, scratch);
        }
    }
    return status == DUNLIN_END ? DUNLIN_OK : status;
}

dunlin_status dn_json_finish(dn_cursor *cursor)
{
    skip_space(cursor);
    return dn_cursor_done(cursor) ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}
