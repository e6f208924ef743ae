/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's files. All of a folder is read into memory at start (and on reload): a request can name nothing but what was found
 * then, so no path can lead out of the folder, and serving touches no disk.
 */
#ifndef DN_API_STATIC_FILES_H
#define DN_API_STATIC_FILES_H

#include "base/log.h"

#include <dunlin/slice.h>
#include <dunlin/status.h>

typedef struct dn_static dn_static;
typedef struct dn_call dn_call;

/* `dir` NULL gives an empty set. NULL: no memory, or `error` says what is wrong with the folder. */
dn_static *dn_static_create(const char *dir, char *error, size_t error_size);
void dn_static_free(dn_static *files);
/* Takes what `fresh` holds; `fresh` is freed. */
void dn_static_replace(dn_static *files, dn_static *fresh);
size_t dn_static_count(dn_static *files);

/* Answers a GET or HEAD outside the API: the file, index.html for what may be a page of the console, or not-found. */
void dn_static_serve(dn_call *call);

#endif
