/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life: start of the parts in order, signals, reload, stop. */
#ifndef DUNLIND_DAEMON_H
#define DUNLIND_DAEMON_H

#include "options.h"
#include "settings.h"

enum { EXIT_STOPPED = 0, EXIT_NOT_STARTED = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

/* Defaults, file and command line put together and checked. False: `error` says what is wrong; `set` is to be freed either way. */
bool daemon_settings(const options *given, settings *set, char *error, size_t error_size);
/* Runs until a signal or a failure; returns the exit status. */
int daemon_run(const options *given, settings *set);

#endif
