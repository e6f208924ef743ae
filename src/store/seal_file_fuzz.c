/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of sealing keys: it is refused with a text, or has keys. */
#include "store/seal_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    char error[300];
    dn_seal_keys keys;
    int fd = memfd_create("seal", MFD_CLOEXEC);
    if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size)) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    dunlin_status status = dn_seal_file_read(path, 0, NULL, &keys, error, sizeof error);
    if (status == DUNLIN_OK && (keys.count == 0 || keys.count > DN_SEAL_KEYS_MAX)) {
        abort();
    }
    dn_seal_keys_wipe(&keys);
    close(fd);
    return 0;
}
