/* SPDX-License-Identifier: Apache-2.0 */
/* What a device must know of the server, and bytes as hex digits. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/credentials.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/secret_file.h"

#include <stdlib.h>
#include <string.h>

#define PORT_OF_DTLS      "5684"
#define PUBLIC_KEY_MAX    512u
#define FACTORY_BYTES_MAX 1024u

json_t *dn_server_identity(const dn_credential_options *o, bool quiet, int *exit_code)
{
    const dn_options *options = &o->shared;
    dn_text url =
        dn_rest_url(options, o->bootstrap ? "/bootstrap/server-identity" : "/server-identity", false);
    dn_answer answer = dn_rest("GET", url.data, NULL, 0, NULL);
    json_t *identity = answer.status == 200 ? json_loadb(answer.body.data, answer.body.len, 0, NULL) : NULL;
    *exit_code = EXIT_CODE_OK;
    if (identity == NULL && !quiet) {
        *exit_code = dn_rest_trouble(options, &answer);
    }
    dn_answer_free(&answer);
    dn_text_free(&url);
    return identity;
}

/* The host of an http URL, with the brackets of an IPv6 address. */
static dn_text host_of(const char *url)
{
    dn_text host = {0};
    const char *at = strstr(url, "://");
    at = at != NULL ? at + 3 : url;
    const size_t all = strcspn(at, "/");
    const char *user = memchr(at, '@', all);
    at = user != NULL ? user + 1 : at;
    const size_t len = *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":/");
    dn_text_add(&host, at, len);
    return host;
}

dn_text dn_credential_uri(const dn_options *options, const json_t *identity)
{
    static const char *const schemes[] = {"coaps", "coaps+tcp"};
    const json_t *addresses = json_object_get(identity, "addresses");
    const char *found = NULL;
    dn_text uri = {0};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0] && found == NULL; i++) {
        found = json_string_value(json_array_get(json_object_get(addresses, schemes[i]), 0));
    }
    const char *host = found != NULL ? strstr(found, "://") : NULL;
    dn_text own = host_of(options->server);
    if (host == NULL) {
        dn_text_puts(&uri, "coaps://");
        dn_text_puts(&uri, own.data);
        dn_text_puts(&uri, ":" PORT_OF_DTLS);
    } else if (strncmp(host + 3, "[::]:", 5) == 0 || strncmp(host + 3, "0.0.0.0:", 8) == 0) {
        dn_text_add(&uri, found, (size_t)(host - found) + 3);
        dn_text_puts(&uri, own.data);
        dn_text_puts(&uri, strrchr(found, ':'));
    } else {
        dn_text_puts(&uri, found);
    }
    dn_text_free(&own);
    return uri;
}

dn_text dn_credential_server_key(const json_t *identity)
{
    const char *digits = json_string_value(json_object_get(identity, "public_key"));
    unsigned char der[PUBLIC_KEY_MAX];
    size_t len = 0;
    dn_text pem = {0};
    if (digits != NULL && dn_credential_hex(digits, der, sizeof der, &len)) {
        dn_pem_add(&pem, "PUBLIC KEY", dunlin_slice_make(der, len));
    }
    return pem;
}

void dn_credential_warn(const char *command, const dn_options *options)
{
    static const char *const here[] = {"127.0.0.1", "localhost", "[::1]"};
    dn_text host = host_of(options->server);
    bool safe = strncmp(options->server, "https://", 8) == 0;
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        safe = safe || strcmp(host.data, here[i]) == 0;
    }
    if (!safe) {
        (void)fprintf(stderr,
                      "dunlin %s: warning: the key goes to %s in the clear; use https:// or a tunnel\n",
                      command, host.data);
    }
    dn_text_free(&host);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool dn_credential_hex(const char *digits, unsigned char *out, size_t cap, size_t *len)
{
    for (*len = 0; digits[0] != '\0'; digits += 2) {
        if (*len == cap || digit(digits[0]) < 0 || digit(digits[1]) < 0) {
            return false;
        }
        out[(*len)++] = (unsigned char)(digit(digits[0]) << 4 | digit(digits[1]));
    }
    return *len > 0;
}

void dn_credential_add_hex(dn_text *text, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) {
        const char pair[2] = {digits[at[i] >> 4], digits[at[i] & 15]};
        dn_text_add(text, pair, 2);
    }
}

/* ---- a factory configuration ---- */

static void add_base64url(dn_text *text, const char *digits)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[FACTORY_BYTES_MAX];
    size_t len = 0;
    (void)dn_credential_hex(digits, bytes, sizeof bytes, &len);
    for (size_t i = 0; i < len; i += 3) {
        const unsigned left = len - i >= 3 ? 3 : (unsigned)(len - i);
        const unsigned bits = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                              (left > 2 ? bytes[i + 2] : 0);
        for (unsigned k = 0; k <= left; k++) {
            dn_text_add(text, &alphabet[bits >> (18 - 6 * k) & 63], 1);
        }
    }
    explicit_bzero(bytes, sizeof bytes);
}

static void add_bytes(dn_text *out, unsigned resource, const char *digits)
{
    if (digits != NULL && digits[0] != '\0') {
        dn_text_printf(out, ",\n {\"n\":\"%u\",\"vd\":\"", resource);
        add_base64url(out, digits);
        dn_text_puts(out, "\"}");
    }
}

void dn_credential_factory(const char *uri, unsigned mode, const char *identity, const char *server_key,
                           const char *secret, dn_text *out)
{
    json_t *text = json_string(uri);
    char *quoted = text != NULL ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
    dn_text_printf(
        out,
        "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":%s},\n {\"n\":\"1\",\"vb\":true},\n {\"n\":\"2\",\"v\":%u}",
        quoted != NULL ? quoted : "\"\"", mode);
    add_bytes(out, 3, identity);
    add_bytes(out, 4, server_key);
    add_bytes(out, 5, secret);
    dn_text_puts(out, "]\n");
    free(quoted);
    json_decref(text);
}
