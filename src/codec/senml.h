/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SenML apart from its syntax: what the fields of a record mean together with the base fields before them,
 * and which names an encoder gives. Used by SenML JSON, SenML CBOR and LwM2M JSON. (RFC 8428 section 4)
 */
#ifndef DN_CODEC_SENML_H
#define DN_CODEC_SENML_H

#include "codec/format.h"
#include "codec/name.h"
#include "codec/scalar.h"

#define DN_SENML_VERSION 10 /* RFC 8428 section 4.4 */

typedef enum {
    DN_SENML_BASE_VERSION,
    DN_SENML_BASE_NAME,
    DN_SENML_BASE_TIME,
    DN_SENML_BASE_VALUE,
    DN_SENML_NAME,
    DN_SENML_TIME,
    DN_SENML_VALUE,
    DN_SENML_STRING,
    DN_SENML_BOOLEAN,
    DN_SENML_DATA,
    DN_SENML_LINK,
    DN_SENML_KNOWN_COUNT,
    DN_SENML_IGNORED, /* units, sums, update time, and what nobody knows */
    DN_SENML_REFUSED  /* must be understood, and is not */
} dn_senml_label;

/* The base fields, which hold until they are set again. */
typedef struct {
    dn_name name;
    dn_number value;
    double time_s;
    bool has_value;
} dn_senml_base;

/* The fields of one record. */
typedef struct {
    uint32_t seen; /* one bit per label */
    dunlin_slice base_name;
    dunlin_slice name;
    dn_number base_value;
    double base_time_s;
    double time_s;
    dn_scalar value;
    bool opaque_is_text; /* opaque values come as base64 in DN_SENML_STRING (LwM2M JSON) */
} dn_senml_fields;

void dn_senml_base_start(dn_senml_base *base);

static inline void dn_senml_fields_start(dn_senml_fields *fields)
{
    fields->seen = 0;
    fields->opaque_is_text = false;
}

/* Marks a label of a record as seen: DUPLICATE if it was before, UNSUPPORTED for DN_SENML_REFUSED. */
dunlin_status dn_senml_see(dn_senml_fields *fields, dn_senml_label label);

/* Takes the field `label` (below DN_SENML_KNOWN_COUNT, and seen). TYPE, RANGE, or UNSUPPORTED for a higher
 * version. */
dunlin_status dn_senml_take(dn_senml_fields *fields, dn_senml_label label, const dn_scalar *scalar);

/* Applies the base fields among `fields`, which hold for the record itself too. */
void dn_senml_apply_base(dn_senml_base *base, const dn_senml_fields *fields, dunlin_slice root);

/* Ends a record: applies its base fields to `base` and makes `record`. */
dunlin_status dn_senml_resolve(dn_decoder *decoder, dn_senml_base *base, const dn_senml_fields *fields,
                               dn_record *record);

/* Names for a pack: a base name in the first record, then names that continue it. */
typedef struct {
    bool started;
    bool slash; /* names start with the slash that the base name lacks */
} dn_senml_names;

typedef struct {
    size_t base_len;
    size_t name_len;
    char base[DN_NAME_TEXT_MAX];
    char name[DN_NAME_TEXT_MAX];
} dn_senml_record_name;

void dn_senml_name(dn_senml_names *names, dunlin_path base, dunlin_path path, dn_senml_record_name *out);

#endif
