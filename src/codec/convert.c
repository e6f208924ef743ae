/* SPDX-License-Identifier: Apache-2.0 */
/* Conversion of values between types where nothing is lost. */
#include "codec/format.h"
#include "codec/number.h"
#include "codec/utf8.h"

static bool is_numeric(dunlin_type type)
{
    return type == DUNLIN_TYPE_INTEGER || type == DUNLIN_TYPE_UNSIGNED || type == DUNLIN_TYPE_TIME ||
           type == DUNLIN_TYPE_FLOAT;
}

static dn_number number_of(const dunlin_value *value)
{
    if (value->type == DUNLIN_TYPE_FLOAT) {
        return dn_number_of_double(value->as.number);
    }
    return value->type == DUNLIN_TYPE_UNSIGNED ? dn_number_of_unsigned(value->as.uinteger, false)
                                               : dn_number_of_integer(value->as.integer);
}

static dunlin_status convert_number(const dunlin_value *value, dunlin_type type, dunlin_value *out)
{
    dn_number number = number_of(value);
    dunlin_status status = dn_number_to_value(&number, type, out);
    if (status != DUNLIN_OK || type != DUNLIN_TYPE_FLOAT || value->type == DUNLIN_TYPE_FLOAT) {
        return status;
    }
    dn_number back = dn_number_of_double(out->as.number);
    return back.integral && back.magnitude == number.magnitude ? DUNLIN_OK : DUNLIN_ERR_RANGE;
}

static dunlin_status convert_text(const dunlin_value *value, dunlin_type type, dunlin_value *out)
{
    dunlin_buf no_scratch = {NULL, 0, 0};
    if (type == DUNLIN_TYPE_OPAQUE) {
        return DUNLIN_ERR_TYPE; /* Base64 needs room: dn_value_from_text */
    }
    return dn_value_from_text(value->as.bytes, type, &no_scratch, out);
}

dunlin_status dn_value_convert(dunlin_value *value, dunlin_type type)
{
    dunlin_value out = *value;
    dunlin_status status = DUNLIN_ERR_TYPE;
    if (value->type == type || type == DUNLIN_TYPE_NONE) {
        return DUNLIN_OK;
    }
    if (is_numeric(value->type) && is_numeric(type)) {
        status = convert_number(value, type, &out);
    } else if (value->type == DUNLIN_TYPE_OPAQUE) {
        status = dn_value_from_tlv(value->as.bytes, type, &out);
    } else if (value->type == DUNLIN_TYPE_STRING || value->type == DUNLIN_TYPE_CORELNK) {
        status = convert_text(value, type, &out);
    }
    if (status == DUNLIN_OK) {
        *value = out;
    }
    return status;
}
