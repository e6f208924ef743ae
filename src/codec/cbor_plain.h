/* SPDX-License-Identifier: Apache-2.0 */
/* application/cbor (60): one value as one CBOR item. (RFC 8949, Core 1.1.1 section 7.4.1) */
#ifndef DN_CODEC_CBOR_PLAIN_H
#define DN_CODEC_CBOR_PLAIN_H

#include "codec/format.h"

extern const dn_format dn_format_cbor;

#endif
