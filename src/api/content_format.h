/* SPDX-License-Identifier: Apache-2.0 */
/* Which content format to speak with a device, when the caller of the API does not say. */
#ifndef DN_API_CONTENT_FORMAT_H
#define DN_API_CONTENT_FORMAT_H

#include "api/profile.h"

#include <dunlin/value.h>

/* For a request that carries or asks for values of a device: TLV for 1.0; from 1.1 the announced one of SenML CBOR, SenML JSON, TLV in this
   order, SenML CBOR when it announced none. */
uint16_t dn_format_for(const dn_profile *profile);
/* The second and last try of a write that was answered 4.15: `value` is the type of its only value, NONE if there are more. DN_FORMAT_NONE:
   there is no other. */
uint16_t dn_format_second(uint16_t first, dunlin_type value);
/* Whether a device may be expected to read TLV: what a Create without an instance's id needs, which SenML cannot express. */
bool dn_format_tlv_likely(const dn_profile *profile);

#endif
