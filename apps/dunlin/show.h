/* SPDX-License-Identifier: Apache-2.0 */
/* What people read: tables, and the nodes of the REST API as lines. */
#ifndef DUNLIN_APP_SHOW_H
#define DUNLIN_APP_SHOW_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* Reads a JSON document of the server; integers above 2^63-1, which jansson can't hold, become strings. NULL
 * if it is no JSON. */
json_t *dn_show_load(const char *text, size_t len);

/* A text member, or "" . */
const char *dn_show_text(const json_t *object, const char *name);

/* Prints a text from elsewhere; control characters are shown as '?'. */
void dn_show_plain(FILE *out, const char *text);

/* A table with columns as wide as needed; control characters of foreign texts are shown as '?'. */
typedef struct {
    size_t columns;
    size_t rows;
    char **cells;
} dn_table;

void dn_table_start(dn_table *table, size_t columns, const char *const *titles);
/* Adds one cell, in order; `text` is copied. */
void dn_table_cell(dn_table *table, const char *text);
/* Prints with `right` a mask of the right-aligned columns, and frees. */
void dn_table_print(dn_table *table, FILE *out, unsigned right);

/* Prints the node of a read, a notification or a last value, one line per value: path, name, value, unit. */
void dn_show_node(FILE *out, const char *path, const json_t *node);
/* The same for several, [{"path","node"}…], in one table. */
void dn_show_nodes(FILE *out, const json_t *nodes);
/* One line per value, prefixed with the time, for streams. */
void dn_show_node_stream(FILE *out, const char *time, const char *endpoint, const char *path,
                         const json_t *node);

#endif
