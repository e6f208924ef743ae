/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin ets: the OMA LwM2M test cases against a device or a server. */
#include "apps/dunlin/cmd_ets_config.h"
#include "apps/dunlin/cmd_ets_operator.h"
#include "apps/dunlin/cmd_ets_security.h"
#include "apps/dunlin/command.h"
#include "apps/dunlin/options.h"
#include "ets/ets.h"
#include "ets/listen.h"
#include "ets/target.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX      32
#define ERROR_MAX     200
#define MS_PER_S      1000u
#define SERVERS_MAX   2u
#define ADDRESSES_MAX 8u /* two servers, four transports */
#define URI_MAX       128

static const char USAGE[] = "dunlin ets list|config|client|server [OPTION ...]";

typedef struct {
    const char *listen, *target, *operator_text, *cases, *endpoint, *lwm2m, *junit, *html, *wait, *hands,
        *packages, *bootstrap, *format;
    const char *name; /* of a configuration */
    dn_ets_security_options security;
    bool verbose, procedure;
    const char *patterns[LIST_MAX];
    size_t pattern_count;
    bool colours;
} ets_options;

void dn_help_ets(FILE *out)
{
    (void)fputs(
        "Run the OMA LwM2M test cases (ETS) against a device or a server.\n\n"
        "usage: dunlin ets list [--case GLOBS] [--procedure]\n"
        "       dunlin ets config [NAME] [--format F] [--target URI] [--bootstrap URI] [CREDENTIALS]\n"
        "       dunlin ets client --listen ADDR:PORT [--bootstrap ADDR:PORT] [--endpoint NAME] [--case GLOBS] [--hands yes] [CREDENTIALS] [REPORTS]\n"
        "       dunlin ets server --target coap://HOST:PORT --operator OPERATOR [--case GLOBS] [--lwm2m 1.0] [CREDENTIALS] [REPORTS]\n\n"
        "  list            the cases, with those that do not apply and why; --procedure: with their steps\n"
        "  config          print a configuration of the specification (C.13) as a file for 'dunlin client --factory';\n"
        "                  without NAME: which there are. --format lwm2m-json, senml-json, or document, as\n"
        "                  'dunlin bootstrap config set EP --file -' takes it\n"
        "  client          act as the server, and drive the device that registers\n"
        "  server          act as the device, and let the server's operator drive it\n\n"
        "  --case GLOBS    shell patterns of case numbers, with commas: 'int-2*,int-101' (default: all)\n"
        "  --listen A      where to listen: 127.0.0.1:5683, coaps://127.0.0.1:5684, coap+tcp://…, coaps+tcp://…, with commas;\n"
        "                  a second address of one kind is the second server of the cases that need two\n"
        "  --bootstrap A   client: where to be the bootstrap server of the cases 0 to 99, in the same way;\n"
        "                  server: the URI of the bootstrap server under test\n"
        "  --endpoint NAME client: the device to test (default: the first that registers); server: our name there\n"
        "  --wait S        how long to wait for the device to register (default 60)\n"
        "  --hands yes     ask for what a person must do on the device, and wait for Enter\n"
        "  --packages DIR  firmware packages for the device: files ok, oversized, noram, corrupt, type and fails\n"
        "  --target URI    the server under test: coap://, coaps://, coap+tcp://, coaps+tcp://, with commas; the first is for\n"
        "                  the cases that are about no transport in particular, a second one of a kind is the second server\n"
        "  --operator OP   how to reach its operator: http://HOST:PORT, the REST interface of a dunlind, or\n"
        "                  exec:PROGRAM ARGS, a program that takes JSON lines (two with ';;')\n"
        "  --lwm2m V       server: the version of our device, 1.0 or 1.1 (default 1.1)\n"
        "  --junit FILE    write the verdicts as JUnit XML\n"
        "  --html FILE     write a page with procedures, messages and verdicts\n"
        "  -v, --verbose   print steps, messages and criteria as they come\n\n"
        "credentials, for DTLS and TLS:\n"
        "  --psk ID:HEX    the pre-shared key of the device, and its identity\n"
        "  --cert FILE     our certificate (PEM or DER), with --key FILE\n"
        "  --trust FILE    client: who issues the certificates of devices (PEM)\n"
        "  --server-cert F server: what our device knows of the server's certificate; --usage 0..3, --sni NAME\n\n"
        "exit code: 0 all cases that apply have passed, 1 some have failed, 2 usage, 3 the other side did not come\n\n"
        "examples:\n"
        "  dunlin ets list --case 'int-3*'\n"
        "  dunlin ets config C.13 --bootstrap coaps://192.0.2.1:5694 --psk dev-1:000102030405060708090a0b0c0d0e0f\n"
        "  dunlin ets client --listen 0.0.0.0:5683 --case 'int-1*,int-2*' --html report.html\n"
        "  dunlin ets client --listen coaps://0.0.0.0:5684 --psk dev-1:000102030405060708090a0b0c0d0e0f --case int-401\n"
        "  dunlin ets server --target coap://127.0.0.1:5683 --operator http://127.0.0.1:8080 --junit report.xml\n",
        out);
}

/* ---- the terminal ---- */

static const char *colour_of(dn_ets_verdict verdict)
{
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[90m", "\033[33m"};
    return colours[verdict];
}

static void on_started(void *context, const dn_ets_case *what)
{
    const ets_options *o = context;
    char id[64];
    dn_ets_case_id(what, id, sizeof id);
    (void)printf("%s %s%s", id, dn_ets_case_title(what), o->verbose ? "\n" : " … ");
    (void)fflush(stdout);
}

static void on_entry(void *context, const dn_ets_entry *entry)
{
    static const char *const marks[] = {"==", "  ", "ok", "NO", "--"};
    const ets_options *o = context;
    if (o->verbose) {
        (void)printf("%9.3f %s %s\n", (double)entry->at_ms / MS_PER_S, marks[entry->kind], entry->text);
        (void)fflush(stdout);
    }
}

static void on_ended(void *context, const dn_ets_result *result)
{
    const ets_options *o = context;
    (void)printf("%s%s%s%s%s\n", o->colours ? colour_of(result->verdict) : "",
                 dn_ets_verdict_name(result->verdict), o->colours ? "\033[0m" : "",
                 result->reason != NULL ? ": " : "", result->reason != NULL ? result->reason : "");
    (void)fflush(stdout);
}

static void hands_begin(void *context, const char *what)
{
    (void)context;
    (void)printf("\n  please: %s, then press Enter\n", what);
    (void)fflush(stdout);
}

static bool hands_done(void *context)
{
    char line[64];
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    (void)context;
    return poll(&ready, 1, 0) > 0 && fgets(line, sizeof line, stdin) != NULL;
}

/* ---- list ---- */

static bool is_chosen(const ets_options *o, const dn_ets_case *what)
{
    for (size_t i = 0; i < o->pattern_count; i++) {
        if (dn_ets_case_matches(what, o->patterns[i])) {
            return true;
        }
    }
    return o->pattern_count == 0;
}

static void list_case(const ets_options *o, const dn_ets_case *what)
{
    char id[64], roles[8], versions[16], config[8];
    const char *why_not = dn_ets_case_why_not(what);
    dn_ets_case_id(what, id, sizeof id);
    dn_ets_case_facts(what, roles, versions, config, sizeof roles);
    (void)printf("%-28s %-4s %-8s %-5s %s%s%s%s\n", id, roles, versions, config, dn_ets_case_title(what),
                 why_not != NULL ? " (" : "", why_not != NULL ? why_not : "", why_not != NULL ? ")" : "");
    char *procedure = o->procedure ? dn_ets_procedure(what) : NULL;
    for (char *line = procedure != NULL ? strtok(procedure, "\n") : NULL; line != NULL;
         line = strtok(NULL, "\n")) {
        (void)printf("    %s\n", line);
    }
    free(procedure);
}

static int list(const ets_options *o)
{
    size_t found = 0;
    for (size_t i = 0; i < dn_ets_group_count; i++) {
        bool any = false;
        for (size_t j = 0; j < dn_ets_group_size(dn_ets_groups[i]); j++) {
            const dn_ets_case *what = dn_ets_group_case(dn_ets_groups[i], j);
            if (is_chosen(o, what)) {
                if (!any) {
                    (void)printf("%s%s\n", found > 0 ? "\n" : "", dn_ets_group_title(dn_ets_groups[i]));
                }
                list_case(o, what);
                any = true;
                found++;
            }
        }
    }
    if (found == 0) {
        (void)fputs("dunlin ets: no case matches; 'dunlin ets list' shows them all\n", stderr);
        return EXIT_CODE_USAGE;
    }
    return EXIT_CODE_OK;
}

/* ---- running ---- */

static bool write_report(const char *path, const dn_ets_results *results,
                         bool (*report)(const dn_ets_results *results, FILE *out))
{
    FILE *file = fopen(path, "w");
    bool good = file != NULL && report(results, file);
    good = (file == NULL || fclose(file) == 0) && good;
    if (!good) {
        (void)fprintf(stderr, "dunlin ets: %s could not be written: %s\n", path, strerror(errno));
    }
    return good;
}

static int run(ets_options *o, dn_ets_world *world)
{
    dn_ets_options options = dn_ets_options_default();
    dn_ets_results results = {.count = 0};
    unsigned long wait_s = options.come_ms / MS_PER_S;
    if (!dn_options_count("ets", "--wait", o->wait, &wait_s)) {
        return EXIT_CODE_USAGE;
    }
    options.come_ms = (uint32_t)(wait_s * MS_PER_S);
    options.patterns = o->patterns;
    options.pattern_count = o->pattern_count;
    options.minor = o->lwm2m != NULL && strcmp(o->lwm2m, "1.0") == 0 ? 0 : 1;
    options.packages = o->packages;
    options.endpoint = o->endpoint != NULL ? o->endpoint : options.endpoint;
    options.started = on_started;
    options.entry = on_entry;
    options.ended = on_ended;
    options.context = o;
    if (o->hands != NULL && strcmp(o->hands, "yes") == 0) {
        world->hands_begin = hands_begin;
        world->hands_done = hands_done;
    }
    const bool whole = dn_ets_run_cases(world, &options, &results);
    int exit_code = dn_ets_results_count(&results, DN_ETS_FAILED) == 0 ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
    if (results.no_peer) {
        (void)fprintf(stderr, "dunlin ets: nobody came\n");
        exit_code = EXIT_CODE_UNREACHABLE;
    } else if (!whole) {
        (void)fprintf(stderr, "dunlin ets: stopped: %s\n",
                      world->error[0] != '\0' ? world->error : "no memory");
        exit_code = EXIT_CODE_REFUSED;
    }
    for (dn_ets_verdict v = DN_ETS_PASSED; v <= DN_ETS_NEEDS_HANDS; v++) {
        (void)printf("%zu %s%s", dn_ets_results_count(&results, v), dn_ets_verdict_name(v),
                     v < DN_ETS_NEEDS_HANDS ? ", " : "\n");
    }
    if ((o->junit != NULL && !write_report(o->junit, &results, dn_ets_report_junit)) ||
        (o->html != NULL && !write_report(o->html, &results, dn_ets_report_html))) {
        exit_code = EXIT_CODE_REFUSED;
    }
    dn_ets_results_free(&results);
    return exit_code;
}

/* Splits at `separator`, in place; the number of pieces, at most `most`. */
static size_t split(char *text, const char *separator, const char **pieces, size_t most)
{
    size_t count = 0;
    while (text != NULL && count < most) {
        char *end = strstr(text, separator);
        if (end != NULL) {
            *end = '\0';
            end += strlen(separator);
        }
        pieces[count++] = text;
        text = end;
    }
    return count;
}

static void show_places(const dn_ets_listen *listen)
{
    char uri[URI_MAX];
    for (size_t i = 0; dn_ets_listen_uri(listen, i, uri, sizeof uri); i++) {
        (void)printf("waiting for a device at %s\n", uri);
    }
    (void)fflush(stdout);
}

static int client_with(ets_options *o, const dn_ets_security *security)
{
    char error[ERROR_MAX];
    const char *addresses[ADDRESSES_MAX];
    const char *bootstrap[ADDRESSES_MAX];
    char *text = o->listen != NULL ? strdup(o->listen) : NULL;
    char *bootstrap_text = o->bootstrap != NULL ? strdup(o->bootstrap) : NULL;
    if (text == NULL) {
        free(bootstrap_text);
        (void)fputs("dunlin ets client: --listen ADDR:PORT says where the device is to register\n", stderr);
        return EXIT_CODE_USAGE;
    }
    const dn_ets_listen_config config = {.addresses = addresses,
                                         .count = split(text, ",", addresses, ADDRESSES_MAX),
                                         .bootstrap = bootstrap,
                                         .bootstrap_count =
                                             split(bootstrap_text, ",", bootstrap, ADDRESSES_MAX),
                                         .endpoint = o->endpoint,
                                         .pair = security->key.len > 0 ? &security->pair : NULL,
                                         .trusted = security->trusted,
                                         .identity = security->identity,
                                         .key = security->secret};
    dn_ets_listen *listen = dn_ets_listen_create(&config, error, sizeof error);
    free(text);
    free(bootstrap_text);
    if (listen == NULL) {
        (void)fprintf(stderr, "dunlin ets client: %s\n", error);
        return EXIT_CODE_USAGE;
    }
    show_places(listen);
    const int exit_code = run(o, dn_ets_listen_world(listen));
    dn_ets_listen_destroy(listen);
    return exit_code;
}

static int client(ets_options *o)
{
    dn_ets_security security;
    const int exit_code =
        dn_ets_security_read(&security, &o->security) ? client_with(o, &security) : EXIT_CODE_USAGE;
    dn_ets_security_free(&security);
    return exit_code;
}

static int server_with(ets_options *o, dn_ets_remote *const *remotes, size_t count,
                       const char *const *targets, size_t target_count)
{
    char error[ERROR_MAX];
    const char *uris[SERVERS_MAX];
    const dn_ets_operator *operators[SERVERS_MAX];
    dn_ets_security security;
    for (size_t i = 0; i < count; i++) {
        operators[i] = dn_ets_remote_operator(remotes[i]);
        uris[i] = target_count > 0 ? NULL : dn_ets_remote_uri(remotes[i]);
        if (target_count == 0 && uris[i] == NULL) {
            (void)fputs("dunlin ets server: --target coap://HOST:PORT says which server is to be tested\n",
                        stderr);
            return EXIT_CODE_USAGE;
        }
    }
    if (!dn_ets_security_read(&security, &o->security)) {
        dn_ets_security_free(&security);
        return EXIT_CODE_USAGE;
    }
    const dn_ets_target_config config = {.uris = target_count > 0 ? targets : uris,
                                         .count = target_count > 0 ? target_count : count,
                                         .bootstrap = o->bootstrap,
                                         .operators = operators,
                                         .operator_count = count,
                                         .identity = security.identity,
                                         .key = security.secret,
                                         .certificate = security.certificate,
                                         .private_key = security.key,
                                         .server_certificate = security.server_certificate,
                                         .usage = security.usage,
                                         .sni = o->security.sni};
    dn_ets_target *target = dn_ets_target_create(&config, error, sizeof error);
    int exit_code = EXIT_CODE_USAGE;
    if (target == NULL) {
        (void)fprintf(stderr, "dunlin ets server: %s\n", error);
    } else {
        exit_code = run(o, dn_ets_target_world(target));
        dn_ets_target_destroy(target);
    }
    dn_ets_security_free(&security);
    return exit_code;
}

static int server(ets_options *o)
{
    const char *targets[ADDRESSES_MAX], *texts[SERVERS_MAX];
    dn_ets_remote *remotes[SERVERS_MAX] = {NULL};
    char *target_text = o->target != NULL ? strdup(o->target) : NULL;
    char *operator_text = o->operator_text != NULL ? strdup(o->operator_text) : NULL;
    const size_t target_count = split(target_text, ",", targets, ADDRESSES_MAX);
    const size_t count = split(operator_text, ";;", texts, SERVERS_MAX);
    int exit_code = EXIT_CODE_USAGE;
    size_t opened = 0;
    while (opened < count && (remotes[opened] = dn_ets_remote_open(texts[opened])) != NULL) {
        opened++;
    }
    if (count == 0) {
        (void)fputs("dunlin ets server: --operator says how the server's operator is reached\n", stderr);
    } else if (opened == count) {
        exit_code = server_with(o, remotes, count, targets, target_count);
    }
    for (size_t i = 0; i < opened; i++) {
        dn_ets_remote_close(remotes[i]);
    }
    free(target_text);
    free(operator_text);
    return exit_code;
}

static int config(ets_options *o)
{
    dn_ets_security security;
    const dn_ets_config_options options = {.name = o->name,
                                           .target = o->target,
                                           .bootstrap = o->bootstrap,
                                           .format = o->format,
                                           .security = &security};
    const int exit_code =
        dn_ets_security_read(&security, &o->security) ? dn_ets_print_config(&options) : EXIT_CODE_USAGE;
    dn_ets_security_free(&security);
    return exit_code;
}

static int run_part(ets_options *o, const char *part)
{
    static const struct {
        const char *name;
        int (*run)(ets_options *o);
    } parts[] = {{"client", client}, {"server", server}};
    if (strcmp(part, "list") == 0) {
        return list(o);
    }
    if (strcmp(part, "config") == 0) {
        return config(o);
    }
    if (o->name != NULL) {
        (void)fprintf(stderr, "dunlin ets: '%s' is one word too many; usage: %s\n", o->name, USAGE);
        return EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(part, parts[i].name) == 0) {
            return parts[i].run(o);
        }
    }
    (void)fprintf(stderr, "dunlin ets: there is no part '%s'; usage: %s\n", part, USAGE);
    return EXIT_CODE_USAGE;
}

int dn_cmd_ets(int argc, char **argv)
{
    ets_options o = {.colours = isatty(STDOUT_FILENO) != 0};
    const dn_option own[] = {{"--listen", &o.listen, NULL},
                             {"--target", &o.target, NULL},
                             {"--operator", &o.operator_text, NULL},
                             {"--bootstrap", &o.bootstrap, NULL},

                             {"--case", &o.cases, NULL},
                             {"--endpoint", &o.endpoint, NULL},
                             {"--lwm2m", &o.lwm2m, NULL},
                             {"--junit", &o.junit, NULL},
                             {"--html", &o.html, NULL},
                             {"--hands", &o.hands, NULL},
                             {"--packages", &o.packages, NULL},
                             {"--psk", &o.security.psk, NULL},
                             {"--cert", &o.security.cert, NULL},
                             {"--key", &o.security.key, NULL},
                             {"--trust", &o.security.trust, NULL},
                             {"--server-cert", &o.security.server_cert, NULL},
                             {"--usage", &o.security.usage, NULL},
                             {"--sni", &o.security.sni, NULL},
                             {"--procedure", NULL, &o.procedure},
                             {"--verbose", NULL, &o.verbose},
                             {"-v", NULL, &o.verbose},
                             {NULL, NULL, NULL}};
    dn_options options;
    if (!dn_options_read(argc, argv, own, 1, 2, USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    if (o.lwm2m != NULL && strcmp(o.lwm2m, "1.0") != 0 && strcmp(o.lwm2m, "1.1") != 0) {
        (void)fprintf(stderr, "dunlin ets: --lwm2m is 1.0 or 1.1, not '%s'\n", o.lwm2m);
        return EXIT_CODE_USAGE;
    }
    o.wait = options.wait;
    o.format = options.format;
    o.name = options.count > 1 ? options.arguments[1] : NULL;
    char *cases = o.cases != NULL ? strdup(o.cases) : NULL;
    o.pattern_count = split(cases, ",", o.patterns, LIST_MAX);
    const int exit_code = run_part(&o, options.arguments[0]);
    free(cases);
    return exit_code;
}
