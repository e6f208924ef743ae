/* SPDX-License-Identifier: Apache-2.0 */
/* application/vnd.oma.lwm2m+json (11543): LwM2M 1.0's JSON. (Core 1.0.2 section 6.4.4) */
#ifndef DN_CODEC_LWM2M_JSON_H
#define DN_CODEC_LWM2M_JSON_H

#include "codec/format.h"

extern const dn_format dn_format_lwm2m_json;

#endif
