/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a SenML record as members of a JSON object, which SenML JSON and LwM2M JSON share but for the
 * labels. */
#ifndef DN_CODEC_SENML_FIELD_H
#define DN_CODEC_SENML_FIELD_H

#include "codec/emit.h"
#include "codec/json.h"
#include "codec/senml.h"

static inline bool dn_senml_key_is(dunlin_slice key, const char *text)
{
    return key.len == strlen(text) && memcmp(key.data, text, key.len) == 0;
}

typedef dn_senml_label dn_senml_label_of(dunlin_slice key);

/* A decoder of such an array of objects, between two of them. */
typedef struct {
    dn_senml_base base;
    bool opened; /* what stands before the first object has been read */
    bool first;  /* no object has been read */
} dn_senml_pack;

_Static_assert(sizeof(dn_senml_pack) <= sizeof((dn_decoder *)0)->state, "the decoder's state is too small");

static inline dn_senml_pack *dn_senml_pack_of(dn_decoder *decoder)
{
    return (dn_senml_pack *)(void *)decoder->state;
}

/* As a decoder's `start` has to. */
dunlin_status dn_senml_pack_start(dn_decoder *decoder);

/* Reads the value of the field `label`, or passes over it. */
dunlin_status dn_senml_read_field(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_label label,
                                  dn_senml_fields *fields);

/* Reads an object, from its brace to its brace. */
dunlin_status dn_senml_read_fields(dn_cursor *cursor, dunlin_buf *scratch, dn_senml_label_of *label_of,
                                   dn_senml_fields *fields);

/* The number of a value of type INTEGER, TIME, UNSIGNED or FLOAT; TYPE for any other. */
void dn_senml_put_number(dn_encoder *encoder, const dunlin_value *value);

#endif
