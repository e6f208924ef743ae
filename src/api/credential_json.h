/* SPDX-License-Identifier: Apache-2.0 */
/* A device's credential from and to JSON (docs/reference/rest.md). Keys come in and never go out. */
#ifndef DN_API_CREDENTIAL_JSON_H
#define DN_API_CREDENTIAL_JSON_H

#include "api/json_write.h"
#include "security/credentials.h"

#include <jansson.h>

#define DN_CREDENTIAL_JSON_ERROR 160u

typedef struct {
    char text[DN_CREDENTIAL_JSON_ERROR]; /* what is wrong; never a value */
    const char *pointer;                 /* of the member, or NULL */
} dn_credential_json_error;

/* Reads the body of a PUT. MALFORMED with what is wrong; `out` must be wiped in either case. */
dunlin_status dn_credential_read(const json_t *body, dunlin_slice endpoint, dn_credential *out,
                                 dn_credential_json_error *error);
/* Overwrites the strings of a body in memory, where keys were. */
void dn_credential_json_wipe(json_t *body);
/* How it holds: the current one, with what is staged beside it; or a staged one, which has none beside it. */
typedef struct {
    bool is_staged;
    const dn_credential *beside; /* NULL: none is staged */
} dn_credential_standing;
/* The whole object. */
void dn_credential_write(dn_jsonw *json, const dn_credential *credential, const dn_credential_standing *how);
/* The member "staged". */
void dn_credential_write_staged(dn_jsonw *json, const dn_credential *staged);
/* A string value of lower-case hex digits. */
void dn_jsonw_hex(dn_jsonw *json, dunlin_slice bytes);

#endif
