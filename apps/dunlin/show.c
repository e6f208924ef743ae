/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/show.h"

#include "apps/dunlin/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* True when `digits` is a whole number, standing alone, that does not fit a signed 64-bit integer. */
static bool too_big(const char *digits, size_t len, char behind)
{
    static const char limit[] = "9223372036854775807";
    if (behind == '.' || behind == 'e' || behind == 'E' || len < sizeof limit - 1) {
        return false;
    }
    return len > sizeof limit - 1 || memcmp(digits, limit, len) > 0;
}

/* Copies JSON, with quotes around the integers that are too big. */
static void quote_big_integers(const char *text, size_t len, dn_text *out)
{
    bool in_string = false;
    for (size_t i = 0; i < len;) {
        if (in_string || !is_digit(text[i])) {
            if (text[i] == '"') {
                in_string = !in_string;
            } else if (in_string && text[i] == '\\' && i + 1 < len) {
                dn_text_add(out, &text[i++], 1);
            }
            dn_text_add(out, &text[i++], 1);
            continue;
        }
        size_t end = i;
        while (end < len && is_digit(text[end])) {
            end++;
        }
        const bool fraction =
            i > 0 && (text[i - 1] == '.' || text[i - 1] == '-' || text[i - 1] == '+' || text[i - 1] == 'e');
        const bool big = !fraction && too_big(text + i, end - i, end < len ? text[end] : '\0');
        dn_text_add(out, "\"", big ? 1 : 0);
        dn_text_add(out, text + i, end - i);
        dn_text_add(out, "\"", big ? 1 : 0);
        i = end;
    }
}

json_t *dn_show_load(const char *text, size_t len)
{
    dn_text safe = {0};
    dn_text_clear(&safe);
    quote_big_integers(text, len, &safe);
    json_t *json = json_loadb(safe.data, safe.len, JSON_DECODE_ANY, NULL);
    dn_text_free(&safe);
    return json;
}

const char *dn_show_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* Terminal control sequences in a device's text must not reach the terminal. */
static char *printable_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        abort();
    }
    for (char *at = copy; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = '?';
        }
    }
    return copy;
}

void dn_show_plain(FILE *out, const char *text)
{
    char *copy = printable_copy(text);
    (void)fputs(copy, out);
    free(copy);
}

void dn_table_start(dn_table *table, size_t columns, const char *const *titles)
{
    *table = (dn_table){.columns = columns};
    for (size_t i = 0; i < columns; i++) {
        dn_table_cell(table, titles[i]);
    }
}

void dn_table_cell(dn_table *table, const char *text)
{
    char **cells = realloc(table->cells, (table->rows + 1) * sizeof *cells);
    if (cells == NULL) {
        abort();
    }
    table->cells = cells;
    table->cells[table->rows++] = printable_copy(text);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xC0) != 0x80 ? 1 : 0;
    }
    return width;
}

static size_t column_width(const dn_table *table, size_t column)
{
    size_t width = 0;
    for (size_t i = column; i < table->rows; i += table->columns) {
        const size_t cell = width_of(table->cells[i]);
        width = cell > width ? cell : width;
    }
    return width;
}

void dn_table_print(dn_table *table, FILE *out, unsigned right)
{
    for (size_t i = 0; i < table->rows; i++) {
        const size_t column = i % table->columns;
        const bool last = column == table->columns - 1;
        const bool flush_right = (right >> column & 1u) != 0;
        const size_t pad = column_width(table, column) - width_of(table->cells[i]);
        (void)fprintf(out, "%*s%s", flush_right ? (int)pad : 0, "", table->cells[i]);
        (void)fprintf(out, "%*s", flush_right || last ? 0 : (int)pad, "");
        (void)fputs(last ? "\n" : "  ", out);
    }
    for (size_t i = 0; i < table->rows; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (dn_table){0};
}

static void value_text(const json_t *value, dn_text *out)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        dn_text_puts(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        dn_text_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL: {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        dn_text_puts(out, text == NULL ? "?" : text);
        free(text);
        break;
    }
    case JSON_TRUE:
        dn_text_puts(out, "true");
        break;
    case JSON_FALSE:
        dn_text_puts(out, "false");
        break;
    default:
        dn_text_puts(out, "-");
    }
}

typedef struct {
    const char *path, *name, *unit;
    const json_t *value;
} shown;

typedef void shown_sink(void *context, const shown *line);

static void walk_resource(const char *path, const json_t *resource, const char *name, shown_sink *sink,
                          void *context)
{
    const char *unit = dn_show_text(resource, "unit");
    const json_t *values = json_object_get(resource, "values");
    if (values == NULL) {
        sink(context, &(shown){path, name, unit, json_object_get(resource, "value")});
        return;
    }
    size_t i = 0;
    const json_t *entry = NULL;
    json_array_foreach(values, i, entry)
    {
        char below[64];
        (void)snprintf(below, sizeof below, "%.40s/%" JSON_INTEGER_FORMAT, path,
                       json_integer_value(json_object_get(entry, "id")));
        sink(context, &(shown){below, name, unit, json_object_get(entry, "value")});
    }
}

static void walk_children(const char *path, const json_t *children, shown_sink *sink, void *context);

static void walk(const char *path, const json_t *node, shown_sink *sink, void *context)
{
    const json_t *instances = json_object_get(node, "instances");
    const json_t *resources = json_object_get(node, "resources");
    if (instances != NULL) {
        walk_children(path, instances, sink, context);
    } else if (resources != NULL) {
        walk_children(path, resources, sink, context);
    } else {
        walk_resource(path, node, dn_show_text(node, "name"), sink, context);
    }
}

/* An object's instances or an instance's resources: the document is three levels deep at most. */
static void walk_children(const char *path, const json_t *children, shown_sink *sink, void *context)
{
    size_t i = 0;
    const json_t *child = NULL;
    json_array_foreach(children, i, child)
    {
        char below[64];
        (void)snprintf(below, sizeof below, "%.40s/%" JSON_INTEGER_FORMAT, path,
                       json_integer_value(json_object_get(child, "id")));
        walk(below, child, sink, context);
    }
}

static void to_table(void *context, const shown *line)
{
    dn_text value = {0};
    dn_text_clear(&value);
    if (line->value != NULL) {
        value_text(line->value, &value);
    }
    dn_table_cell(context, line->path);
    dn_table_cell(context, line->name);
    dn_table_cell(context, value.data);
    dn_table_cell(context, line->unit);
    dn_text_free(&value);
}

static const char *const node_titles[] = {"PATH", "NAME", "VALUE", "UNIT"};

void dn_show_node(FILE *out, const char *path, const json_t *node)
{
    dn_table table;
    dn_table_start(&table, 4, node_titles);
    walk(path, node, to_table, &table);
    dn_table_print(&table, out, 0);
}

void dn_show_nodes(FILE *out, const json_t *nodes)
{
    size_t i = 0;
    const json_t *entry = NULL;
    dn_table table;
    dn_table_start(&table, 4, node_titles);
    json_array_foreach(nodes, i, entry)
    {
        walk(dn_show_text(entry, "path"), json_object_get(entry, "node"), to_table, &table);
    }
    dn_table_print(&table, out, 0);
}

typedef struct {
    FILE *out;
    const char *time, *endpoint;
} stream;

static void to_stream(void *context, const shown *line)
{
    const stream *s = context;
    dn_text value = {0};
    dn_text_clear(&value);
    if (line->value != NULL) {
        value_text(line->value, &value);
    }
    char *endpoint = printable_copy(s->endpoint);
    char *text = printable_copy(value.data);
    char *name = printable_copy(line->name);
    (void)fprintf(s->out, "%s  %s  %s  %s%s%s%s%s\n", s->time, endpoint, line->path, text,
                  line->unit[0] != '\0' ? " " : "", line->unit, name[0] != '\0' ? "  " : "", name);
    free(endpoint);
    free(text);
    free(name);
    dn_text_free(&value);
}

void dn_show_node_stream(FILE *out, const char *time, const char *endpoint, const char *path,
                         const json_t *node)
{
    stream s = {out, time, endpoint};
    walk(path, node, to_stream, &s);
    (void)fflush(out);
}
