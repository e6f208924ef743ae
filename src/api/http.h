/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: libmicrohttpd, its threads, limits and the first checks of every request. */
#ifndef DN_API_HTTP_H
#define DN_API_HTTP_H

#include "api/service.h"

/* Binds config.listen and starts the threads; fills api->address and api->daemon. */
dunlin_status dn_http_start(dn_api *api, char *error, size_t error_size);
/* Accepts nobody any more; those connected go on. */
void dn_http_quiesce(dn_api *api);
/* Ends the threads. No connection may be suspended. */
void dn_http_stop(dn_api *api);

#endif
