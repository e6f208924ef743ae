/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin attributes: Write-Attributes. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/show.h"

#include <stdlib.h>
#include <string.h>

static const char USAGE[] = "dunlin attributes EP PATH NAME=[VALUE] ... [--wait S] [--json] [--server URL]";

void dn_help_attributes(FILE *out)
{
    (void)fprintf(out,
                  "Set the attributes by which a device decides when to notify.\n\nusage: %s\n\n"
                  "  pmin=S, pmax=S      least and most seconds between notifications\n"
                  "  gt=X, lt=X          notify when a number crosses X\n"
                  "  st=X                notify when a number has moved by X\n"
                  "  epmin=S, epmax=S    least and most seconds between looks at the value\n"
                  "  NAME=               takes the attribute away at this path\n" DN_QUEUE_HELP
                  "  --json          print the server's JSON\n\n"
                  "What is set now is shown by 'dunlin discover'.\n\n"
                  "examples:\n  dunlin attributes thermo-1 /3303/0/5700 pmin=10 pmax=60 st=0.5\n"
                  "  dunlin attributes thermo-1 /3303/0/5700 st=\n",
                  USAGE);
}

static bool is_known(const char *name, size_t len)
{
    static const char *const names[] = {"pmin", "pmax", "gt", "lt", "st", "epmin", "epmax"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* "pmin=10" as a member of `attributes`; "pmin=" as null. */
static bool add(json_t *attributes, const char *text)
{
    const size_t len = strcspn(text, "=");
    char *end = NULL;
    if (text[len] != '=' || !is_known(text, len)) {
        (void)fprintf(
            stderr,
            "dunlin attributes: '%s' must be NAME=VALUE with pmin, pmax, gt, lt, st, epmin or epmax\n", text);
        return false;
    }
    const char *value = text + len + 1;
    const double number = strtod(value, &end);
    if (value[0] != '\0' && (*end != '\0' || end == value)) {
        (void)fprintf(stderr, "dunlin attributes: '%s' is no number\n", value);
        return false;
    }
    char name[8] = "";
    memcpy(name, text, len);
    json_t *json = value[0] == '\0'                       ? json_null()
                   : value[strcspn(value, ".eE")] == '\0' ? json_integer((json_int_t)number)
                                                          : json_real(number);
    return json_object_set_new(attributes, name, json) == 0;
}

int dn_cmd_attributes(int argc, char **argv)
{
    dn_options options;
    dn_device_path path;
    if (!dn_options_read(argc, argv, NULL, 3, 9, USAGE, &options) ||
        !dn_device_path_read("attributes", options.arguments[1], 1, 4, &path)) {
        return EXIT_CODE_USAGE;
    }
    json_t *attributes = json_object();
    for (int i = 2; i < options.count; i++) {
        if (!add(attributes, options.arguments[i])) {
            json_decref(attributes);
            return EXIT_CODE_USAGE;
        }
    }
    dn_text url = dn_device_url(&options, options.arguments[0], "", &path, "?op=attributes");
    json_t *answer = NULL;
    const int exit_code = dn_device_call(&options, "PUT", &url, attributes, &answer);
    if (answer != NULL && !options.json) {
        (void)printf("set on %s (%s)\n", dn_show_text(answer, "path"), dn_show_text(answer, "code"));
    }
    json_decref(answer);
    json_decref(attributes);
    dn_text_free(&url);
    return exit_code;
}
