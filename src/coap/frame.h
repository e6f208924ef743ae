/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoAP messages on a stream (RFC 8323 section 3.2): where one ends and the next begins. An assembler belongs to
 * one connection. It gives the engine whole messages, in the form in which they came, and needs no more memory
 * than the largest of them.
 */
#ifndef DN_COAP_FRAME_H
#define DN_COAP_FRAME_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

#include <stddef.h>
#include <stdint.h>

/* The whole length of the message that `bytes` begins with. TRUNCATED: too few bytes to tell; MALFORMED: a token
   length above 8. */
dunlin_status dn_coap_frame_length(dunlin_slice bytes, uint64_t *len);

typedef struct {
    uint8_t *memory; /* the caller's */
    size_t size;     /* of it: the largest message that is taken */
    size_t used;
} dn_coap_assembler;

/*
 * Takes `bytes`; `message` is called for each message that is complete with them, with a view which is valid during the
 * call. It may end the assembler's connection: then it returns false, and the rest of the bytes is left alone. OK; CANCELLED: `message`
 * returned false; RANGE: a message longer than `size`; MALFORMED. After anything but OK the connection must be
 * aborted: nobody knows where the next message begins.
 */
dunlin_status dn_coap_assemble(dn_coap_assembler *assembler, dunlin_slice bytes,
                               bool (*message)(void *context, dunlin_slice message), void *context);

/*
 * The Abort (section 5.6) to send before a stream is closed on which assembling failed with `status`: the engine never sees
 * what the owner of the stream could not put together. A view of `out`.
 */
#define DN_COAP_FRAME_ABORT_MAX 32
dunlin_slice dn_coap_frame_abort(dunlin_status status, uint8_t out[DN_COAP_FRAME_ABORT_MAX]);

#endif
