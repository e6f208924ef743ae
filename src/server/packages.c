/* SPDX-License-Identifier: Apache-2.0 */
/* Open files in a list, the latest used first; those that nobody uses stay open until there are too many. */
#include "server/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT_OCTETS 42

struct dn_package {
    dn_package *next;
    uint32_t users;
    int fd;
    uint64_t size;
    char name[DN_PACKAGE_NAME + 1];
};

bool dn_packages_init(dn_packages *packages, const char *directory)
{
    *packages = (dn_packages){.directory = -1};
    if (directory == NULL) {
        return true;
    }
    packages->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return packages->directory >= 0;
}

/* Takes the package that `link` leads to out of the list and closes it. */
static void drop(dn_packages *packages, dn_package **link)
{
    dn_package *package = *link;
    *link = package->next;
    packages->idle--;
    (void)close(package->fd);
    free(package);
}

void dn_packages_free(dn_packages *packages)
{
    while (packages->open != NULL) {
        drop(packages, &packages->open);
    }
    if (packages->directory >= 0) {
        (void)close(packages->directory);
        packages->directory = -1;
    }
}

bool dn_package_is_name(dunlin_slice name)
{
    if (name.len != DN_PACKAGE_NAME) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
            return false;
        }
    }
    return true;
}

static dn_package *open_file(const dn_packages *packages, dunlin_slice name)
{
    struct stat about;
    dn_package *package = calloc(1, sizeof *package);
    if (package == NULL) {
        return NULL;
    }
    memcpy(package->name, name.data, DN_PACKAGE_NAME);
    /* Without waiting: it might be no file at all, which is seen next. */
    package->fd = openat(packages->directory, package->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (package->fd < 0) {
        free(package);
        return NULL;
    }
    if (fstat(package->fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        (void)close(package->fd);
        free(package);
        return NULL;
    }
    package->size = (uint64_t)about.st_size;
    /* Into memory meanwhile, so that the shard waits for the disk as little as can be. */
    (void)posix_fadvise(package->fd, 0, 0, POSIX_FADV_WILLNEED);
    return package;
}

static bool is_there(const dn_package *package)
{
    struct stat about;
    return fstat(package->fd, &about) == 0 && about.st_nlink > 0;
}

/* The open one of that name; taken out of the list, to be put in front. One whose file is gone is dropped, or
 * left to those who use it. */
static dn_package *find(dn_packages *packages, dunlin_slice name)
{
    dn_package **link = &packages->open;
    while (*link != NULL) {
        dn_package *package = *link;
        bool is_wanted = memcmp(package->name, name.data, DN_PACKAGE_NAME) == 0;
        bool is_gone = is_wanted && !is_there(package);
        if (is_wanted && !is_gone) {
            *link = package->next;
            return package;
        }
        if (is_gone && package->users == 0) {
            drop(packages, link);
        } else {
            link = &package->next;
        }
    }
    return NULL;
}

static void close_oldest_idle(dn_packages *packages)
{
    dn_package **oldest = NULL;
    for (dn_package **link = &packages->open; *link != NULL; link = &(*link)->next) {
        if ((*link)->users == 0) {
            oldest = link;
        }
    }
    if (oldest != NULL) {
        drop(packages, oldest);
    }
}

dn_package *dn_packages_take(dn_packages *packages, dunlin_slice name)
{
    if (packages->directory < 0 || !dn_package_is_name(name)) {
        return NULL;
    }
    dn_package *package = find(packages, name);
    if (package == NULL) {
        package = open_file(packages, name);
        if (package == NULL) {
            return NULL;
        }
    } else if (package->users == 0) {
        packages->idle--;
    }
    package->next = packages->open;
    packages->open = package;
    package->users++;
    return package;
}

void dn_packages_give(dn_packages *packages, dn_package *package)
{
    if (--package->users > 0) {
        return;
    }
    packages->idle++;
    if (packages->idle > DN_PACKAGES_CACHED) {
        close_oldest_idle(packages);
    }
}

uint64_t dn_package_size(const dn_package *package)
{
    return package->size;
}

bool dn_package_read(dn_packages *packages, const dn_package *package, uint64_t offset, void *out, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t got = pread(package->fd, (uint8_t *)out + at, len - at, (off_t)(offset + at));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        at += got > 0 ? (size_t)got : 0;
    }
    packages->bytes += len;
    return true;
}

/* Serving. */

static bool read_front(void *context, uint64_t offset, void *out, size_t len)
{
    dn_packages *packages = context;
    return dn_package_read(packages, packages->open, offset, out, len);
}

static uint8_t digit(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void set_etag(dn_packages *packages, dunlin_slice name)
{
    for (size_t i = 0; i < DN_PACKAGE_ETAG_LEN; i++) {
        packages->etag_bytes[i] = (uint8_t)(digit(name.data[2 * i]) << 4 | digit(name.data[2 * i + 1]));
    }
    packages->etag =
        (dn_coap_option){DN_OPTION_ETAG, dunlin_slice_make(packages->etag_bytes, DN_PACKAGE_ETAG_LEN)};
}

void dn_packages_answer(dn_packages *packages, const dn_coap_incoming *request, dunlin_slice name,
                        dn_coap_reply *reply)
{
    dn_package *package = dn_packages_take(packages, name);
    if (package == NULL) {
        reply->code = DN_COAP_NOT_FOUND;
        return;
    }
    if (request->code != DN_COAP_GET) {
        reply->code = DN_COAP_METHOD_NOT_ALLOWED;
    } else if (request->accept != DN_COAP_NO_FORMAT && request->accept != FORMAT_OCTETS) {
        reply->code = DN_COAP_NOT_ACCEPTABLE;
    } else {
        set_etag(packages, name);
        reply->code = DN_COAP_CONTENT;
        reply->content_format = FORMAT_OCTETS;
        reply->options = &packages->etag;
        reply->option_count = 1;
        /* It stands in front, and is the last to be closed: the engine reads before the next request. */
        packages->out =
            (dn_coap_source){.size = dn_package_size(package), .read = read_front, .context = packages};
        reply->source = &packages->out;
    }
    dn_packages_give(packages, package);
}
