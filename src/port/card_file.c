/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the file that stands for a smartcard. */
#include "port/card_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One byte more than there is room for tells that it is too large. */
static dunlin_status read_whole(int fd, dunlin_buf *file)
{
    uint8_t more;
    for (;;) {
        const bool full = file->len == file->cap;
        const ssize_t n =
            full ? read(fd, &more, sizeof more) : read(fd, file->data + file->len, file->cap - file->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? DUNLIN_OK : DUNLIN_ERR_IO;
        }
        if (full) {
            return DUNLIN_ERR_SPACE;
        }
        file->len += (size_t)n;
    }
}

dunlin_status dn_card_file_read(const char *name, dunlin_buf *file)
{
    file->len = 0;
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? DUNLIN_ERR_NOT_FOUND : DUNLIN_ERR_IO;
    }
    const dunlin_status status = read_whole(fd, file);
    const int why = errno;
    (void)close(fd);
    errno = why;
    return status;
}
