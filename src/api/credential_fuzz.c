/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of PUT /credentials: any bytes as JSON, as PEM, as a credential; and what was taken is written, without its key. */
#include "api/credential_json.h"
#include "api/json_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two digits of the key in a row would stand in the answer by chance; all of them would not. */
static void must_not_show_key(const dn_credential *credential, const dn_text *answer)
{
    char digits[2 * DN_PSK_KEY_MAX + 1] = "";
    for (size_t i = 0; i < credential->key_len; i++) {
        static const char hex[] = "0123456789abcdef";
        digits[2 * i] = hex[credential->key[i] >> 4];
        digits[2 * i + 1] = hex[credential->key[i] & 15];
    }
    /* Unless somebody chose the same bytes for the identity. */
    if (credential->key_len > 0 && credential->identity_len == 1 &&
        memmem(answer->data, answer->len, digits, strlen(digits)) != NULL) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[DN_JSON_ERROR_MAX];
    dn_credential credential;
    dn_credential_json_error error;
    if (size < 1) {
        return 0;
    }
    json_t *body = dn_jsonr_parse(dunlin_slice_make(data + 1, size - 1), why);
    if (body == NULL) {
        return 0;
    }
    const char *endpoint = data[0] % 2 == 0 ? "device-1" : "device-*";
    if (dn_credential_read(body, dunlin_slice_of(endpoint), &credential, &error) == DUNLIN_OK) {
        dn_text text = {0};
        dn_jsonw json;
        if (dn_credential_check(&credential) != NULL) {
            abort();
        }
        dn_jsonw_start(&json, &text);
        dn_credential_write(&json, &credential, &(dn_credential_standing){.beside = &credential});
        must_not_show_key(&credential, &text);
        dn_text_free(&text);
    }
    dn_credential_wipe(&credential);
    dn_credential_json_wipe(body);
    json_decref(body);
    return 0;
}
