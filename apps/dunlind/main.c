/* SPDX-License-Identifier: Apache-2.0 */
/* dunlind: options and configuration, then the daemon. */
#include "daemon.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    options given;
    settings set;
    char error[512] = "";
    options_result parsed = options_parse(&given, argc, argv);
    if (parsed != OPTIONS_RUN) {
        return parsed == OPTIONS_DONE ? EXIT_STOPPED : EXIT_USAGE;
    }
    int status = EXIT_USAGE;
    if (!daemon_settings(&given, &set, error, sizeof error)) {
        fprintf(stderr, "dunlind: %s\n", error);
    } else if (given.check_config) {
        puts("the configuration is good");
        status = EXIT_STOPPED;
    } else {
        status = daemon_run(&given, &set);
    }
    settings_free(&set);
    return status;
}
