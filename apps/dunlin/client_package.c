/* SPDX-License-Identifier: Apache-2.0 */
/* Files: firmware.bin, firmware.state and firmware.version of the folder of --state. */
#include "apps/dunlin/client_package.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK       16384
#define FILE_MODE   0600
#define FOLDER_MODE 0700
#define STATE_MAGIC "dunlin firmware 1\n"
#define HEAD_MAX    256 /* bytes in which the head has to be */
#define HEAD_LINES  2
#define WORD_MAX    16
#define FNV_START   0xcbf29ce484222325u
#define FNV_PRIME   0x100000001b3u

static bool path_of(const dn_sim_package *package, const char *name, char out[PATH_MAX])
{
    const int len = snprintf(out, PATH_MAX, "%s/%s", package->folder, name);
    return len > 0 && len < PATH_MAX;
}

static bool write_all(int fd, const void *bytes, size_t len, off_t offset)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        const ssize_t put = pwrite(fd, at, len, offset);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        at += put;
        len -= (size_t)put;
        offset += put;
    }
    return true;
}

static int open_nameless(void)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/dunlin-client-XXXXXX", folder == NULL ? "/tmp" : folder);
    const int fd = mkstemp(path);
    if (fd >= 0) {
        (void)unlink(path);
    }
    return fd;
}

bool dn_sim_package_open(dn_sim_package *package, const char *folder)
{
    char path[PATH_MAX];
    package->folder = folder;
    package->fd = -1;
    if (folder == NULL) {
        return true; /* made when it is needed */
    }
    if ((mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) || !path_of(package, "firmware.bin", path) ||
        (package->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE)) < 0) {
        (void)fprintf(stderr, "dunlin client: cannot keep anything in %s: %s\n", folder, strerror(errno));
        return false;
    }
    return true;
}

void dn_sim_package_close(dn_sim_package *package)
{
    if (package->fd >= 0) {
        (void)close(package->fd);
        package->fd = -1;
    }
}

bool dn_sim_package_begin(dn_sim_package *package)
{
    if (package->fd < 0) {
        package->fd = open_nameless();
    }
    return package->fd >= 0 && ftruncate(package->fd, 0) == 0;
}

bool dn_sim_package_write(dn_sim_package *package, uint64_t offset, dunlin_slice bytes)
{
    return write_all(package->fd, bytes.data, bytes.len, (off_t)offset);
}

uint64_t dn_sim_package_size(const dn_sim_package *package)
{
    struct stat info;
    return package->fd >= 0 && fstat(package->fd, &info) == 0 ? (uint64_t)info.st_size : 0;
}

void dn_sim_package_discard(dn_sim_package *package)
{
    if (package->folder == NULL) {
        dn_sim_package_close(package);
    } else if (package->fd >= 0) {
        (void)!ftruncate(package->fd, 0); /* the next begin tries again, and tells */
    }
}

/* What is behind `key` in a line of printable characters. False: another line. */
static bool line_value(const char *line, size_t len, const char *key, char *out, size_t cap)
{
    const size_t key_len = strlen(key);
    if (len <= key_len || len - key_len >= cap || strncmp(line, key, key_len) != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (line[i] < ' ' || line[i] > '~') {
            return false;
        }
    }
    memcpy(out, line + key_len, len - key_len);
    out[len - key_len] = '\0';
    return true;
}

void dn_sim_package_head_read(dunlin_slice beginning, dn_sim_package_head *out)
{
    char text[HEAD_MAX + 1];
    char word[WORD_MAX];
    const size_t held = beginning.len < HEAD_MAX ? beginning.len : HEAD_MAX;
    memset(out, 0, sizeof *out);
    if (held > 0) {
        memcpy(text, beginning.data, held);
    }
    text[held] = '\0';
    const char *line = text;
    for (int i = 0; i < HEAD_LINES; i++) {
        const size_t len = strcspn(line, "\r\n");
        if (line_value(line, len, "fail=", word, sizeof word)) {
            (void)dn_sim_failure_read(word, &out->fail); /* a word that is none leaves it as it is */
        } else if (!line_value(line, len, "version=", out->version, sizeof out->version)) {
            break;
        }
        line += len + strspn(line + len, "\r\n");
    }
}

void dn_sim_package_head_of(const dn_sim_package *package, dn_sim_package_head *out)
{
    uint8_t beginning[HEAD_MAX];
    const ssize_t got = package->fd < 0 ? 0 : pread(package->fd, beginning, sizeof beginning, 0);
    dn_sim_package_head_read(dunlin_slice_make(beginning, got > 0 ? (size_t)got : 0), out);
}

bool dn_sim_package_version(const dn_sim_package *package, char out[DN_SIM_VERSION_MAX])
{
    dn_sim_package_head head;
    uint8_t chunk[CHUNK];
    uint64_t hash = FNV_START;
    off_t offset = 0;
    ssize_t got = 0;
    dn_sim_package_head_of(package, &head);
    if (head.version[0] != '\0') {
        memcpy(out, head.version, sizeof head.version);
        return true;
    }
    while (package->fd >= 0 && (got = pread(package->fd, chunk, sizeof chunk, offset)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            hash = (hash ^ chunk[i]) * FNV_PRIME;
        }
        offset += got;
    }
    (void)snprintf(out, DN_SIM_VERSION_MAX, "package-%08" PRIx32, (uint32_t)(hash ^ hash >> 32));
    return package->fd >= 0 && got == 0;
}

/* ---- small files, replaced as a whole ---- */

static void replace(const dn_sim_package *package, const char *name, const void *bytes, size_t len)
{
    char path[PATH_MAX];
    char fresh[PATH_MAX];
    char fresh_name[64];
    (void)snprintf(fresh_name, sizeof fresh_name, "%s.new", name);
    if (package->folder == NULL || !path_of(package, name, path) || !path_of(package, fresh_name, fresh)) {
        return;
    }
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    const bool written = fd >= 0 && write_all(fd, bytes, len, 0);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!written || rename(fresh, path) != 0) {
        (void)fprintf(stderr, "dunlin client: cannot write %s: %s\n", path, strerror(errno));
    }
}

/* Exactly `len` bytes. */
static bool read_file(const dn_sim_package *package, const char *name, void *out, size_t len, size_t *got)
{
    char path[PATH_MAX];
    FILE *in = package->folder != NULL && path_of(package, name, path) ? fopen(path, "rb") : NULL;
    if (in == NULL) {
        return false;
    }
    *got = fread(out, 1, len, in);
    (void)fclose(in);
    return true;
}

typedef struct {
    char magic[sizeof STATE_MAGIC];
    dunlin_firmware_kept kept;
} state_file;

void dn_sim_package_save(const dn_sim_package *package, const dunlin_firmware_kept *kept)
{
    state_file file;
    memset(&file, 0, sizeof file); /* gaps between members too */
    memcpy(file.magic, STATE_MAGIC, sizeof STATE_MAGIC);
    file.kept = *kept;
    replace(package, "firmware.state", &file, sizeof file);
}

bool dn_sim_package_load(const dn_sim_package *package, dunlin_firmware_kept *kept)
{
    state_file file;
    size_t got = 0;
    if (!read_file(package, "firmware.state", &file, sizeof file, &got) || got != sizeof file ||
        memcmp(file.magic, STATE_MAGIC, sizeof STATE_MAGIC) != 0) {
        return false;
    }
    *kept = file.kept;
    const uint64_t size = dn_sim_package_size(package);
    kept->offset = kept->offset > size ? size : kept->offset;
    return true;
}

void dn_sim_package_keep_version(const dn_sim_package *package, const char *version)
{
    replace(package, "firmware.version", version, strlen(version));
}

bool dn_sim_package_kept_version(const dn_sim_package *package, char out[DN_SIM_VERSION_MAX])
{
    size_t got = 0;
    if (!read_file(package, "firmware.version", out, DN_SIM_VERSION_MAX - 1, &got) || got == 0) {
        return false;
    }
    out[got] = '\0';
    return true;
}
