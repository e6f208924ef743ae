/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin bootstrap: what the bootstrap server makes of devices, and how that goes. */
#include "apps/dunlin/bootstrap.h"
#include "apps/dunlin/command.h"

#include <string.h>

#define WORDS_MAX 3

static const char USAGE[] =
    "dunlin bootstrap config [list | show EP | set EP | delete EP | versions EP | effective EP]\n"
    "       dunlin bootstrap credentials [list | show EP | set EP WHAT | delete EP | import FILE |\n"
    "                                     server]\n"
    "       dunlin bootstrap runs [EP] [--follow]\n"
    "       dunlin bootstrap rerun EP [--by server|trigger] [--follow]\n"
    "       dunlin bootstrap trigger EP [--follow]";

static const char subcommands[] =
    "  config list             all configurations (the default)\n"
    "  config show EP          one: of an endpoint name, or of a pattern as it was set; no secrets\n"
    "  config set EP           make or replace one; EP may be a pattern, with * and ?\n"
    "  config delete EP        remove one; what devices were given goes on to hold\n"
    "  config versions EP      when it was changed\n"
    "  config effective EP     the one that counts for a device of this name\n"
    "  credentials ...         by what devices are let in at the bootstrap server: as 'dunlin credentials'\n"
    "  runs [EP]               the last bootstraps, with each step; exit status 1: the newest failed\n"
    "  rerun EP                bootstrap a device again: the bootstrap server speaks first, if it can; else\n"
    "                          as trigger\n"
    "  trigger EP              tell a registered device to bootstrap again (/1/x/9)\n\n";

static const char own_options[] =
    "what to set with config set (without any: an account with this server, with a pre-shared key\n"
    "that is made for each device):\n"
    "  --file FILE             a document as docs/reference/rest.md has it; - is standard input\n"
    "  --ssid N                the server's Short Server ID (1)\n"
    "  --lifetime S            of the registration, in seconds (86400)\n"
    "  --binding B             U, T or UT (by the URI)\n"
    "  --uri URI               another server; then with --identity and --key, or --nosec\n"
    "  --identity TEXT|hex:DIGITS, --key hex:DIGITS|@FILE   a pre-shared key in place of a made one\n"
    "  --nosec                 no security\n"
    "  --est                   the device makes its key, and asks for its certificate\n"
    "  --allow-insecure        devices may be bootstrapped without security, too\n"
    "  --new                   only if there is none yet\n"
    "  --if-version N          set, delete: only if N is the current version\n\n"
    "options:\n"
    "  --version N             config show: a former version\n"
    "  --factory FILE          credentials set --psk, --rpk-generate: a file for 'dunlin client\n"
    "                          --factory', in SenML JSON, mode 0600, with the secret in it\n"
    "  --by server|trigger     rerun: only so\n"
    "  --follow                runs, rerun, trigger: each step as it is done; with EP until its bootstrap ended\n"
    "  --count N               runs --follow: stop after N bootstraps\n"
    "  --filter TEXT           config list: only names that contain TEXT\n"
    "  --limit N               at most N\n"
    "  --json                  for programs\n\n";

void dn_help_bootstrap(FILE *out)
{
    (void)fprintf(
        out,
        "Say what a device is given that knows the bootstrap server alone, and see how that goes.\n\n"
        "usage: %s\n\n",
        USAGE);
    (void)fputs(subcommands, out);
    (void)fputs(own_options, out);
    (void)fputs("examples:\n"
                "  dunlin bootstrap config set 'thermo-*' --lifetime 600\n"
                "  dunlin bootstrap credentials set thermo-1 --psk --factory thermo-1.json\n"
                "  dunlin client -e thermo-1 --factory thermo-1.json\n"
                "  dunlin bootstrap runs thermo-1 --follow\n"
                "  dunlin bootstrap rerun thermo-1 --follow\n"
                "  dunlin bootstrap rerun thermo-1 --by server\n"
                "  dunlin bootstrap trigger thermo-1 --follow\n"
                "  dunlin bootstrap config show thermo-1 --json | jq .config > thermo.json\n"
                "  dunlin bootstrap config set thermo-1 --file thermo.json --if-version 3\n",
                out);
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: %s\nTry 'dunlin bootstrap --help'.\n", USAGE);
    return EXIT_CODE_USAGE;
}

static int run(dn_bootstrap_options *o)
{
    dn_options *shared = &o->credential.shared;
    const char *verb = shared->count > 0 ? shared->arguments[0] : "config";
    const int count = shared->count > 0 ? shared->count - 1 : 0;
    char **words = shared->arguments + (shared->count > 0 ? 1 : 0);
    if (strcmp(verb, "config") == 0) {
        const int exit_code = dn_bootstrap_config(o, count, words);
        return exit_code < 0 ? usage() : exit_code;
    }
    if (strcmp(verb, "credentials") == 0) {
        shared->arguments = words;
        shared->count = count;
        return dn_credentials_run(&o->credential);
    }
    if (strcmp(verb, "runs") == 0 && count <= 1) {
        return dn_bootstrap_runs(o, count == 1 ? words[0] : NULL);
    }
    if (strcmp(verb, "trigger") == 0 && count == 1) {
        return dn_bootstrap_trigger(o, words[0]);
    }
    if (strcmp(verb, "rerun") == 0 && count == 1) {
        return dn_bootstrap_rerun(o, words[0]);
    }
    return usage();
}

int dn_cmd_bootstrap(int argc, char **argv)
{
    dn_bootstrap_options o = {.credential = {.bootstrap = true}};
    const dn_option own[] = {DN_CREDENTIAL_OPTIONS(o.credential),
                             {"--factory", &o.credential.factory, NULL},
                             {"--file", &o.file, NULL},
                             {"--ssid", &o.ssid, NULL},
                             {"--lifetime", &o.lifetime, NULL},
                             {"--binding", &o.binding, NULL},
                             {"--uri", &o.uri, NULL},
                             {"--nosec", NULL, &o.nosec},
                             {"--est", NULL, &o.est},
                             {"--allow-insecure", NULL, &o.allow_insecure},
                             {"--if-version", &o.if_version, NULL},
                             {"--version", &o.version, NULL},
                             {"--follow", NULL, &o.follow},
                             {"--count", &o.count, NULL},
                             {"--by", &o.by, NULL},
                             {NULL, NULL, NULL}};
    if (!dn_options_read(argc, argv, own, 0, WORDS_MAX, USAGE, &o.credential.shared)) {
        return EXIT_CODE_USAGE;
    }
    return run(&o);
}
