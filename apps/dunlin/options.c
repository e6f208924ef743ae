/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: options anywhere, "--" ends them, --name=value or --name value. */
#include "apps/dunlin/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The row for `argument`; *inline_value is what stands behind '=', if anything. */
static const dn_option *match(const dn_option *rows, const char *argument, const char **inline_value)
{
    const size_t name_len = strcspn(argument, "=");
    *inline_value = argument[name_len] == '=' ? argument + name_len + 1 : NULL;
    for (const dn_option *row = rows; row != NULL && row->name != NULL; row++) {
        if (strlen(row->name) == name_len && strncmp(row->name, argument, name_len) == 0) {
            return row;
        }
    }
    return NULL;
}

static bool take(const dn_option *row, const char *inline_value, int argc, char **argv, int *at)
{
    if (row->flag != NULL) {
        if (inline_value != NULL) {
            (void)fprintf(stderr, "dunlin %s: %s takes no value\n", argv[0], row->name);
            return false;
        }
        *row->flag = true;
        return true;
    }
    if (inline_value == NULL) {
        if (*at + 1 >= argc) {
            (void)fprintf(stderr, "dunlin %s: %s needs a value\n", argv[0], row->name);
            return false;
        }
        inline_value = argv[++*at];
    }
    *row->value = inline_value;
    return true;
}

/* A negative number is an argument, not an option. */
static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0' && (argument[1] < '0' || argument[1] > '9') &&
           argument[1] != '.';
}

static bool check(const char *name, const dn_options *out, int least, int most, const char *usage)
{
    if (out->count < least || out->count > most) {
        (void)fprintf(stderr, "usage: %s\nTry 'dunlin %s --help'.\n", usage, name);
        return false;
    }
    if (strncmp(out->server, "http://", 7) != 0 && strncmp(out->server, "https://", 8) != 0) {
        (void)fprintf(stderr, "dunlin %s: the server must be an http:// or https:// URL, not '%s'\n", name,
                      out->server);
        return false;
    }
    return true;
}

bool dn_options_read(int argc, char **argv, const dn_option *own, int least, int most, const char *usage,
                     dn_options *out)
{
    const char *environment = getenv("DUNLIN_SERVER");
    *out = (dn_options){.server =
                            environment != NULL && environment[0] != '\0' ? environment : DN_DEFAULT_SERVER,
                        .arguments = argv + 1};
    const dn_option shared[] = {
        {"--server", &out->server, NULL},
        {"--json", NULL, &out->json},
        {"--timeout", &out->timeout, NULL},
        {"--format", &out->format, NULL},
        {"--wait", &out->wait, NULL},
        {"--expires", &out->expires, NULL},
        {NULL, NULL, NULL},
    };
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        if (ended || !is_option(argv[i])) {
            out->arguments[out->count++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            ended = true;
            continue;
        }
        const char *inline_value = NULL;
        const dn_option *row = match(shared, argv[i], &inline_value);
        if (row == NULL) {
            row = match(own, argv[i], &inline_value);
        }
        if (row == NULL) {
            (void)fprintf(stderr, "dunlin %s: there is no option '%s'; try 'dunlin %s --help'\n", argv[0],
                          argv[i], argv[0]);
            return false;
        }
        if (!take(row, inline_value, argc, argv, &i)) {
            return false;
        }
    }
    return check(argv[0], out, least, most, usage);
}

bool dn_options_count(const char *command, const char *option, const char *text, unsigned long *out)
{
    if (text == NULL) {
        return true;
    }
    char *end = NULL;
    errno = 0;
    *out = strtoul(text, &end, 10);
    /* strtoul takes a sign and blanks, too. */
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || *out == 0 || errno != 0) {
        (void)fprintf(stderr, "dunlin %s: %s must be a number above 0, not '%s'\n", command, option, text);
        return false;
    }
    return true;
}
