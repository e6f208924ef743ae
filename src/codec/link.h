/* SPDX-License-Identifier: Apache-2.0 */
/* CoRE link format (RFC 6690), application/link-format: a list of <uri>;name=value,… read and written piece
 * by piece. */
#ifndef DN_CODEC_LINK_H
#define DN_CODEC_LINK_H

#include <dunlin/value.h>

typedef struct {
    dunlin_slice input;
    size_t at;
    dunlin_status error; /* sticky */
} dn_link_reader;

typedef struct {
    dunlin_slice target; /* between < and > */
    dunlin_slice params; /* everything after it up to the comma, starting with ';' if not empty */
} dn_link;

typedef struct {
    dunlin_slice name;
    dunlin_slice value; /* without the quotes; escapes (\") left as they stand */
    bool has_value;
    bool quoted;
} dn_link_param;

void dn_links_read(dn_link_reader *reader, dunlin_slice input);
/* OK, END or MALFORMED (sticks). Tolerates blanks around commas; also the 1.0 head `lwm2m="1.0",` as a link
   with an empty target and that parameter (checklist B12). */
dunlin_status dn_links_next(dn_link_reader *reader, dn_link *link);
/* Iterates over link->params: `at` starts at 0. OK, END or MALFORMED. */
dunlin_status dn_link_param_next(const dn_link *link, size_t *at, dn_link_param *param);
/* The first parameter called `name`: OK, NOT_FOUND or MALFORMED. */
dunlin_status dn_link_param_find(const dn_link *link, const char *name, dn_link_param *param);

/* Reads a link's target as an LwM2M path below `root` ("/" or an alternate path such as "/lwm2m"): PATH if it
   isn't one. Tolerates a trailing slash. */
dunlin_status dn_link_path(const dn_link *link, dunlin_slice root, dunlin_path *path);

typedef struct {
    dunlin_buf out; /* data NULL: lengths only */
    size_t total;
    bool any;
    dunlin_status error; /* sticky */
} dn_link_writer;

void dn_links_write(dn_link_writer *writer, dunlin_buf out);
/* Starts a link `<root/path>`; parameters follow. */
void dn_link_put(dn_link_writer *writer, dunlin_slice root, dunlin_path path);
void dn_link_put_target(dn_link_writer *writer, const char *target);
void dn_link_put_number(dn_link_writer *writer, const char *name, uint64_t value);
void dn_link_put_decimal(dn_link_writer *writer, const char *name, double value);
void dn_link_put_text(dn_link_writer *writer, const char *name, dunlin_slice value, bool quoted);
void dn_link_put_flag(dn_link_writer *writer, const char *name);
dunlin_status dn_links_finish(dn_link_writer *writer, dunlin_slice *payload);

#endif
