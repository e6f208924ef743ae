/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces go straight from where they are into the message: a source needs no buffer in between. */
#include "coap/body.h"

bool dn_coap_body_write(const dn_coap_body *body, uint64_t offset, size_t len, dn_coap_writer *writer)
{
    if (body->source == NULL) {
        const uint8_t *start = body->bytes.data == NULL ? NULL : body->bytes.data + (size_t)offset;
        dn_coap_write_payload(writer, dunlin_slice_make(start, len));
        return true;
    }
    uint8_t *room = dn_coap_write_room(writer, len);
    return room == NULL || body->source->read(body->source->context, offset, room, len);
}
