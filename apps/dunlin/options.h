/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the subcommands that talk to a server: the options they share, their own, and what is
 * left. */
#ifndef DUNLIN_APP_OPTIONS_H
#define DUNLIN_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* An option of one subcommand. Exactly one of the two targets is set. */
typedef struct {
    const char *name;   /* "--type" */
    const char **value; /* takes an argument */
    bool *flag;         /* takes none */
} dn_option;

typedef struct {
    const char *server;  /* base URL without a slash at its end; owned by argv or the environment */
    bool json;           /* --json: for programs */
    const char *timeout; /* --timeout SECONDS; NULL: the server's default */
    const char *format;  /* --format NAME; NULL: the server's choice */
    const char *wait;    /* --wait SECONDS: by the durable queue; NULL: only if the device sleeps */
    const char *expires; /* --expires SECONDS: how long it may wait in that queue */
    char **arguments;    /* what is no option, in order: a part of argv, reordered */
    int count;
} dn_options;

#define DN_DEFAULT_SERVER "http://127.0.0.1:8080"

/*
 * Reads the command line. `own` ends with a row whose name is NULL; it may be NULL. False: a message naming
 * the fault and the way out was printed to stderr, the caller exits with EXIT_CODE_USAGE. `least` and `most`
 * bound the number of arguments, `usage` is printed when they do not fit.
 */
bool dn_options_read(int argc, char **argv, const dn_option *own, int least, int most, const char *usage,
                     dn_options *out);

/* The value of an option that counts (--limit, --count) into *out, which stays as it is when `text` is NULL.
 * False: it is no whole number above 0, which was printed to stderr. */
bool dn_options_count(const char *command, const char *option, const char *text, unsigned long *out);

#endif
