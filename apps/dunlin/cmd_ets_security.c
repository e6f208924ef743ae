/* SPDX-License-Identifier: Apache-2.0 */
/* Reads pre-shared keys, certificates and private keys for `dunlin ets`. */
#include "apps/dunlin/cmd_ets_security.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  65536u
#define USAGE_MAX 3

static bool wrong(const char *option, const char *text, const char *why)
{
    (void)fprintf(stderr, "dunlin ets: %s%s%s: %s\n", option, text != NULL ? " " : "",
                  text != NULL ? text : "", why);
    return false;
}

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* "IDENTITY:HEX": the key holds no colon, so the last one divides. The key is not repeated in messages. */
static bool read_psk(dn_ets_security *out, const char *text)
{
    const char *colon = strrchr(text, ':');
    const size_t identity_len = colon != NULL ? (size_t)(colon - text) : 0;
    const size_t digits = colon != NULL ? strlen(colon + 1) : 0;
    if (identity_len == 0 || identity_len > DN_PSK_IDENTITY_MAX) {
        return wrong("--psk", NULL,
                     "it is IDENTITY:KEY, with 1 to 128 bytes of identity and the key in hexadecimal digits");
    }
    if (digits % 2 != 0 || digits < (size_t)2 * DN_PSK_KEY_MIN || digits > (size_t)2 * DN_PSK_KEY_MAX) {
        return wrong("--psk", NULL, "the key has 8 to 64 bytes, two hexadecimal digits each");
    }
    memcpy(out->psk, text, identity_len);
    uint8_t *key = out->psk + identity_len;
    for (size_t i = 0; i < digits; i += 2) {
        const int high = digit_of(colon[1 + i]);
        const int low = digit_of(colon[2 + i]);
        if (high < 0 || low < 0) {
            return wrong("--psk", NULL, "the key is not hexadecimal");
        }
        key[i / 2] = (uint8_t)(high << 4 | low);
    }
    out->identity = dunlin_slice_make(out->psk, identity_len);
    out->secret = dunlin_slice_make(key, digits / 2);
    return true;
}

static bool read_file(dn_ets_security *out, size_t slot, const char *option, const char *path,
                      dunlin_slice *to)
{
    if (path == NULL) {
        return true;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return wrong(option, path, strerror(errno));
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of a secret is left */
    out->memory[slot] = malloc(FILE_MAX);
    out->sizes[slot] = out->memory[slot] != NULL ? fread(out->memory[slot], 1, FILE_MAX, file) : 0;
    const bool good = !ferror(file) && out->sizes[slot] > 0 && out->sizes[slot] < FILE_MAX;
    (void)fclose(file);
    *to = dunlin_slice_make(out->memory[slot], out->sizes[slot]);
    return good || wrong(option, path, "it cannot be read, is empty, or larger than 64 KiB");
}

static bool read_usage(dn_ets_security *out, const char *text)
{
    if (text == NULL) {
        return true;
    }
    if (text[0] < '0' || text[0] > '0' + USAGE_MAX || text[1] != '\0') {
        return wrong("--usage", text, "it is 0, 1, 2 or 3, as Certificate Usage (/0/x/15) has them");
    }
    out->usage = (int16_t)(text[0] - '0');
    return true;
}

bool dn_ets_security_read(dn_ets_security *out, const dn_ets_security_options *options)
{
    *out = (dn_ets_security){.usage = -1};
    if ((options->cert == NULL) != (options->key == NULL)) {
        return wrong(options->cert == NULL ? "--key" : "--cert", NULL, "--cert and --key go together");
    }
    if ((options->psk != NULL && !read_psk(out, options->psk)) || !read_usage(out, options->usage) ||
        !read_file(out, 0, "--cert", options->cert, &out->certificate) ||
        !read_file(out, 1, "--key", options->key, &out->key) ||
        !read_file(out, 2, "--trust", options->trust, &out->trusted) ||
        !read_file(out, 3, "--server-cert", options->server_cert, &out->server_certificate)) {
        return false;
    }
    out->pair = (dn_tls_key_pair){.chain = out->certificate, .key = out->key};
    return true;
}

void dn_ets_security_free(dn_ets_security *security)
{
    for (size_t i = 0; i < sizeof security->memory / sizeof security->memory[0]; i++) {
        if (security->memory[i] != NULL) {
            explicit_bzero(security->memory[i], security->sizes[i]);
            free(security->memory[i]);
        }
    }
    explicit_bzero(security, sizeof *security);
}
