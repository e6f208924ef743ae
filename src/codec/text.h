/* SPDX-License-Identifier: Apache-2.0 */
/* text/plain (0): one value as text. (Core 1.1.1 section 7.4.1 and appendix C) */
#ifndef DN_CODEC_TEXT_H
#define DN_CODEC_TEXT_H

#include "codec/format.h"

extern const dn_format dn_format_text;

#endif
