/* SPDX-License-Identifier: Apache-2.0 */
/* Where log lines go: standard error, one write for each line, as text, JSON lines or with the journal's priorities. */
#ifndef DUNLIND_LOGGING_H
#define DUNLIND_LOGGING_H

#include "settings.h"

typedef struct {
    dn_log log;
    log_format format;
    int fd;
} logging;

void logging_init(logging *to, dn_log_level level, log_format format);
/* Any thread may log meanwhile. */
void logging_level(logging *to, dn_log_level level);
const char *logging_level_name(dn_log_level level);

#endif
