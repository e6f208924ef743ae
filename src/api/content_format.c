/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of a content format; see content_format.h. */
#include "api/content_format.h"

#include "codec/format.h"

uint16_t dn_format_for(const dn_profile *profile)
{
    static const uint16_t order[] = {DN_FORMAT_SENML_CBOR, DN_FORMAT_SENML_JSON, DN_FORMAT_TLV};
    if (profile->lwm2m.major == 1 && profile->lwm2m.minor == 0) {
        return DN_FORMAT_TLV; /* the only one that a 1.0 client must have */
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (profile->format_count == 0 || dn_profile_announced(profile, order[i])) {
            return order[i];
        }
    }
    return DN_FORMAT_TLV;
}

uint16_t dn_format_second(uint16_t first, dunlin_type value)
{
    if (first != DN_FORMAT_TLV) {
        return DN_FORMAT_TLV;
    }
    if (value == DUNLIN_TYPE_NONE) {
        return DN_FORMAT_SENML_JSON;
    }
    return value == DUNLIN_TYPE_OPAQUE ? DN_FORMAT_OPAQUE : DN_FORMAT_TEXT;
}

bool dn_format_tlv_likely(const dn_profile *profile)
{
    bool old = profile->lwm2m.major == 1 && profile->lwm2m.minor == 0;
    return old || profile->format_count == 0 || dn_profile_announced(profile, DN_FORMAT_TLV);
}
