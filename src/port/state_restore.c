/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring a client, and what becomes of a file that is none. */
#include "port/state_restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dunlin_status damaged(dn_state_file *file, char *error, size_t size)
{
    if (dn_state_file_set_aside(file) != DUNLIN_OK) {
        (void)snprintf(error, size, "the state is damaged, and cannot be renamed to be kept");
        return DUNLIN_ERR_IO;
    }
    (void)snprintf(
        error, size,
        "the state is damaged; it was renamed to end in .damaged, and the device starts without it");
    return DUNLIN_ERR_MALFORMED;
}

dunlin_status dn_state_restore(dn_state_file *file, dunlin_client *client, char *error, size_t error_size)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    dunlin_status status = dn_state_file_load(file, &bytes, &len, error, error_size);
    if (status != DUNLIN_OK) {
        return status;
    }
    status = dunlin_client_restore(client, dunlin_slice_make(bytes, len));
    explicit_bzero(bytes, len);
    free(bytes);
    switch (status) {
    case DUNLIN_OK:
        dn_state_file_accept(file);
        return DUNLIN_OK;
    case DUNLIN_ERR_MALFORMED:
        return damaged(file, error, error_size);
    case DUNLIN_ERR_UNSUPPORTED:
        (void)snprintf(error, error_size,
                       "the state was saved by a later release, which this one cannot read");
        return status;
    case DUNLIN_ERR_ACCESS:
        (void)snprintf(error, error_size, "the state is that of a device with another endpoint name");
        return status;
    default:
        (void)snprintf(error, error_size, "the state does not fit this device: %s",
                       dunlin_status_text(status));
        return status;
    }
}
