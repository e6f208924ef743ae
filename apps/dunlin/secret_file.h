/* SPDX-License-Identifier: Apache-2.0 */
/* Files with keys: PEM (RFC 7468), made for the user alone (mode 0600), never over another file. */
#ifndef DUNLIN_APP_SECRET_FILE_H
#define DUNLIN_APP_SECRET_FILE_H

#include "apps/dunlin/text.h"

#include <dunlin/slice.h>

#include <stdbool.h>

/* Adds a block of PEM. */
void dn_pem_add(dn_text *text, const char *label, dunlin_slice der);
/* The path DIR/NAME.SUFFIX, where every character of NAME that is no letter, digit, '.', '_' or '-' is '_'. */
dn_text dn_secret_path(const char *dir, const char *name, const char *suffix);
/* Makes a file, mode 0600, and its folder, mode 0700, if that is missing. False: it was there already, or cannot be made; said on stderr. */
bool dn_secret_write(const char *command, const char *path, const char *text, size_t len);
/* Reads a file of at most `most` bytes; false: said on stderr. Wipe and free `out`. */
bool dn_secret_read(const char *command, const char *path, size_t most, dn_text *out);
void dn_secret_free(dn_text *text); /* overwrites it before */

#endif
