/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of SenML fields. */
#include "codec/senml.h"

#include "codec/base64.h"
#include "codec/objlnk.h"
#include "codec/types.h"

#include <string.h>

#define BIT(label) (UINT32_C(1) << (label))
#define VALUE_BITS                                                                             \
    (BIT(DN_SENML_VALUE) | BIT(DN_SENML_STRING) | BIT(DN_SENML_BOOLEAN) | BIT(DN_SENML_DATA) | \
     BIT(DN_SENML_LINK))

void dn_senml_base_start(dn_senml_base *base)
{
    memset(base, 0, sizeof *base);
    dn_name_start(&base->name);
}

dunlin_status dn_senml_see(dn_senml_fields *fields, dn_senml_label label)
{
    if (label >= DN_SENML_KNOWN_COUNT) {
        return label == DN_SENML_REFUSED ? DUNLIN_ERR_UNSUPPORTED : DUNLIN_OK;
    }
    if ((fields->seen & BIT(label)) != 0) {
        return DUNLIN_ERR_DUPLICATE;
    }
    fields->seen |= BIT(label);
    return DUNLIN_OK;
}

static dunlin_status check_version(const dn_number *version)
{
    if (!version->integral || version->negative) {
        return DUNLIN_ERR_TYPE;
    }
    return version->magnitude > DN_SENML_VERSION ? DUNLIN_ERR_UNSUPPORTED : DUNLIN_OK;
}

static dunlin_status take_number(dn_senml_fields *fields, dn_senml_label label, const dn_number *number)
{
    switch (label) {
    case DN_SENML_BASE_VERSION:
        return check_version(number);
    case DN_SENML_BASE_VALUE:
        fields->base_value = *number;
        return DUNLIN_OK;
    case DN_SENML_BASE_TIME:
        fields->base_time_s = number->number;
        break;
    default:
        fields->time_s = number->number;
        break;
    }
    return dn_double_is_finite(number->number) ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status take_link(dn_senml_fields *fields, dunlin_slice text)
{
    fields->value.kind = DN_SCALAR_LINK;
    return dn_objlnk_read(text, &fields->value.as.link);
}

/* What a label's field must look like; NONE for those that take every kind of number. */
static bool kind_fits(dn_senml_label label, dn_scalar_kind kind)
{
    static const uint8_t due[DN_SENML_KNOWN_COUNT] = {
        [DN_SENML_BASE_NAME] = DN_SCALAR_TEXT, [DN_SENML_NAME] = DN_SCALAR_TEXT,
        [DN_SENML_STRING] = DN_SCALAR_TEXT,    [DN_SENML_BOOLEAN] = DN_SCALAR_BOOLEAN,
        [DN_SENML_DATA] = DN_SCALAR_BYTES,     [DN_SENML_LINK] = DN_SCALAR_TEXT,
    };
    if (due[label] == DN_SCALAR_NONE) {
        return kind == DN_SCALAR_NUMBER || kind == DN_SCALAR_TIME;
    }
    return kind == (dn_scalar_kind)due[label];
}

dunlin_status dn_senml_take(dn_senml_fields *fields, dn_senml_label label, const dn_scalar *scalar)
{
    if (!kind_fits(label, scalar->kind)) {
        return DUNLIN_ERR_TYPE;
    }
    switch (label) {
    case DN_SENML_NAME:
        fields->name = scalar->as.bytes;
        return DUNLIN_OK;
    case DN_SENML_BASE_NAME:
        fields->base_name = scalar->as.bytes;
        return DUNLIN_OK;
    case DN_SENML_VALUE:
    case DN_SENML_STRING:
    case DN_SENML_BOOLEAN:
    case DN_SENML_DATA:
        fields->value = *scalar;
        return DUNLIN_OK;
    case DN_SENML_LINK:
        return take_link(fields, scalar->as.bytes);
    default:
        return take_number(fields, label, &scalar->as.number);
    }
}

static bool has(const dn_senml_fields *fields, dn_senml_label label)
{
    return (fields->seen & BIT(label)) != 0;
}

void dn_senml_apply_base(dn_senml_base *base, const dn_senml_fields *fields, dunlin_slice root)
{
    if (has(fields, DN_SENML_BASE_NAME)) {
        dn_name_start(&base->name);
        dn_name_feed(&base->name, fields->base_name, root);
    }
    if (has(fields, DN_SENML_BASE_TIME)) {
        base->time_s = fields->base_time_s;
    }
    if (has(fields, DN_SENML_BASE_VALUE)) {
        base->value = fields->base_value;
        base->has_value = true;
    }
}

static dunlin_status resolve_path(const dn_decoder *decoder, const dn_senml_base *base,
                                  const dn_senml_fields *fields, dn_record *record)
{
    dn_name name = base->name;
    if (has(fields, DN_SENML_NAME)) {
        dn_name_feed(&name, fields->name, decoder->root);
    }
    record->relative = !name.absolute;
    return dn_name_path(&name, decoder->base, &record->path);
}

/* RFC 8428 section 4.5.3: the sum of base time and time; 0 is now, as if there was none. */
static dunlin_status resolve_time(const dn_senml_base *base, const dn_senml_fields *fields, dn_record *record)
{
    record->time_s = base->time_s + (has(fields, DN_SENML_TIME) ? fields->time_s : 0);
    record->has_time = record->time_s != 0;
    return dn_double_is_finite(record->time_s) ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status resolve_value(dn_decoder *decoder, const dn_senml_base *base,
                                   const dn_senml_fields *fields, dn_record *record)
{
    dn_scalar scalar = fields->value;
    dunlin_type type = dn_type_at(&decoder->types, record->path);
    if (base->has_value && has(fields, DN_SENML_VALUE)) {
        bool exact = dn_number_add(&base->value, &fields->value.as.number, &scalar.as.number);
        if (!exact && type != DUNLIN_TYPE_FLOAT) {
            return DUNLIN_ERR_RANGE;
        }
    }
    if (fields->opaque_is_text && type == DUNLIN_TYPE_OPAQUE && scalar.kind == DN_SCALAR_TEXT) {
        scalar.kind = DN_SCALAR_BYTES;
        dunlin_status status = dn_base64_read(fields->value.as.bytes, &decoder->scratch, &scalar.as.bytes);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    return dn_scalar_to_value(&scalar, type, &record->value);
}

dunlin_status dn_senml_resolve(dn_decoder *decoder, dn_senml_base *base, const dn_senml_fields *fields,
                               dn_record *record)
{
    uint32_t values = fields->seen & VALUE_BITS;
    dn_senml_apply_base(base, fields, decoder->root);
    dunlin_status status = resolve_path(decoder, base, fields, record);
    if (status == DUNLIN_OK) {
        status = resolve_time(base, fields, record);
    }
    if (status != DUNLIN_OK || values == 0) {
        return status;
    }
    if ((values & (values - 1)) != 0) {
        return DUNLIN_ERR_MALFORMED; /* one value at most (section 4.2) */
    }
    if (record->path.depth < 3) {
        return DUNLIN_ERR_PATH;
    }
    record->kind = DN_RECORD_VALUE;
    return resolve_value(decoder, base, fields, record);
}

void dn_senml_name(dn_senml_names *names, dunlin_path base, dunlin_path path, dn_senml_record_name *out)
{
    out->base_len = 0;
    out->name_len = 0;
    if (!names->started && base.depth > 0) {
        out->base[out->base_len++] = '/';
        out->base_len += dn_name_format(base, 0, out->base + 1);
        names->slash = path.depth == base.depth;
        if (!names->slash) {
            out->base[out->base_len++] = '/';
        }
    }
    names->started = true;
    if (base.depth == 0 || (names->slash && path.depth > base.depth)) {
        out->name[out->name_len++] = '/';
    }
    out->name_len += dn_name_format(path, base.depth, out->name + out->name_len);
}
