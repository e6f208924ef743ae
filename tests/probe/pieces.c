/* SPDX-License-Identifier: Apache-2.0 */
/* The text by arithmetic, the files by pread. */
#include "tests/probe/pieces.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_LEN 25

static char text_at(uint64_t offset)
{
    char line[32];
    (void)snprintf(line, sizeof line, "line %07u of the body\n", (unsigned)(offset / LINE_LEN % 10000000));
    return line[offset % LINE_LEN];
}

static bool read_text(void *context, uint64_t offset, void *out, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++) {
        ((char *)out)[i] = text_at(offset + i);
    }
    return true;
}

dn_coap_source probe_text(uint64_t size)
{
    return (dn_coap_source){size, read_text, NULL};
}

bool probe_is_text(dunlin_slice bytes, uint64_t offset)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != (uint8_t)text_at(offset + i)) {
            return false;
        }
    }
    return true;
}

static bool read_file(void *context, uint64_t offset, void *out, size_t len)
{
    return pread((int)(intptr_t)context, out, len, (off_t)offset) == (ssize_t)len;
}

bool probe_file(const char *path, dn_coap_source *out)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        perror(path);
        return false;
    }
    /* The number itself is the context: nothing has to outlive the call. */
    *out = (dn_coap_source){(uint64_t)about.st_size, read_file, (void *)(intptr_t)fd};
    return true;
}
