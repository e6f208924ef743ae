/* SPDX-License-Identifier: Apache-2.0 */
/* How a device is to get a package by itself: by which protocols it can (/5/0/8), and by which it is registered. */
#ifndef DUNLIN_APP_PULL_H
#define DUNLIN_APP_PULL_H

#include "apps/dunlin/options.h"

#include <jansson.h>

typedef struct {
    bool known;      /* false: the device could not be asked */
    bool said;       /* false: it has no such resource, which means CoAP alone (Object 5, resource 8) */
    unsigned set;    /* bit n: protocol n */
    char scheme[12]; /* by which it is registered: "coaps"; "" when that is not known */
} dn_pull;

/* Asks the server and the device. */
void dn_pull_look(const dn_options *options, const char *endpoint, dn_pull *out);
/* Whether the device can fetch a URI, or anything of a scheme; true, too, when its protocols are not known. */
bool dn_pull_can(const dn_pull *pull, const char *uri);
/* Of `uris` the first that the device can fetch; NULL: none. */
const char *dn_pull_choose(const dn_pull *pull, const json_t *uris);
/* "coap and https" */
void dn_pull_names(const dn_pull *pull, char *out, size_t size);

#endif
