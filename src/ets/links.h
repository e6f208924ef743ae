/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of links that a Discover gives, compared with what a case expects. */
#ifndef DN_ETS_LINKS_H
#define DN_ETS_LINKS_H

#include "codec/link.h"

typedef dn_link dn_ets_link;

/* The link to `path` in `links`; `root` is the device's alternate path, or "/". */
bool dn_ets_find_link(const char *links, const char *root, dunlin_path path, dn_ets_link *out);

/*
 * Compares with `expected`, a list like "</3/0/7>;dim=2;pmin=10": each of its links must be there with these parameters,
 * and with no other NOTIFICATION attribute (pmin, pmax, gt, lt, st, epmin, epmax); further links, and parameters such as
 * dim, may be there, for a configuration is a minimum. False: `why` says what is missing or too much.
 */
bool dn_ets_links_match(const char *links, const char *root, const char *expected, char *why,
                        size_t why_size);

#endif
