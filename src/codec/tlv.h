/* SPDX-License-Identifier: Apache-2.0 */
/* application/vnd.oma.lwm2m+tlv (11542): LwM2M's own nested binary format. (Core 1.1.1 section 7.4.3) */
#ifndef DN_CODEC_TLV_H
#define DN_CODEC_TLV_H

#include "codec/format.h"

extern const dn_format dn_format_tlv;

#endif
