/* SPDX-License-Identifier: Apache-2.0 */
/* application/senml+json (110). (RFC 8428, Core 1.1.1 section 7.4.4) */
#ifndef DN_CODEC_SENML_JSON_H
#define DN_CODEC_SENML_JSON_H

#include "codec/format.h"

extern const dn_format dn_format_senml_json;

#endif
