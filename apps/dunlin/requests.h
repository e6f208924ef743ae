/* SPDX-License-Identifier: Apache-2.0 */
/* Requests in the server's durable queue, as commands see them. */
#ifndef DUNLIN_APP_REQUESTS_H
#define DUNLIN_APP_REQUESTS_H

#include "apps/dunlin/options.h"

/* Takes back the queued request with this id; prints, and gives the exit code. */
int dn_request_cancel(const dn_options *options, const char *id);

#endif
