/* SPDX-License-Identifier: Apache-2.0 */
/* Which content formats this client speaks, and which one it answers in (Core 1.1.1 section 7.4). */
#ifndef DN_CLIENT_FORMATS_H
#define DN_CLIENT_FORMATS_H

#include "client/state.h"
#include "codec/format.h"

/*
 * The format to answer in about `place`: `accept` (DN_FORMAT_NONE: the server left it to us), or
 * DN_FORMAT_NONE when it is not available there. A number from before IANA's assignment is answered as it was
 * asked for.
 */
uint16_t dn_client_formats_answer(const dunlin_client *client, const dn_place *place, uint16_t accept);
/* Whether a payload in `format` can be written to `place`. */
bool dn_client_formats_takes(const dunlin_client *client, const dn_place *place, uint16_t format);
/* Starts to decode a payload for `base`; names in it are with or without the alternate path. Errors as
 * dn_decode. */
dunlin_status dn_client_formats_decode(dn_decoder *decoder, dunlin_client *client, uint16_t format,
                                       dunlin_path base, dunlin_slice payload, dunlin_buf scratch);
/* The types of this client's resources, for a decoder; valid as long as the client. */
dn_types dn_client_formats_types(dunlin_client *client);

#endif
