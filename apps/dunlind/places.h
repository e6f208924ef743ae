/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders: where the installed data lies, the data folder, the ready file. */
#ifndef DUNLIND_PLACES_H
#define DUNLIND_PLACES_H

#include <stdbool.h>
#include <stddef.h>

/* The folder share/dunlin/NAME beside the program's folder (an installation or a build tree), else /usr/share/dunlin/NAME; false: neither
   is there. */
bool places_shared(const char *name, char *out, size_t size);
/* Makes `dir` with its parents if they are missing. False: `error` says why not. */
bool places_make(const char *dir, char *error, size_t error_size);
/* Writes `text` beside `path` and renames it: a reader sees all or nothing. False: errno says why. */
bool places_write(const char *path, const char *text, size_t len);

#endif
