/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as text (RFC 3339), which CBOR carries under tag 0. */
#ifndef DN_CODEC_DATE_H
#define DN_CODEC_DATE_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

/*
 * Reads "2013-03-21T20:04:00Z", also with an offset ("+02:00") and a fraction of 0, to seconds since the Unix
 * epoch. A leap second counts as the next one. MALFORMED; TYPE for a fraction other than 0, since LwM2M's
 * Time has whole seconds.
 */
dunlin_status dn_date_read(dunlin_slice text, int64_t *unix_s);

#endif
