/* SPDX-License-Identifier: Apache-2.0 */
/* dunlind's own key; see own_key.h. */
#include "own_key.h"

#include "port/clock.h"
#include "security/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S       INT64_C(86400)
#define VALID_DAYS  3650
#define KEY_PEM_MAX 512
#define NAME_MAX_   64 /* of a Common Name */

const own_key_kind own_key_server = {.name = "server"};
const own_key_kind own_key_bootstrap = {.name = "bootstrap"};
const own_key_kind own_key_authority = {.name = "est-ca", .is_authority = true};

/* Names of this host by which devices might know it; they can be told to expect another one (/0/x/14), or this certificate itself. */
static bool certify(own_key *out, char *error, size_t error_size)
{
    uint8_t der[DN_CERTIFICATE_DER_MAX];
    size_t len;
    char host[NAME_MAX_ + 1] = "";
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == 0) {
        snprintf(host, sizeof host, "dunlind");
    }
    const char *const names[] = {host, "localhost"};
    int64_t now_s = dn_clock_wall_ms() / 1000;
    const dn_certificate_terms terms = {.common_name = host,
                                        .dns_names = names,
                                        .dns_count = 2,
                                        .from_s = now_s - DAY_S,
                                        .until_s = now_s + VALID_DAYS * DAY_S,
                                        .key = dunlin_slice_make(out->key, out->key_len)};
    dunlin_status status = dn_certificate_issue(&terms, der, &len);
    if (status == DUNLIN_OK) {
        status = dn_certificate_pem(dunlin_slice_make(der, len), out->certificate, sizeof out->certificate,
                                    &out->certificate_len);
    }
    if (status != DUNLIN_OK) {
        snprintf(error, error_size, "the server's certificate cannot be made: %s",
                 dunlin_status_text(status));
    }
    return status == DUNLIN_OK;
}

static dunlin_status make_authority(own_key *out)
{
    uint8_t der[DN_CERTIFICATE_DER_MAX];
    size_t len;
    const int64_t now_s = dn_clock_wall_ms() / 1000;
    dunlin_status status = dn_authority_make("Dunlin CA", now_s - DAY_S, now_s + VALID_DAYS * DAY_S, out->key,
                                             &out->key_len, der, &len);
    if (status == DUNLIN_OK) {
        status = dn_certificate_pem(dunlin_slice_make(der, len), out->certificate, sizeof out->certificate,
                                    &out->certificate_len);
    }
    return status;
}

bool own_key_make(const own_key_kind *kind, own_key *out, char *error, size_t error_size)
{
    dunlin_status status =
        kind->is_authority ? make_authority(out) : dn_key_generate(out->key, &out->key_len);
    if (status != DUNLIN_OK) {
        snprintf(error, error_size, "the key of %s cannot be made: %s", kind->name,
                 dunlin_status_text(status));
        return false;
    }
    return kind->is_authority || certify(out, error, error_size);
}

bool own_key_files(const own_key_kind *kind, const char *dir, char *certificate, char *key, size_t size,
                   char *error, size_t error_size)
{
    int a = snprintf(certificate, size, "%s/%s.pem", dir, kind->name);
    int b = snprintf(key, size, "%s/%s.key", dir, kind->name);
    if (a < 0 || b < 0 || (size_t)a >= size || (size_t)b >= size) {
        snprintf(error, error_size, "the name of the data folder is too long");
        return false;
    }
    return true;
}

/* All or nothing, on the disk when this returns. */
static bool write_file(const char *path, mode_t mode, const char *text, size_t len)
{
    char temporary[PATH_MAX];
    int name = snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (name < 0 || (size_t)name >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return false;
    }
    bool good = fchmod(fd, mode) == 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    good = good && rename(temporary, path) == 0;
    if (!good) {
        int reason = errno;
        (void)unlink(temporary);
        errno = reason;
    }
    return good;
}

/* The key that is there, which has no certificate: it was lost or is to be renewed. */
static bool read_key(const char *path, own_key *out)
{
    char text[KEY_PEM_MAX];
    FILE *file = fopen(path, "re");
    size_t len = file != NULL ? fread(text, 1, sizeof text, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    dunlin_slice pem = dunlin_slice_make(text, len);
    dunlin_buf der = dunlin_buf_make(out->key, sizeof out->key);
    bool good = dn_pem_read(&pem, DN_PEM_PRIVATE_KEY, &der) == DUNLIN_OK;
    out->key_len = der.len;
    explicit_bzero(text, sizeof text);
    return good;
}

static bool is_there(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

static bool keep(const own_key *made, bool with_key, const char *certificate, const char *key)
{
    char pem[KEY_PEM_MAX];
    bool good = true;
    if (with_key) {
        dunlin_buf text = dunlin_buf_make(pem, sizeof pem);
        good = dn_pem_write(DN_PEM_PRIVATE_KEY, dunlin_slice_make(made->key, made->key_len), &text) ==
                   DUNLIN_OK &&
               write_file(key, 0600, pem, text.len);
        explicit_bzero(pem, sizeof pem);
    }
    return good && write_file(certificate, 0644, made->certificate, made->certificate_len);
}

/* True: `made` is to be written, without its key if that is there. */
static bool make_missing(const own_key_kind *kind, bool has_key, const char *certificate, const char *key,
                         own_key *made, char *error, size_t error_size)
{
    if (!has_key) {
        return own_key_make(kind, made, error, error_size);
    }
    if (kind->is_authority) {
        snprintf(error, error_size, "%s is missing, but %s is there: put it back, or take the key away",
                 certificate, key);
        return false;
    }
    if (!read_key(key, made)) {
        snprintf(error, error_size, "%s is no key that was made here, and %s is missing", key, certificate);
        return false;
    }
    return certify(made, error, error_size);
}

bool own_key_ensure(const own_key_kind *kind, const char *dir, const dn_log *log, char *error,
                    size_t error_size)
{
    char certificate[PATH_MAX], key[PATH_MAX];
    own_key made = {.key_len = 0};
    if (!own_key_files(kind, dir, certificate, key, sizeof key, error, error_size)) {
        return false;
    }
    const bool has_key = is_there(key);
    if (has_key && is_there(certificate)) {
        return true;
    }
    bool good = make_missing(kind, has_key, certificate, key, &made, error, error_size);
    if (good && !keep(&made, !has_key, certificate, key)) {
        snprintf(error, error_size, "cannot write %s and %s: %s", key, certificate, strerror(errno));
        good = false;
    }
    explicit_bzero(&made, sizeof made);
    if (good) {
        dn_log_at(log, DN_LOG_INFO, "security", "made %s%s%s, self-signed: %s", has_key ? "" : key,
                  has_key ? "" : " and ", certificate,
                  kind->is_authority ? "it issues certificates to devices" : "devices have to be told of it");
    }
    return good;
}
