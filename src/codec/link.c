/* SPDX-License-Identifier: Apache-2.0 */
/* Link format. A link is taken as a whole: one that is malformed in any parameter is not given out at all. */
#include "codec/link.h"

#include "codec/number.h"
#include "codec/utf8.h"

#include <string.h>

#define CONTROL_END 0x20
#define DELETE      0x7f

static bool is_blank(uint8_t letter)
{
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

static size_t skip_blanks(dunlin_slice text, size_t at)
{
    while (at < text.len && is_blank(text.data[at])) {
        at++;
    }
    return at;
}

/* What may stand in a parameter's name or in a value without quotes: anything that does not end one. */
static bool is_token(uint8_t letter)
{
    return letter > CONTROL_END && letter != DELETE && strchr("\",;<>=\\", letter) == NULL;
}

/* In values '=' is common ("if=core#a=b"), and '<' and '>' do no harm. */
static bool is_value_token(uint8_t letter)
{
    return is_token(letter) || letter == '=' || letter == '<' || letter == '>';
}

void dn_links_read(dn_link_reader *reader, dunlin_slice input)
{
    reader->input = input;
    reader->at = 0;
    reader->error = dn_utf8_valid(input) ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

/* Behind an opening quote: the offset of the closing one, or the text's length if there is none. */
static size_t find_quote(dunlin_slice text, size_t at)
{
    while (at < text.len && text.data[at] != '"') {
        at += text.data[at] == '\\' ? 2 : 1;
    }
    return at < text.len ? at : text.len;
}

/* The offset of the comma that ends the parameters which start at `at`, or of the end. */
static size_t find_comma(dunlin_slice text, size_t at)
{
    while (at < text.len && text.data[at] != ',') {
        if (text.data[at] == '"') {
            at = find_quote(text, at + 1);
        }
        at += at < text.len;
    }
    return at;
}

static bool params_are_well_formed(const dn_link *link)
{
    dn_link_param param;
    dunlin_status status;
    size_t at = 0;
    do {
        status = dn_link_param_next(link, &at, &param);
    } while (status == DUNLIN_OK);
    return status == DUNLIN_END;
}

/* "<target>" at `at`, which moves behind it. */
static bool read_target(dunlin_slice text, size_t *at, dn_link *link)
{
    const uint8_t *start = text.data + *at + 1;
    const uint8_t *end = memchr(start, '>', text.len - *at - 1);
    if (end == NULL || memchr(start, '<', (size_t)(end - start)) != NULL) {
        return false;
    }
    link->target = dunlin_slice_make(start, (size_t)(end - start));
    *at = (size_t)(end + 1 - text.data);
    return true;
}

/* The head of a Bootstrap-Discover of LwM2M 1.0, `lwm2m="1.0"`, which stands where a link should. */
static bool is_head(const dn_link *link)
{
    dn_link_param param;
    size_t at = 0;
    return dn_link_param_next(link, &at, &param) == DUNLIN_OK && param.has_value &&
           dunlin_slice_equal(param.name, dunlin_slice_of("lwm2m"));
}

static dunlin_status read_link(dn_link_reader *reader, dn_link *link)
{
    dunlin_slice text = reader->input;
    bool first = reader->at == 0;
    size_t at = skip_blanks(text, reader->at);
    if (at == text.len) {
        return first ? DUNLIN_END : DUNLIN_ERR_MALFORMED; /* behind a comma a link must follow */
    }
    if (text.data[at] == '<') {
        if (!read_target(text, &at, link)) {
            return DUNLIN_ERR_MALFORMED;
        }
        at = skip_blanks(text, at);
    } else if (first && is_token(text.data[at])) {
        link->target = dunlin_slice_make(NULL, 0);
    } else {
        return DUNLIN_ERR_MALFORMED;
    }
    size_t end = find_comma(text, at);
    link->params = dunlin_slice_make(text.data + at, end - at);
    bool starts_well = link->target.data == NULL ? is_head(link) : end == at || text.data[at] == ';';
    reader->at = end;
    return starts_well && params_are_well_formed(link) ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

dunlin_status dn_links_next(dn_link_reader *reader, dn_link *link)
{
    if (reader->error != DUNLIN_OK) {
        return reader->error;
    }
    if (reader->at > 0) {
        if (reader->at == reader->input.len) {
            reader->error = DUNLIN_END;
            return DUNLIN_END;
        }
        reader->at++; /* the comma, where the last link ended */
    }
    reader->error = read_link(reader, link);
    return reader->error;
}

static dunlin_status read_quoted(dunlin_slice text, size_t *at, dn_link_param *param)
{
    size_t start = *at + 1;
    size_t end = find_quote(text, start);
    if (end == text.len) {
        return DUNLIN_ERR_MALFORMED;
    }
    param->quoted = true;
    param->value = dunlin_slice_make(text.data + start, end - start);
    *at = end + 1;
    return DUNLIN_OK;
}

static dunlin_slice read_token(dunlin_slice text, size_t *at, bool (*fits)(uint8_t))
{
    size_t start = *at;
    while (*at < text.len && fits(text.data[*at])) {
        (*at)++;
    }
    return dunlin_slice_make(text.data + start, *at - start);
}

dunlin_status dn_link_param_next(const dn_link *link, size_t *at, dn_link_param *param)
{
    dunlin_slice text = link->params;
    size_t here = skip_blanks(text, *at);
    dunlin_status status = DUNLIN_OK;
    if (here == text.len) {
        return DUNLIN_END;
    }
    bool head = here == 0 && link->target.data == NULL;
    if (!head && text.data[here++] != ';') {
        return DUNLIN_ERR_MALFORMED;
    }
    here = skip_blanks(text, here);
    param->name = read_token(text, &here, is_token);
    param->value = dunlin_slice_make(NULL, 0);
    param->quoted = false;
    param->has_value = false;
    here = skip_blanks(text, here);
    if (here < text.len && text.data[here] == '=') {
        param->has_value = true;
        here = skip_blanks(text, here + 1);
        if (here < text.len && text.data[here] == '"') {
            status = read_quoted(text, &here, param);
        } else {
            param->value = read_token(text, &here, is_value_token);
        }
    }
    *at = skip_blanks(text, here);
    bool ends = *at == text.len || text.data[*at] == ';';
    return status == DUNLIN_OK && param->name.len > 0 && ends ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
}

dunlin_status dn_link_param_find(const dn_link *link, const char *name, dn_link_param *param)
{
    dunlin_slice wanted = dunlin_slice_of(name);
    size_t at = 0;
    dunlin_status status;
    while ((status = dn_link_param_next(link, &at, param)) == DUNLIN_OK) {
        if (dunlin_slice_equal(param->name, wanted)) {
            return DUNLIN_OK;
        }
    }
    return status == DUNLIN_END ? DUNLIN_ERR_NOT_FOUND : status;
}

/* The alternate path without a slash at its end; empty for "/". */
static dunlin_slice trimmed(dunlin_slice root)
{
    while (root.len > 0 && root.data[root.len - 1] == '/') {
        root.len--;
    }
    return root;
}

dunlin_status dn_link_path(const dn_link *link, dunlin_slice root, dunlin_path *path)
{
    dunlin_slice rest = link->target;
    dunlin_slice prefix = trimmed(root);
    if (rest.data == NULL || rest.len < prefix.len ||
        (prefix.len > 0 && memcmp(rest.data, prefix.data, prefix.len) != 0)) {
        return DUNLIN_ERR_PATH;
    }
    rest = dunlin_slice_make(rest.data + prefix.len, rest.len - prefix.len);
    if (rest.len == 0 && prefix.len > 0) {
        *path = dunlin_path_root();
        return DUNLIN_OK;
    }
    if (rest.len == 0 || rest.data[0] != '/') {
        return DUNLIN_ERR_PATH;
    }
    if (rest.len > 1 && rest.data[rest.len - 1] == '/') {
        rest.len--;
    }
    return dunlin_path_parse(rest, path) == DUNLIN_OK ? DUNLIN_OK : DUNLIN_ERR_PATH;
}

/* --- writing --- */

static void fail(dn_link_writer *writer, dunlin_status status)
{
    if (writer->error == DUNLIN_OK) {
        writer->error = status;
    }
}

static void put(dn_link_writer *writer, const void *bytes, size_t len)
{
    writer->total += len;
    if (writer->out.data == NULL || len == 0) {
        return;
    }
    if (writer->error != DUNLIN_OK || !dunlin_buf_append(&writer->out, dunlin_slice_make(bytes, len))) {
        fail(writer, DUNLIN_ERR_SPACE);
    }
}

static void put_string(dn_link_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

void dn_links_write(dn_link_writer *writer, dunlin_buf out)
{
    writer->out = out;
    writer->out.len = 0;
    writer->total = 0;
    writer->any = false;
    writer->error = DUNLIN_OK;
}

static void begin_link(dn_link_writer *writer)
{
    put_string(writer, writer->any ? ",<" : "<");
    writer->any = true;
}

void dn_link_put(dn_link_writer *writer, dunlin_slice root, dunlin_path path)
{
    char text[DUNLIN_PATH_TEXT_MAX + 1];
    dunlin_slice prefix = trimmed(root);
    begin_link(writer);
    put(writer, prefix.data, prefix.len);
    if (path.depth > 0 || prefix.len == 0) {
        put(writer, text, dunlin_path_format(path, text));
    }
    put_string(writer, ">");
}

void dn_link_put_target(dn_link_writer *writer, const char *target)
{
    begin_link(writer);
    put_string(writer, target);
    put_string(writer, ">");
    if (strpbrk(target, "<>") != NULL) {
        fail(writer, DUNLIN_ERR_ARGUMENT);
    }
}

static void put_name(dn_link_writer *writer, const char *name)
{
    if (!writer->any) {
        fail(writer, DUNLIN_ERR_ARGUMENT);
    }
    put_string(writer, ";");
    put_string(writer, name);
}

static void put_pair(dn_link_writer *writer, const char *name, const char *value, size_t len)
{
    put_name(writer, name);
    put_string(writer, "=");
    put(writer, value, len);
}

void dn_link_put_number(dn_link_writer *writer, const char *name, uint64_t value)
{
    char text[DN_INTEGER_TEXT_MAX];
    put_pair(writer, name, text, dn_unsigned_format(value, text));
}

void dn_link_put_decimal(dn_link_writer *writer, const char *name, double value)
{
    char text[DN_PLAIN_TEXT_MAX];
    if (!dn_double_is_finite(value)) {
        fail(writer, DUNLIN_ERR_RANGE);
        return;
    }
    put_pair(writer, name, text, dn_double_format_plain(value, text));
}

static void put_quoted(dn_link_writer *writer, dunlin_slice value)
{
    put_string(writer, "\"");
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\') {
            put_string(writer, "\\");
        }
        put(writer, value.data + i, 1);
    }
    put_string(writer, "\"");
}

void dn_link_put_text(dn_link_writer *writer, const char *name, dunlin_slice value, bool quoted)
{
    put_name(writer, name);
    put_string(writer, "=");
    if (!dn_utf8_valid(value)) {
        fail(writer, DUNLIN_ERR_MALFORMED);
    }
    if (quoted) {
        put_quoted(writer, value);
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!is_value_token(value.data[i])) {
            fail(writer, DUNLIN_ERR_ARGUMENT);
        }
    }
    put(writer, value.data, value.len);
}

void dn_link_put_flag(dn_link_writer *writer, const char *name)
{
    put_name(writer, name);
}

dunlin_status dn_links_finish(dn_link_writer *writer, dunlin_slice *payload)
{
    *payload = dunlin_slice_make(writer->out.data, writer->error == DUNLIN_OK ? writer->total : 0);
    return writer->error;
}
