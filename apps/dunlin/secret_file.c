/* SPDX-License-Identifier: Apache-2.0 */
/* Files with keys; see secret_file.h. */
#include "apps/dunlin/secret_file.h"

#include "security/pem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void dn_pem_add(dn_text *text, const char *label, dunlin_slice der)
{
    const size_t len = dn_pem_length(label, der.len);
    dunlin_buf pem = dunlin_buf_make(malloc(len), len);
    if (pem.data == NULL) {
        (void)fputs("dunlin: out of memory\n", stderr);
        abort();
    }
    (void)dn_pem_write(label, der, &pem);
    dn_text_add(text, (const char *)pem.data, pem.len);
    explicit_bzero(pem.data, pem.cap);
    free(pem.data);
}

dn_text dn_secret_path(const char *dir, const char *name, const char *suffix)
{
    dn_text path = {0};
    dn_text_puts(&path, dir);
    dn_text_puts(&path, "/");
    for (const char *at = name; *at != '\0'; at++) {
        const bool plain = isalnum((unsigned char)*at) != 0 || strchr("._-", *at) != NULL;
        dn_text_add(&path, plain && (at != name || *at != '.') ? at : "_", 1);
    }
    dn_text_puts(&path, suffix);
    return path;
}

static bool failed(const char *command, const char *doing, const char *path)
{
    (void)fprintf(stderr, "dunlin %s: cannot %s %s: %s\n", command, doing, path, strerror(errno));
    return false;
}

static int make_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

/* The folder that a file is to be in; not those above it. */
static bool make_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash != NULL ? strndup(path, (size_t)(slash - path)) : NULL;
    const bool made = folder != NULL && mkdir(folder, 0700) == 0;
    free(folder);
    return made;
}

bool dn_secret_write(const char *command, const char *path, const char *text, size_t len)
{
    int fd = make_file(path);
    if (fd < 0 && errno == ENOENT && make_folder(path)) {
        fd = make_file(path);
    }
    if (fd < 0) {
        return failed(command, "make", path);
    }
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR) {
            break;
        }
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    if ((close(fd) != 0) | (len > 0)) {
        (void)failed(command, "write", path);
        (void)unlink(path);
        return false;
    }
    return true;
}

bool dn_secret_read(const char *command, const char *path, size_t most, dn_text *out)
{
    char piece[1024];
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return failed(command, "read", path);
    }
    dn_text_clear(out);
    while (n > 0 && out->len <= most) {
        n = read(fd, piece, sizeof piece);
        if (n > 0) {
            dn_text_add(out, piece, (size_t)n);
        } else if (n < 0 && errno == EINTR) {
            n = 1;
        }
    }
    explicit_bzero(piece, sizeof piece);
    if (n >= 0 && out->len > most) {
        errno = EFBIG;
        n = -1;
    }
    if (n < 0) {
        (void)failed(command, "read", path);
        dn_secret_free(out);
    }
    close(fd);
    return n >= 0;
}

void dn_secret_free(dn_text *text)
{
    if (text->data != NULL) {
        explicit_bzero(text->data, text->cap);
    }
    dn_text_free(text);
}
