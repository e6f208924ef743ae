/* SPDX-License-Identifier: Apache-2.0 */
/* Sending a file as a request's body without holding it in memory. */
#ifndef DUNLIN_APP_UPLOAD_H
#define DUNLIN_APP_UPLOAD_H

#include "apps/dunlin/rest.h"

/* POSTs the file as application/octet-stream, with progress on stderr when that is a terminal. False: the file
 * cannot be read, which was said on stderr. */
bool dn_upload(const char *command, const char *url, const char *file, dn_answer *answer);

#endif
