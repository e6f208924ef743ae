/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that name several paths in their payload, to the root or the alternate path (Core 1.1.1
 * sections 6.3.8, 6.3.9 and 6.4.1; LwM2M 1.1 only). Reading is best effort: what is not there, cannot be read
 * or may not be read by the server is left out. Writing is all or nothing, over several Objects.
 */
#ifndef DN_CLIENT_COMPOSITE_H
#define DN_CLIENT_COMPOSITE_H

#include "client/state.h"

typedef struct {
    const dunlin_path *path; /* in the order of the request; depth 0 is the root */
    size_t count;
} dn_paths;

/*
 * Reads the names that the FETCH `request` carries, with `scratch` (of max_body bytes) to decode them. The
 * paths lie in client->work, so they are good until that is used for something else. 0 for none of the codes:
 * BAD_REQUEST (no format, no name, or a value beside one), UNSUPPORTED_FORMAT, TOO_LARGE.
 */
uint8_t dn_client_composite_paths(dunlin_client *client, const dn_coap_incoming *request, dunlin_buf scratch,
                                  dn_paths *paths);

/*
 * Encodes into `out` what `server` can read at `paths` and below, each value once, in the format `accept`
 * (SenML JSON or SenML CBOR; DN_FORMAT_NONE: SenML CBOR). CONTENT with `payload` and `format`, even if nothing
 * was there; UNAUTHORIZED when all was refused to this server; NOT_ACCEPTABLE; INTERNAL_ERROR: it does not fit
 * into `out`. `paths` must not lie in `out`.
 */
uint8_t dn_client_composite_read(dunlin_client *client, uint16_t server, dn_paths paths, uint16_t accept,
                                 dunlin_buf out, dunlin_slice *payload, uint16_t *format);

/* Whether composite payloads come in `format`: SenML. */
bool dn_client_composite_format(uint16_t format);

#endif
