/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin credentials set: from files and options, or made here; what was made is shown once. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/credentials.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/secret_file.h"
#include "apps/dunlin/show.h"

#include "security/issue.h"

#include <gnutls/x509.h>

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define KEY_BYTES    16u /* of a key that is made here: AES-128 has no more */
#define KEY_FILE_MAX 4096u
#define FILE_MAX     65536u
#define IDENTITY_MAX 128u
#define PRIVATE_MARK "PRIVATE KEY-----"

/* What a new credential is made of, and what its device has to be given. */
typedef struct {
    const dn_credential_options *o;
    const char *endpoint;
    json_t *body;
    const char *mode_number; /* of /0/x/2, with its name; NULL: nothing was made */
    dn_text identity;        /* /0/x/3 as hex digits */
    dn_text secret;          /* /0/x/5 as hex digits; empty: it is in `private_file` */
    dn_text private_pem, public_pem;
    dn_text private_file, public_file, server_file; /* that were written */
    dn_text private_der;                            /* of a pair of keys, as hex digits */
    const char *factory;                            /* that was written; NULL: none */
} making;

static const char *command_of(const making *m)
{
    return dn_credential_command(m->o);
}

static bool wrong(const making *m, const char *text)
{
    (void)fprintf(stderr, "dunlin %s: %s; 'dunlin %s --help' shows how\n", command_of(m), text,
                  m->o->bootstrap ? "bootstrap" : "credentials");
    return false;
}

static void set_text(making *m, const char *member, const char *text)
{
    (void)json_object_set_new(m->body, member, json_string(text));
}

/* ---- pre-shared keys ---- */

static bool take_identity(making *m)
{
    const char *given = m->o->identity != NULL ? m->o->identity : m->endpoint;
    if (strncmp(given, "hex:", 4) == 0 && m->o->identity != NULL) {
        unsigned char bytes[IDENTITY_MAX];
        size_t len = 0;
        if (!dn_credential_hex(given + 4, bytes, sizeof bytes, &len)) {
            return wrong(m, "--identity takes up to 128 bytes, as pairs of hex digits behind hex:");
        }
        dn_credential_add_hex(&m->identity, bytes, len);
        set_text(m, "identity_hex", m->identity.data);
        return true;
    }
    if (m->o->identity == NULL && strpbrk(m->endpoint, "*?") != NULL) {
        return wrong(m, "a pattern has no name of its own: give --identity");
    }
    dn_credential_add_hex(&m->identity, given, strlen(given));
    json_t *text = json_string(given);
    if (text == NULL) {
        return wrong(m, "the identity is not UTF-8: give it as hex:DIGITS");
    }
    (void)json_object_set_new(m->body, "identity", text);
    return true;
}

static bool take_key(making *m)
{
    dn_text file = {0};
    unsigned char bytes[64];
    size_t len = 0;
    const char *digits = m->o->key;
    if (digits[0] == '@') {
        if (!dn_secret_read(command_of(m), digits + 1, KEY_FILE_MAX, &file)) {
            return false;
        }
        while (file.len > 0 && strchr(" \t\r\n", file.data[file.len - 1]) != NULL) {
            file.data[--file.len] = '\0';
        }
        digits = file.data + strspn(file.data, " \t\r\n");
    }
    digits += strncmp(digits, "hex:", 4) == 0 ? 4 : 0;
    const bool ok = dn_credential_hex(digits, bytes, sizeof bytes, &len) && len >= 8;
    if (ok) {
        set_text(m, "key", digits);
        dn_text_puts(&m->secret, digits);
    } else {
        (void)wrong(m, "a key is 8 to 64 bytes, as pairs of hex digits");
    }
    explicit_bzero(bytes, sizeof bytes);
    dn_secret_free(&file);
    return ok;
}

static bool make_key(making *m)
{
    unsigned char bytes[KEY_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return wrong(m, "the system gives no random numbers");
    }
    dn_credential_add_hex(&m->secret, bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    set_text(m, "key", m->secret.data);
    m->mode_number = "0 (PSK)";
    if (m->o->out == NULL) {
        return true;
    }
    m->private_file = dn_secret_path(m->o->out, m->endpoint, ".key");
    dn_text_add(&m->private_pem, m->secret.data, m->secret.len);
    dn_text_puts(&m->private_pem, "\n");
    return true;
}

static bool take_psk(making *m)
{
    set_text(m, "mode", "psk");
    return take_identity(m) && (m->o->key != NULL ? take_key(m) : make_key(m));
}

/* ---- raw public keys ---- */

static bool is_pem(const dn_text *file)
{
    return strstr(file->data, "-----BEGIN ") != NULL;
}

static bool take_rpk(making *m)
{
    dn_text file = {0};
    dn_text digits = {0};
    set_text(m, "mode", "rpk");
    bool ok = dn_secret_read(command_of(m), m->o->rpk, FILE_MAX, &file);
    if (ok && strstr(file.data, PRIVATE_MARK) != NULL) {
        ok = wrong(m, "--rpk takes the public key: this is a private one, which belongs on the device alone");
    } else if (ok && is_pem(&file)) {
        set_text(m, "public_key", file.data);
    } else if (ok) {
        dn_credential_add_hex(&digits, file.data, file.len);
        set_text(m, "public_key", digits.data != NULL ? digits.data : "");
    }
    dn_text_free(&digits);
    dn_secret_free(&file);
    return ok;
}

static bool make_rpk(making *m)
{
    uint8_t key[DN_KEY_DER_MAX];
    uint8_t public_key[DN_PUBLIC_KEY_DER_MAX];
    size_t len = 0;
    size_t public_len = 0;
    const char *dir = m->o->out != NULL ? m->o->out : ".";
    set_text(m, "mode", "rpk");
    bool ok = dn_key_generate(key, &len) == DUNLIN_OK &&
              dn_key_public(dunlin_slice_make(key, len), public_key, &public_len) == DUNLIN_OK;
    if (ok) {
        m->mode_number = "1 (raw public key)";
        dn_pem_add(&m->private_pem, "PRIVATE KEY", dunlin_slice_make(key, len));
        dn_credential_add_hex(&m->private_der, key, len);
        dn_pem_add(&m->public_pem, "PUBLIC KEY", dunlin_slice_make(public_key, public_len));
        dn_credential_add_hex(&m->identity, public_key, public_len);
        set_text(m, "public_key", m->identity.data);
        m->private_file = dn_secret_path(dir, m->endpoint, ".key");
        m->public_file = dn_secret_path(dir, m->endpoint, ".pub");
    } else {
        (void)wrong(m, "no pair of keys could be made");
    }
    explicit_bzero(key, sizeof key);
    return ok;
}

/* ---- certificates ---- */

/* The SHA-256 of a certificate in DER; false: it is none. */
static bool fingerprint(const dn_text *file, uint8_t digest[32])
{
    gnutls_x509_crt_t certificate = NULL;
    const gnutls_datum_t der = {.data = (unsigned char *)file->data, .size = (unsigned)file->len};
    size_t len = 32;
    if (file->len == 0 || gnutls_x509_crt_init(&certificate) != 0) {
        return false;
    }
    const bool ok = gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == 0 &&
                    gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, digest, &len) == 0;
    gnutls_x509_crt_deinit(certificate);
    return ok;
}

/* A file may have the key behind the certificate: it must not leave. */
static bool take_pem_certificate(making *m, const dn_text *file)
{
    static const char last_line[] = "-----END CERTIFICATE-----";
    const char *begin = strstr(file->data, "-----BEGIN CERTIFICATE-----");
    char *end = strstr(file->data, last_line);
    if (begin == NULL || end == NULL || begin > end) {
        return false;
    }
    end[strlen(last_line)] = '\0';
    set_text(m, "certificate", begin);
    return true;
}

static bool take_der_certificate(making *m, const dn_text *file)
{
    uint8_t digest[32];
    dn_text digits = {0};
    if (!fingerprint(file, digest)) {
        return false;
    }
    dn_credential_add_hex(&digits, digest, sizeof digest);
    set_text(m, "fingerprint", digits.data);
    dn_text_free(&digits);
    return true;
}

static bool take_certificate(making *m)
{
    dn_text file = {0};
    if (!dn_secret_read(command_of(m), m->o->certificate, FILE_MAX, &file)) {
        return false;
    }
    const bool ok = is_pem(&file) ? take_pem_certificate(m, &file) : take_der_certificate(m, &file);
    dn_secret_free(&file);
    return ok || wrong(m, "--certificate takes a certificate, PEM or DER");
}

static bool take_x509(making *m)
{
    const dn_credential_options *o = m->o;
    set_text(m, "mode", "x509");
    if (o->name != NULL) {
        set_text(m, "name", o->name);
    }
    if (o->fingerprint != NULL) {
        set_text(m, "fingerprint", o->fingerprint);
    }
    return o->certificate == NULL || take_certificate(m);
}

/* ---- the device's side ---- */

static bool write_factory(making *m, const json_t *identity)
{
    if (m->o->factory == NULL) {
        return true;
    }
    const bool rpk = m->private_der.len > 0;
    dn_text document = {0};
    dn_text uri = dn_credential_uri(&m->o->shared, identity);
    dn_credential_factory(uri.data, rpk ? 1 : 0, m->identity.data,
                          rpk ? json_string_value(json_object_get(identity, "public_key")) : NULL,
                          rpk ? m->private_der.data : m->secret.data, &document);
    m->factory =
        dn_secret_write(command_of(m), m->o->factory, document.data, document.len) ? m->o->factory : NULL;
    dn_secret_free(&document);
    dn_text_free(&uri);
    return m->factory != NULL;
}

/* What a device with a pair of keys needs to know the server by. */
static void write_server_key(making *m, const json_t *identity)
{
    dn_text server = dn_credential_server_key(identity);
    if (server.len > 0) {
        m->server_file = dn_secret_path(m->o->out != NULL ? m->o->out : ".", "server", ".pub");
        /* All devices have the same: one that is there already will do. */
        if (access(m->server_file.data, R_OK) != 0 &&
            !dn_secret_write(command_of(m), m->server_file.data, server.data, server.len)) {
            dn_text_free(&m->server_file);
        }
    }
    dn_text_free(&server);
}

/* Before the server hears of it: a key that cannot be kept must not be the credential. */
static bool write_files(making *m, const json_t *identity)
{
    if (!write_factory(m, identity)) {
        return false;
    }
    if (m->private_file.len == 0) {
        return true;
    }
    if (!dn_secret_write(command_of(m), m->private_file.data, m->private_pem.data, m->private_pem.len)) {
        dn_text_free(&m->private_file); /* not ours */
        return false;
    }
    if (m->public_file.len == 0) {
        return true;
    }
    if (!dn_secret_write(command_of(m), m->public_file.data, m->public_pem.data, m->public_pem.len)) {
        dn_text_free(&m->public_file);
        return false;
    }
    write_server_key(m, identity);
    return true;
}

static void remove_files(making *m)
{
    if (m->factory != NULL) {
        (void)unlink(m->factory);
    }
    if (m->private_file.len > 0) {
        (void)unlink(m->private_file.data);
    }
    if (m->public_file.len > 0) {
        (void)unlink(m->public_file.data);
    }
}

/* A word for a POSIX shell. */
static void add_word(dn_text *line, const char *word)
{
    if (word[0] != '\0' &&
        word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")] ==
            '\0') {
        dn_text_puts(line, word);
        return;
    }
    dn_text_puts(line, "'");
    for (const char *at = word; *at != '\0'; at++) {
        dn_text_add(line, *at == '\'' ? "'\\''" : at, *at == '\'' ? 4 : 1);
    }
    dn_text_puts(line, "'");
}

static void add_option(dn_text *line, const char *option, const char *prefix, const char *value)
{
    dn_text word = {0};
    dn_text_puts(&word, prefix);
    dn_text_puts(&word, value);
    dn_text_printf(line, " %s ", option);
    add_word(line, word.data);
    dn_secret_free(&word);
}

static dn_text command_line(const making *m, const char *uri)
{
    dn_text line = {0};
    const char *name = strpbrk(m->endpoint, "*?") != NULL ? "NAME" : m->endpoint;
    dn_text_puts(&line, "dunlin client");
    add_option(&line, "-e", "", name);
    if (m->factory != NULL) {
        add_option(&line, "--factory", "", m->factory);
        return line;
    }
    add_option(&line, m->o->bootstrap ? "--bootstrap" : "-u", "", uri);
    if (m->public_file.len > 0) {
        add_option(&line, "--public-key", "", m->public_file.data);
        add_option(&line, "--private-key", "", m->private_file.data);
        add_option(&line, "--server-key", "", m->server_file.len > 0 ? m->server_file.data : "SERVER.pub");
        return line;
    }
    const char *given = m->o->identity != NULL ? m->o->identity : m->endpoint;
    add_option(&line, "--identity", "", given);
    if (m->private_file.len > 0) {
        add_option(&line, "--key", "@", m->private_file.data);
    } else {
        add_option(&line, "--key", "hex:", m->secret.data);
    }
    return line;
}

static void print_device(const making *m, const char *uri, const json_t *identity)
{
    dn_text line = command_line(m, uri);
    const char *server_key = json_string_value(json_object_get(identity, "public_key"));
    const bool hidden = m->private_file.len > 0;
    if (m->factory != NULL) {
        (void)printf("\n%s has the device's side, with its secret, which cannot be asked for.\n\n  %s\n",
                     m->factory, line.data);
        dn_secret_free(&line);
        return;
    }
    (void)printf("\nGive this to the device now; the secret is %s and cannot be asked for.\n\n  %s\n\n"
                 "Object 0 (Security) of the device, by resource:\n"
                 "  0  Server URI          %s\n  1  Bootstrap-Server    %s\n  2  Security Mode       %s\n"
                 "  3  %s hex %s\n",
                 hidden ? "in a file of this host" : "shown once", line.data, uri,
                 m->o->bootstrap ? "true" : "false", m->mode_number,
                 m->public_file.len > 0 ? "Public Key         " : "Identity           ", m->identity.data);
    if (m->public_file.len > 0) {
        (void)printf("  4  Server Public Key   %s%s\n", server_key != NULL ? "hex " : "",
                     server_key != NULL ? server_key : "that of the server, which is not known here");
    }
    (void)printf("  5  Secret Key          %s%s\n", hidden ? "in " : "hex ",
                 hidden ? m->private_file.data : m->secret.data);
    dn_secret_free(&line);
}

static json_t *device_json(const making *m, const char *uri)
{
    json_t *device = json_object();
    dn_text line = command_line(m, uri);
    (void)json_object_set_new(device, "uri", json_string(uri));
    (void)json_object_set_new(device, "command", json_string(line.data));
    (void)json_object_set_new(device, m->public_file.len > 0 ? "public_key" : "identity_hex",
                              json_string(m->identity.data));
    if (m->factory != NULL) {
        (void)json_object_set_new(device, "factory_file", json_string(m->factory));
    } else if (m->private_file.len > 0) {
        (void)json_object_set_new(device, "key_file", json_string(m->private_file.data));
    } else {
        (void)json_object_set_new(device, "key", json_string(m->secret.data));
    }
    if (m->public_file.len > 0) {
        (void)json_object_set_new(device, "public_key_file", json_string(m->public_file.data));
    }
    dn_secret_free(&line);
    return device;
}

/* ---- all together ---- */

static bool gather(making *m)
{
    const dn_credential_options *o = m->o;
    const int kinds =
        (o->psk ? 1 : 0) + (o->rpk != NULL ? 1 : 0) + (o->rpk_generate ? 1 : 0) + (o->x509 ? 1 : 0);
    if (kinds != 1) {
        return wrong(m, "say what to set: one of --psk, --rpk FILE, --rpk-generate and --x509");
    }
    if (!o->psk && (o->identity != NULL || o->key != NULL)) {
        return wrong(m, "--identity and --key belong to --psk");
    }
    if (!o->x509 && (o->name != NULL || o->certificate != NULL || o->fingerprint != NULL)) {
        return wrong(m, "--name, --certificate and --fingerprint belong to --x509");
    }
    if (o->factory != NULL && !o->psk && !o->rpk_generate) {
        return wrong(m, "--factory needs the secret: it goes with --psk and --rpk-generate");
    }
    if (o->certificate != NULL && o->fingerprint != NULL) {
        return wrong(m, "there is --certificate or --fingerprint, not both");
    }
    if (o->psk) {
        return take_psk(m);
    }
    if (o->rpk_generate && strpbrk(m->endpoint, "*?") != NULL) {
        return wrong(m, "a raw public key is one device's: it cannot be for a pattern");
    }
    if (o->x509) {
        return take_x509(m);
    }
    return o->rpk_generate ? make_rpk(m) : take_rpk(m);
}

static void print_result(const making *m, json_t *credential, long status, const json_t *identity)
{
    const bool made = m->mode_number != NULL || m->factory != NULL;
    dn_text uri = dn_credential_uri(&m->o->shared, identity);
    if (m->o->shared.json) {
        if (made) {
            (void)json_object_set_new(credential, "device", device_json(m, uri.data));
        }
        (void)json_dumpf(credential, stdout, JSON_INDENT(2));
        (void)puts("");
    } else {
        (void)printf("%s: %s, %s\n", status == 201 ? "made" : "replaced", m->endpoint,
                     dn_show_text(credential, "mode"));
        if (made) {
            print_device(m, uri.data, identity);
        }
    }
    dn_text_free(&uri);
}

static int send_it(making *m)
{
    int exit_code = EXIT_CODE_OK;
    dn_rest_connection connection = {0};
    json_t *identity =
        m->mode_number != NULL || m->o->factory != NULL ? dn_server_identity(m->o, true, &exit_code) : NULL;
    if (!write_files(m, identity)) {
        remove_files(m);
        json_decref(identity);
        return EXIT_CODE_USAGE;
    }
    dn_text url = dn_credential_url(m->o, m->endpoint);
    char *body = json_dumps(m->body, JSON_COMPACT);
    dn_credential_warn(command_of(m), &m->o->shared);
    dn_answer answer = dn_rest_on(&connection, "PUT", url.data, body, strlen(body),
                                  m->o->only_new ? "If-None-Match: *" : NULL);
    json_t *credential = answer.status == 200 || answer.status == 201
                             ? json_loadb(answer.body.data, answer.body.len, 0, NULL)
                             : NULL;
    if (credential != NULL) {
        print_result(m, credential, answer.status, identity);
    } else {
        remove_files(m);
        exit_code = dn_rest_trouble(&m->o->shared, &answer);
    }
    explicit_bzero(body, strlen(body));
    free(body);
    json_decref(credential);
    json_decref(identity);
    dn_answer_free(&answer);
    dn_text_free(&url);
    dn_rest_close(&connection);
    return exit_code;
}

int dn_credentials_set(const dn_credential_options *options, const char *endpoint)
{
    making m = {.o = options, .endpoint = endpoint, .body = json_object()};
    const int exit_code = gather(&m) ? send_it(&m) : EXIT_CODE_USAGE;
    json_decref(m.body);
    dn_secret_free(&m.secret);
    dn_secret_free(&m.private_pem);
    dn_secret_free(&m.private_der);
    dn_text_free(&m.identity);
    dn_text_free(&m.public_pem);
    dn_text_free(&m.private_file);
    dn_text_free(&m.public_file);
    dn_text_free(&m.server_file);
    return exit_code;
}
