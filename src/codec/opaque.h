/* SPDX-License-Identifier: Apache-2.0 */
/* application/octet-stream (42): one opaque value as it is. (Core 1.1.1 section 7.4.2) */
#ifndef DN_CODEC_OPAQUE_H
#define DN_CODEC_OPAQUE_H

#include "codec/format.h"

extern const dn_format dn_format_opaque;

#endif
