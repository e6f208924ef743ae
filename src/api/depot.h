/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packages (firmware, software) that were uploaded: files in one folder, named by the first 32 hexadecimal digits of the SHA-256 of their
 * content, which never changes. Beside each lies ID.json with its name and the time of its upload. A package is there once its file has its name,
 * which is the last step: after a crash what was begun is swept away, what was acknowledged is there.
 *
 * Threads: any; one lock guards the list. Adding and finishing write files; dn_depot_finish flushes them to disk, which may take long.
 */
#ifndef DN_API_DEPOT_H
#define DN_API_DEPOT_H

#include "base/log.h"

#include <dunlin/slice.h>
#include <dunlin/status.h>

#define DN_DEPOT_ID_LEN     32u
#define DN_DEPOT_SHA256_LEN 64u
#define DN_DEPOT_NAME_MAX   255u

typedef struct {
    char id[DN_DEPOT_ID_LEN + 1];
    char sha256[DN_DEPOT_SHA256_LEN + 1];
    char name[DN_DEPOT_NAME_MAX + 1]; /* UTF-8, may be empty */
    uint64_t size;
    int64_t created_ms;
} dn_package_info;

typedef struct dn_depot dn_depot;
typedef struct dn_depot_upload dn_depot_upload;

/* Reads the folder, which exists. NULL: `error` says why. */
dn_depot *dn_depot_open(const char *dir, const dn_log *log, char *error, size_t error_size);
void dn_depot_free(dn_depot *depot);

/* Copies the package `id`. False: there is none. */
bool dn_depot_find(dn_depot *depot, dunlin_slice id, dn_package_info *info);
/* All of them in the order of their uploads; from malloc. NULL: no memory. */
dn_package_info *dn_depot_list(dn_depot *depot, size_t *count);
/* NOT_FOUND; IO. */
dunlin_status dn_depot_remove(dn_depot *depot, dunlin_slice id);

/* Begins an upload into a file of no name. NULL: no memory, or the file cannot be made. */
dn_depot_upload *dn_depot_begin(dn_depot *depot);
/* More of it. False: it cannot be written; the upload is good for dn_depot_abandon only. */
bool dn_depot_add(dn_depot_upload *upload, const void *bytes, size_t len);
/* It is whole: keeps it under `name`, and ends the upload. The same content again takes the new name, unless that is empty. IO: it is not kept. */
dunlin_status dn_depot_finish(dn_depot_upload *upload, const char *name, int64_t now_ms,
                              dn_package_info *info);
void dn_depot_abandon(dn_depot_upload *upload); /* NULL is fine */

#endif
