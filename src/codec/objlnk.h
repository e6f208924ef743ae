/* SPDX-License-Identifier: Apache-2.0 */
/* Object links as text, "oid:iid" (Core 1.1.1 appendix C). */
#ifndef DN_CODEC_OBJLNK_H
#define DN_CODEC_OBJLNK_H

#include <dunlin/value.h>

#define DN_OBJLNK_TEXT_MAX 11 /* "65535:65535" */

/* Reads two decimal ids, or "FFFF:FFFF", which some write for the null link. TYPE if it is no such pair,
 * RANGE above 65535. */
dunlin_status dn_objlnk_read(dunlin_slice text, dunlin_objlnk *out);
/* Writes without NUL and returns the length. */
size_t dn_objlnk_format(dunlin_objlnk link, char out[DN_OBJLNK_TEXT_MAX]);

#endif
