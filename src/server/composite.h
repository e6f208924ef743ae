/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of paths that an Observe-Composite asks for (Core 1.1.1 section 6.4.4): what makes it a list, and
 * its forms on the wire and in the store. Names do not carry the client's alternate path: 1.1 asks for that
 * in the request's own path only.
 */
#ifndef DN_SERVER_COMPOSITE_H
#define DN_SERVER_COMPOSITE_H

#include "server/fleet.h"

#define DN_COMPOSITE_TEXT_MAX    (DN_COMPOSITE_PATHS_MAX * (DUNLIN_PATH_TEXT_MAX + 1u))
#define DN_COMPOSITE_PAYLOAD_MAX (DN_COMPOSITE_PATHS_MAX * (DUNLIN_PATH_TEXT_MAX + 16u)) /* of any format */

/* 1 to DN_COMPOSITE_PATHS_MAX paths in ascending order, none twice. */
bool dn_composite_is_list(const dunlin_path *paths, size_t count);
bool dn_composite_equal(const dunlin_path *a, size_t a_count, const dunlin_path *b, size_t b_count);

/* "/3/0/11/0 /1/0/1", as the store keeps it; `out` holds DN_COMPOSITE_TEXT_MAX + 1 bytes. */
dunlin_slice dn_composite_format(const dunlin_path *paths, size_t count, char *out);
/* The other way; `paths` holds DN_COMPOSITE_PATHS_MAX. False: the text is no list. */
bool dn_composite_parse(dunlin_slice text, dunlin_path *paths, size_t *count);

/* The names as SenML of `format` (110, 112) in `out`, of DN_COMPOSITE_PAYLOAD_MAX bytes. UNSUPPORTED: another
 * format. */
dunlin_status dn_composite_encode(const dunlin_path *paths, size_t count, uint16_t format, dunlin_buf out,
                                  dunlin_slice *payload);

#endif
