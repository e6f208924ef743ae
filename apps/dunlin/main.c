/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin: the command-line tool. This file finds the subcommand; each subcommand has a file of its own. */
#include "apps/dunlin/command.h"

#include <stdbool.h>
#include <string.h>

static const dn_command COMMANDS[] = {
    {"clients", "list the devices that are registered", dn_cmd_clients, dn_help_clients},
    {"read", "read an object, instance or resource of a device", dn_cmd_read, dn_help_read},
    {"write", "write a resource or instance of a device", dn_cmd_write, dn_help_write},
    {"exec", "execute a resource of a device", dn_cmd_exec, dn_help_exec},
    {"create", "create an object instance on a device", dn_cmd_create, dn_help_create},
    {"delete", "delete an object instance of a device", dn_cmd_delete, dn_help_delete},
    {"discover", "list what a device has below a path, with attributes", dn_cmd_discover, dn_help_discover},
    {"observe", "observe a path and print its values as they come", dn_cmd_observe, dn_help_observe},
    {"observations", "list the observations of a device", dn_cmd_observations, dn_help_observations},
    {"cancel", "end an observation, or take back a queued request", dn_cmd_cancel, dn_help_cancel},
    {"attributes", "set notification attributes of a path of a device", dn_cmd_attributes,
     dn_help_attributes},
    {"requests", "list the requests that wait for devices, and their outcomes", dn_cmd_requests,
     dn_help_requests},
    {"request", "show a queued request, or wait for its answer", dn_cmd_request, dn_help_request},
    {"packages", "list, add and remove the packages that devices can get", dn_cmd_packages, dn_help_packages},
    {"firmware", "update the firmware of a device", dn_cmd_firmware, dn_help_firmware},
    {"credentials", "keep what devices prove themselves with, and make keys", dn_cmd_credentials,
     dn_help_credentials},
    {"bootstrap", "say what devices are given that know the bootstrap server alone", dn_cmd_bootstrap,
     dn_help_bootstrap},
    {"events", "print what happens in the fleet as it happens", dn_cmd_events, dn_help_events},
    {"models", "list the object definitions, or add one", dn_cmd_models, dn_help_models},
    {"client", "run a simulated device", dn_cmd_client, dn_help_client},
    {"ets", "run the OMA test cases against a device or a server", dn_cmd_ets, dn_help_ets},
    {"completion", "print a completion script for a shell", dn_cmd_completion, dn_help_completion},
};
#define COMMAND_COUNT (sizeof COMMANDS / sizeof COMMANDS[0])

static void print_help(FILE *out)
{
    (void)fprintf(out,
                  "dunlin %s: drive a dunlind server, or be a device\n\n"
                  "usage: dunlin [--server URL] COMMAND [OPTION ...] [ARGUMENT ...]\n\ncommands:\n",
                  DUNLIN_VERSION);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        (void)fprintf(out, "  %-14s%s\n", COMMANDS[i].name, COMMANDS[i].summary);
    }
    (void)fputs("\nThe server is --server URL, else DUNLIN_SERVER, else http://127.0.0.1:8080.\n"
                "'dunlin COMMAND --help' explains a command and gives examples; see also dunlin(1).\n\n"
                "examples:\n"
                "  dunlin clients\n"
                "  dunlin read thermo-1 /3303/0/5700\n"
                "  dunlin observe thermo-1 /3303/0\n"
                "  dunlin client -e thermo-1 -u coap://127.0.0.1:5683\n",
                out);
}

static const dn_command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int unknown(const char *name)
{
    (void)fprintf(stderr, "dunlin: there is no command '%s'; 'dunlin --help' lists them\n", name);
    return EXIT_CODE_USAGE;
}

static int help_for(int argc, char **argv, int at)
{
    if (at >= argc) {
        print_help(stdout);
        return EXIT_CODE_OK;
    }
    const dn_command *command = find(argv[at]);
    if (command == NULL) {
        return unknown(argv[at]);
    }
    command->help(stdout);
    return EXIT_CODE_OK;
}

/* Runs argv[at]; the options before it (--server URL) are put behind it, where the command reads them. */
static int run(int argc, char **argv, int at)
{
    const dn_command *command = find(argv[at]);
    if (command == NULL) {
        return unknown(argv[at]);
    }
    char *name = argv[at];
    for (int i = at; i > 1; i--) {
        argv[i] = argv[i - 1];
    }
    argv[1] = name;
    if (wants_help(argc - 1, argv + 1)) {
        command->help(stdout);
        return EXIT_CODE_OK;
    }
    return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-') {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            print_help(stdout);
            return EXIT_CODE_OK;
        }
        if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "-V") == 0) {
            (void)printf("dunlin %s\n", DUNLIN_VERSION);
            return EXIT_CODE_OK;
        }
        if (strncmp(argv[at], "--server=", 9) == 0) {
            at += 1;
        } else if (strcmp(argv[at], "--server") == 0 && at + 1 < argc) {
            at += 2;
        } else {
            (void)fprintf(stderr,
                          "dunlin: the option '%s' is not known before a command; try 'dunlin --help'\n",
                          argv[at]);
            return EXIT_CODE_USAGE;
        }
    }
    if (at >= argc) {
        print_help(stderr);
        return EXIT_CODE_USAGE;
    }
    if (strcmp(argv[at], "help") == 0) {
        return help_for(argc, argv, at + 1);
    }
    return run(argc, argv, at);
}
