/* SPDX-License-Identifier: Apache-2.0 */
/* The text of openapi.json, made a C array by the build (embed.cmake). */
#ifndef DN_API_OPENAPI_H
#define DN_API_OPENAPI_H

#include <stddef.h>

extern const unsigned char dn_openapi[];
extern const size_t dn_openapi_len;

#endif
