/* SPDX-License-Identifier: Apache-2.0 */
/* The file of sealing keys; see seal_file.h. */
#include "store/seal_file.h"

#include "store/token.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#define FIRST_LINE     "dunlin-seal 1"
#define FIRST_WORD     "dunlin-seal "
#define ID_DIGITS      16u
#define FILE_BYTES_MAX (256u * 1024u)
#define LINE_MAX_BYTES (2u * DN_TOKEN_WRAPPED_MAX + 64u)

static const char preamble[] = FIRST_LINE
    "\n"
    "# Keys that seal what dunlind keeps secret. The last one seals, all open. Keep this file to yourself,\n"
    "# and keep a copy in a safe place: without it the credentials cannot be read.\n";

/* ---- keys ---- */

static dunlin_status id_of(const uint8_t key[DN_SEAL_KEY_LEN], uint64_t *id)
{
    static const char label[] = "dunlin-seal-key";
    uint8_t text[sizeof label - 1 + DN_SEAL_KEY_LEN];
    uint8_t digest[32];
    memcpy(text, label, sizeof label - 1);
    memcpy(text + sizeof label - 1, key, DN_SEAL_KEY_LEN);
    int result = gnutls_hash_fast(GNUTLS_DIG_SHA256, text, sizeof text, digest);
    gnutls_memset(text, 0, sizeof text);
    if (result != 0) {
        return DUNLIN_ERR_STORE;
    }
    *id = 0;
    for (size_t i = 0; i < 8; i++) {
        *id = *id << 8 | digest[i];
    }
    *id &= INT64_MAX; /* SQLite's integers have a sign */
    return *id != 0 ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

dunlin_status dn_seal_key_make(dn_seal_key *key)
{
    if (gnutls_rnd(GNUTLS_RND_KEY, key->key, sizeof key->key) != 0) {
        return DUNLIN_ERR_STORE;
    }
    return id_of(key->key, &key->id);
}

void dn_seal_keys_wipe(dn_seal_keys *keys)
{
    gnutls_memset(keys, 0, sizeof *keys);
}

/* ---- reading ---- */

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex digits up to a space or the end; false when there is anything else, or too much. */
static bool take_hex(const char **at, uint8_t *out, size_t cap, size_t *len)
{
    const char *c = *at;
    for (*len = 0; digit(c[0]) >= 0 && digit(c[1]) >= 0; c += 2) {
        if (*len == cap) {
            return false;
        }
        out[(*len)++] = (uint8_t)(digit(c[0]) << 4 | digit(c[1]));
    }
    *at = c;
    return *len > 0 && (*c == ' ' || *c == '\0');
}

typedef struct {
    const char *path;
    const char *token;
    unsigned line;
    char *error;
    size_t error_size;
} reading;

static dunlin_status bad(const reading *r, const char *what)
{
    snprintf(r->error, r->error_size, "%s, line %u: %s", r->path, r->line, what);
    return DUNLIN_ERR_STORE;
}

static dunlin_status take_wrapped(const reading *r, const char *digits, dn_seal_key *key)
{
    uint8_t wrapped[DN_TOKEN_WRAPPED_MAX];
    size_t len = 0;
    if (!take_hex(&digits, wrapped, sizeof wrapped, &len) || *digits != '\0') {
        return bad(r, "\"wrapped\", a number and hex digits are expected");
    }
    if (r->token == NULL) {
        return bad(r, "this key is wrapped for a PKCS#11 token; name the token's key, pkcs11:..., as the "
                      "sealing key");
    }
    return dn_token_unwrap(r->token, dunlin_slice_make(wrapped, len), key->key, sizeof key->key, r->error,
                           r->error_size);
}

/* A line that is no comment: a key. */
static dunlin_status take_line(const reading *r, const char *line, dn_seal_keys *keys)
{
    const bool wrapped = strncmp(line, "wrapped ", 8) == 0;
    uint8_t number[8];
    size_t len = 0;
    uint64_t id = 0;
    const char *at = line + (wrapped ? 8 : 4);
    if ((!wrapped && strncmp(line, "key ", 4) != 0) || !take_hex(&at, number, sizeof number, &len) ||
        len != sizeof number || *at++ != ' ') {
        return bad(r, "\"key\" or \"wrapped\", a number of 16 hex digits and more hex digits are expected");
    }
    if (keys->count == DN_SEAL_KEYS_MAX) {
        return bad(r, "there are too many keys; remove the oldest ones");
    }
    dn_seal_key *key = &keys->keys[keys->count];
    dunlin_status status = DUNLIN_OK;
    if (wrapped) {
        status = take_wrapped(r, at, key);
    } else if (!take_hex(&at, key->key, sizeof key->key, &len) || len != sizeof key->key || *at != '\0') {
        status = bad(r, "a key has 64 hex digits");
    }
    if (status == DUNLIN_OK) {
        status = id_of(key->key, &id);
        for (size_t i = 0; i < 8; i++) {
            if (number[i] != (uint8_t)(id >> (56 - 8 * i))) {
                status = bad(r, "the key is damaged: it does not belong to its number");
                break;
            }
        }
    }
    if (status == DUNLIN_OK) {
        key->id = id;
        keys->count++;
    }
    return status;
}

/* `text` is changed. */
static dunlin_status parse(reading *r, char *text, dn_seal_keys *keys)
{
    dunlin_status status = DUNLIN_OK;
    for (char *line = text; line != NULL && status == DUNLIN_OK;) {
        char *end = strchr(line, '\n');
        char *next = end != NULL ? end + 1 : NULL;
        if (end != NULL) {
            *end = '\0';
            if (end > line && end[-1] == '\r') {
                end[-1] = '\0';
            }
        }
        r->line++;
        if (r->line == 1 && strcmp(line, FIRST_LINE) != 0) {
            status =
                bad(r, strncmp(line, FIRST_WORD, sizeof FIRST_WORD - 1) == 0
                           ? "a newer release made this file"
                           : "this is not a file of sealing keys: it does not begin with \"" FIRST_LINE "\"");
        } else if (r->line > 1 && *line != '\0' && *line != '#') {
            status =
                strlen(line) < LINE_MAX_BYTES ? take_line(r, line, keys) : bad(r, "the line is too long");
        }
        line = next;
    }
    if (status == DUNLIN_OK && keys->count == 0) {
        snprintf(r->error, r->error_size, "%s holds no key", r->path);
        status = DUNLIN_ERR_STORE;
    }
    return status;
}

static dunlin_status say(char *error, size_t error_size, const char *doing, const char *path)
{
    snprintf(error, error_size, "cannot %s %s: %s", doing, path, strerror(errno));
    return DUNLIN_ERR_STORE;
}

/* The whole file, terminated, from malloc; NULL with a text. */
static char *slurp(int fd, const char *path, size_t *len, char *error, size_t error_size)
{
    char *text = malloc(FILE_BYTES_MAX + 1);
    ssize_t n = 1;
    *len = 0;
    while (text != NULL && n > 0 && *len < FILE_BYTES_MAX) {
        n = read(fd, text + *len, FILE_BYTES_MAX - *len);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        *len += n > 0 ? (size_t)n : 0;
    }
    if (text == NULL || n < 0 || *len == FILE_BYTES_MAX) {
        if (text != NULL && n >= 0) {
            errno = EFBIG;
        }
        (void)say(error, error_size, "read", path);
        if (text != NULL) {
            gnutls_memset(text, 0, FILE_BYTES_MAX);
        }
        free(text);
        return NULL;
    }
    text[*len] = '\0';
    return text;
}

static dunlin_status check_mode(int fd, const char *path, unsigned forbidden, char *error, size_t error_size)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return say(error, error_size, "read", path);
    }
    if (!S_ISREG(about.st_mode)) {
        snprintf(error, error_size, "%s is not a file", path);
        return DUNLIN_ERR_STORE;
    }
    if ((about.st_mode & forbidden) != 0) {
        snprintf(error, error_size,
                 "%s holds secret keys, but others may use it (its mode is %04o): chmod 600 %s, and if they "
                 "may have "
                 "read it, add a new key",
                 path, (unsigned)about.st_mode & 07777u, path);
        return DUNLIN_ERR_STORE;
    }
    return DUNLIN_OK;
}

dunlin_status dn_seal_file_read(const char *path, unsigned forbidden, const char *token, dn_seal_keys *keys,
                                char *error, size_t error_size)
{
    reading r = {.path = path, .token = token, .error = error, .error_size = error_size};
    keys->count = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        dunlin_status missing = errno == ENOENT ? DUNLIN_ERR_NOT_FOUND : DUNLIN_ERR_STORE;
        (void)say(error, error_size, "open", path);
        return missing;
    }
    size_t len = 0;
    char *text = NULL;
    dunlin_status status = check_mode(fd, path, forbidden, error, error_size);
    if (status == DUNLIN_OK) {
        text = slurp(fd, path, &len, error, error_size);
        status = text != NULL ? DUNLIN_OK : DUNLIN_ERR_STORE;
    }
    if (status == DUNLIN_OK && memchr(text, '\0', len) != NULL) {
        snprintf(error, error_size, "%s is not a text", path);
        status = DUNLIN_ERR_STORE;
    }
    if (status == DUNLIN_OK) {
        status = parse(&r, text, keys);
    }
    if (text != NULL) {
        gnutls_memset(text, 0, len);
    }
    free(text);
    close(fd);
    if (status != DUNLIN_OK) {
        dn_seal_keys_wipe(keys);
    }
    return status;
}

/* ---- writing ---- */

static char *put_hex(char *at, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

/* A new key as a line of the file. */
static dunlin_status make_line(const char *token, char line[LINE_MAX_BYTES], uint64_t *id, char *error,
                               size_t error_size)
{
    dn_seal_key key;
    uint8_t bytes[DN_TOKEN_WRAPPED_MAX];
    dunlin_buf wrapped = dunlin_buf_make(bytes, sizeof bytes);
    dunlin_status status = dn_seal_key_make(&key);
    if (status != DUNLIN_OK) {
        snprintf(error, error_size, "the system gives no random numbers");
        return status;
    }
    *id = key.id;
    const dunlin_slice plain = dunlin_slice_make(key.key, sizeof key.key);
    if (token != NULL) {
        status = dn_token_wrap(token, plain, &wrapped, error, error_size);
    }
    if (status == DUNLIN_OK) {
        const dunlin_slice shown = token != NULL ? dunlin_buf_view(&wrapped) : plain;
        char *at = line + sprintf(line, "%s %016" PRIx64 " ", token != NULL ? "wrapped" : "key", key.id);
        at = put_hex(at, shown.data, shown.len);
        *at++ = '\n';
        *at = '\0';
    }
    gnutls_memset(&key, 0, sizeof key);
    return status;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        snprintf(folder, sizeof folder, ".");
    } else {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash == path ? 1 : slash - path), path);
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* What the file is to be: the text it has, whose it is, and the line to add. */
typedef struct {
    const char *path;
    const char *text;
    size_t len;
    const char *line;
    const struct stat *owner; /* NULL: there is no such file yet */
} contents;

/* Root may add a key to the file of the server's user, who must still be able to read it. */
static bool keep_owner(int fd, const struct stat *owner)
{
    struct stat own;
    return owner == NULL ||
           (fstat(fd, &own) == 0 && own.st_uid == owner->st_uid && own.st_gid == owner->st_gid) ||
           fchown(fd, owner->st_uid, owner->st_gid) == 0;
}

static dunlin_status replace(const contents *c, char *error, size_t error_size)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", c->path) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return say(error, error_size, "write", c->path);
    }
    int fd = mkostemp(beside, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        return say(error, error_size, "make a file beside", c->path);
    }
    const bool ends = c->len == 0 || c->text[c->len - 1] == '\n';
    bool ok = keep_owner(fd, c->owner) && write_all(fd, c->text, c->len) &&
              (ends || write_all(fd, "\n", 1)) && write_all(fd, c->line, strlen(c->line)) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    /* A link, unlike a renaming, leaves alone what somebody else made meanwhile. */
    ok = ok && (c->owner == NULL ? link(beside, c->path) : rename(beside, c->path)) == 0;
    dunlin_status status = ok ? DUNLIN_OK : say(error, error_size, "write", c->path);
    if (!ok || c->owner == NULL) {
        unlink(beside);
    }
    if (ok && !sync_folder_of(c->path)) {
        status = say(error, error_size, "flush the folder of", c->path);
    }
    return status;
}

/* Opens the file and takes its lock; another one may have replaced it meanwhile. -1: see errno. */
static int open_locked(const char *path)
{
    for (;;) {
        struct stat held;
        struct stat there;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_EX) != 0) {
            return fd;
        }
        if (fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
            held.st_dev == there.st_dev) {
            return fd;
        }
        close(fd);
    }
}

static dunlin_status add_to(int fd, const char *path, const char *line, char *error, size_t error_size)
{
    size_t len = 0;
    struct stat owner;
    dunlin_status status = check_mode(fd, path, 077, error, error_size);
    if (status == DUNLIN_OK && fstat(fd, &owner) != 0) {
        status = say(error, error_size, "read", path);
    }
    char *text = status == DUNLIN_OK ? slurp(fd, path, &len, error, error_size) : NULL;
    if (text == NULL) {
        return DUNLIN_ERR_STORE;
    }
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        lines += at[1] == 'k' || at[1] == 'w';
    }
    if (lines >= DN_SEAL_KEYS_MAX) {
        snprintf(error, error_size, "%s has %u keys, which is the most: remove the oldest ones", path,
                 DN_SEAL_KEYS_MAX);
        status = DUNLIN_ERR_STORE;
    } else if (strncmp(text, FIRST_LINE "\n", sizeof FIRST_LINE) != 0) {
        snprintf(error, error_size, "%s is not a file of sealing keys, or one of a newer release", path);
        status = DUNLIN_ERR_STORE;
    } else {
        status = replace(&(contents){path, text, len, line, &owner}, error, error_size);
    }
    gnutls_memset(text, 0, len);
    free(text);
    return status;
}

dunlin_status dn_seal_file_add(const char *path, const char *token, uint64_t *id, char *error,
                               size_t error_size)
{
    char line[LINE_MAX_BYTES];
    uint64_t number = 0;
    dunlin_status status = make_line(token, line, &number, error, error_size);
    if (status != DUNLIN_OK) {
        return status;
    }
    int fd = open_locked(path);
    if (fd >= 0) {
        status = add_to(fd, path, line, error, error_size);
        close(fd);
    } else if (errno == ENOENT) {
        status = replace(&(contents){path, preamble, sizeof preamble - 1, line, NULL}, error, error_size);
    } else {
        status = say(error, error_size, "open", path);
    }
    gnutls_memset(line, 0, sizeof line);
    if (id != NULL) {
        *id = number;
    }
    return status;
}
