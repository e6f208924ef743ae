/* SPDX-License-Identifier: Apache-2.0 */
/* The command line; see options.h. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: dunlind [options]\n"
    "\n"
    "An LwM2M server with a REST and event API, metrics and a web console.\n"
    "\n"
    "  --data DIR               where registrations and uploaded models are kept\n"
    "                           (default ./dunlin-data, or systemd's STATE_DIRECTORY)\n"
    "  --coap ADDR:PORT         listen for devices here; may be given several times (default [::]:5683, which\n"
    "                           takes IPv4 as well)\n"
    "  --coaps ADDR:PORT        the same with DTLS (default [::]:5684; with --coap and without this: none)\n"
    "  --coap-tcp ADDR:PORT     the same over TCP (default: none)\n"
    "  --coaps-tcp ADDR:PORT    the same over TLS (default: none)\n"
    "  --bootstrap-coaps ADDR:PORT\n"
    "                           be a bootstrap server, too, for devices here; also --bootstrap-coap,\n"
    "                           --bootstrap-coap-tcp and --bootstrap-coaps-tcp; several times (default: none)\n"
    "  --bootstrap-nosec loopback|on\n"
    "                           who may ask --bootstrap-coap without security (default loopback)\n"
    "  --est                    the bootstrap server enrols devices: it issues certificates (RFC 9148)\n"
    "  --only bootstrap         no LwM2M server here\n"
    "  --public URI             how devices reach the LwM2M server, as coaps://HOST:PORT, for the accounts that a\n"
    "                           bootstrap gives them; one for each transport (default: where it listens)\n"
    "  --nosec off|loopback|on  who may speak without security: nobody, devices on this host (default), anybody\n"
    "  --certificate FILE --key FILE\n"
    "                           the server's certificate, with its chain, and the private key, in PEM (the key may be\n"
    "                           a pkcs11: URI); several pairs by repetition (default: made at the first start, in DIR)\n"
    "  --client-cas FILE        authorities of devices' certificates, in PEM\n"
    "  --seal-key FILE          the key by which credentials are sealed (default DIR/seal.key); also\n"
    "                           credential:NAME (systemd) and pkcs11:...\n"
    "  --public-coap HOST:PORT  how devices reach --coap, for the addresses of packages that they fetch; may\n"
    "                           be given several times (default: the addresses of --coap that name one)\n"
    "  --http ADDR:PORT         REST, events, metrics and console here (default 127.0.0.1:8080)\n"
    "  --http-open              allow --http on an address that others can reach: there are no passwords yet\n"
    "  --config FILE            settings in YAML; the command line goes before them\n"
    "  --models DIR             read object definitions (DDF, *.xml) from DIR too; may be given several times\n"
    "  --console DIR            the console's files, if not where they are installed\n"
    "  --store sqlite|memory    default sqlite; memory forgets all when the server ends\n"
    "  --durability process|power\n"
    "                           what an acknowledged change survives: the end of the process (default), or a power\n"
    "                           cut as well, which is slower\n"
    "  --log-level debug|info|warn|error                                         (default info)\n"
    "  --log-format text|json|journal                                            (default text)\n"
    "  --ready-file FILE        write the addresses and the process id as JSON to FILE once all is ready\n"
    "  --check-config           check options and configuration, then end\n"
    "  --version, --help\n";

static const char more_help[] =
    "\n"
    "Port 0 takes any free port; the lines printed at the start say which. IPv6: [::1]:5683.\n"
    "\n"
    "Signals: SIGTERM and SIGINT stop; SIGHUP reads configuration, object definitions, console files, certificates\n"
    "and keys anew; the last two are read as well when their files change.\n"
    "\n"
    "Exit status: 0 stopped as asked; 1 could not start; 2 wrong options or configuration; 3 failed while running.\n"
    "\n"
    "Examples:\n"
    "  dunlind                                              # all defaults, console on http://127.0.0.1:8080/\n"
    "  dunlind --data /var/lib/dunlin --coap 192.0.2.7:5683 --coap [2001:db8::7]:5683\n"
    "  dunlind --config /etc/dunlin/dunlind.yaml --check-config\n"
    "  dunlind --nosec off --certificate server.pem --key server.key --client-cas devices.pem\n"
    "  dunlind --bootstrap-coaps [::]:5784 --public coaps://lwm2m.example.net:5684\n"
    "  dunlind --store memory --coap 127.0.0.1:0 --http 127.0.0.1:0 --ready-file ready.json\n";

enum {
    OPT_DATA = 256,
    OPT_COAP, /* these four in the order of dn_transport */
    OPT_COAPS,
    OPT_COAP_TCP,
    OPT_COAPS_TCP,
    OPT_BOOTSTRAP_COAP, /* and these */
    OPT_BOOTSTRAP_COAPS,
    OPT_BOOTSTRAP_COAP_TCP,
    OPT_BOOTSTRAP_COAPS_TCP,
    OPT_BOOTSTRAP_NOSEC,
    OPT_EST,
    OPT_ONLY,
    OPT_PUBLIC,
    OPT_NOSEC,
    OPT_CERTIFICATE,
    OPT_KEY,
    OPT_CLIENT_CAS,
    OPT_SEAL_KEY,
    OPT_PUBLIC_COAP,
    OPT_HTTP,
    OPT_HTTP_OPEN,
    OPT_CONFIG,
    OPT_MODELS,
    OPT_CONSOLE,
    OPT_STORE,
    OPT_DURABILITY,
    OPT_LOG_LEVEL,
    OPT_LOG_FORMAT,
    OPT_READY_FILE,
    OPT_CHECK_CONFIG,
    OPT_VERSION,
    OPT_HELP
};

static const struct option table[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"coap", required_argument, NULL, OPT_COAP},
    {"coaps", required_argument, NULL, OPT_COAPS},
    {"coap-tcp", required_argument, NULL, OPT_COAP_TCP},
    {"coaps-tcp", required_argument, NULL, OPT_COAPS_TCP},
    {"bootstrap-coap", required_argument, NULL, OPT_BOOTSTRAP_COAP},
    {"bootstrap-coaps", required_argument, NULL, OPT_BOOTSTRAP_COAPS},
    {"bootstrap-coap-tcp", required_argument, NULL, OPT_BOOTSTRAP_COAP_TCP},
    {"bootstrap-coaps-tcp", required_argument, NULL, OPT_BOOTSTRAP_COAPS_TCP},
    {"bootstrap-nosec", required_argument, NULL, OPT_BOOTSTRAP_NOSEC},
    {"est", no_argument, NULL, OPT_EST},
    {"only", required_argument, NULL, OPT_ONLY},
    {"public", required_argument, NULL, OPT_PUBLIC},
    {"nosec", required_argument, NULL, OPT_NOSEC},
    {"certificate", required_argument, NULL, OPT_CERTIFICATE},
    {"key", required_argument, NULL, OPT_KEY},
    {"client-cas", required_argument, NULL, OPT_CLIENT_CAS},
    {"seal-key", required_argument, NULL, OPT_SEAL_KEY},
    {"public-coap", required_argument, NULL, OPT_PUBLIC_COAP},
    {"http", required_argument, NULL, OPT_HTTP},
    {"http-open", no_argument, NULL, OPT_HTTP_OPEN},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"models", required_argument, NULL, OPT_MODELS},
    {"console", required_argument, NULL, OPT_CONSOLE},
    {"store", required_argument, NULL, OPT_STORE},
    {"durability", required_argument, NULL, OPT_DURABILITY},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"ready-file", required_argument, NULL, OPT_READY_FILE},
    {"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0}};

static bool add(const char *list[LIST_MAX], size_t *count, const char *value, const char *name)
{
    if (*count == LIST_MAX) {
        fprintf(stderr, "dunlind: --%s may be given %u times at most\n", name, LIST_MAX);
        return false;
    }
    list[(*count)++] = value;
    return true;
}

/* The place of an option's text, or NULL. */
static const char **place_of(options *given, int option)
{
    switch (option) {
    case OPT_DATA:
        return &given->data;
    case OPT_HTTP:
        return &given->http;
    case OPT_CONFIG:
        return &given->config_file;
    case OPT_CONSOLE:
        return &given->console;
    case OPT_NOSEC:
        return &given->nosec;
    case OPT_BOOTSTRAP_NOSEC:
        return &given->bootstrap_nosec;
    case OPT_ONLY:
        return &given->only;
    case OPT_CLIENT_CAS:
        return &given->client_cas;
    case OPT_SEAL_KEY:
        return &given->seal_key;
    case OPT_STORE:
        return &given->store;
    case OPT_DURABILITY:
        return &given->durability;
    case OPT_LOG_LEVEL:
        return &given->log_level;
    case OPT_LOG_FORMAT:
        return &given->log_format;
    case OPT_READY_FILE:
        return &given->ready_file;
    default:
        return NULL;
    }
}

static bool take_public(options *given, const char *uri)
{
    const char *place = NULL;
    const int transport = settings_public(uri, &place);
    if (transport < 0) {
        fprintf(stderr, "dunlind: --public: \"%s\" must be as coaps://HOST:PORT\n", uri);
        return false;
    }
    given->public[transport] = place;
    return true;
}

static options_result take_flag(options *given, int option)
{
    switch (option) {
    case OPT_HTTP_OPEN:
        given->http_open = true;
        return OPTIONS_RUN;
    case OPT_EST:
        given->est = true;
        return OPTIONS_RUN;
    case OPT_CHECK_CONFIG:
        given->check_config = true;
        return OPTIONS_RUN;
    case OPT_VERSION:
        printf("dunlind %s\n", DUNLIN_VERSION);
        return OPTIONS_DONE;
    case OPT_HELP:
        fputs(help, stdout);
        fputs(more_help, stdout);
        return OPTIONS_DONE;
    default:
        fputs("Try \"dunlind --help\".\n", stderr);
        return OPTIONS_BAD;
    }
}

static options_result take_address(options *given, int option)
{
    const bool is_bootstrap = option >= OPT_BOOTSTRAP_COAP;
    const int at = option - (is_bootstrap ? OPT_BOOTSTRAP_COAP : OPT_COAP);
    addresses *list = is_bootstrap ? &given->bootstrap[at] : &given->at[at];
    return add(list->text, &list->count, optarg, table[option - OPT_DATA].name) ? OPTIONS_RUN : OPTIONS_BAD;
}

static options_result take(options *given, int option)
{
    const char **place = place_of(given, option);
    if (place != NULL) {
        *place = optarg;
        return OPTIONS_RUN;
    }
    if (option >= OPT_COAP && option <= OPT_BOOTSTRAP_COAPS_TCP) {
        return take_address(given, option);
    }
    bool good = true;
    switch (option) {
    case OPT_CERTIFICATE:
        good = add(given->certificates, &given->certificate_count, optarg, "certificate");
        break;
    case OPT_KEY:
        good = add(given->keys, &given->key_count, optarg, "key");
        break;
    case OPT_PUBLIC:
        good = take_public(given, optarg);
        break;
    case OPT_PUBLIC_COAP:
        good = add(given->coap_public, &given->coap_public_count, optarg, "public-coap");
        break;
    case OPT_MODELS:
        good = add(given->models, &given->model_count, optarg, "models");
        break;
    default:
        return take_flag(given, option);
    }
    return good ? OPTIONS_RUN : OPTIONS_BAD;
}

options_result options_parse(options *given, int argc, char **argv)
{
    *given = (options){0};
    int option;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        options_result result = take(given, option);
        if (result != OPTIONS_RUN) {
            return result;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "dunlind: \"%s\" is not an option\nTry \"dunlind --help\".\n", argv[optind]);
        return OPTIONS_BAD;
    }
    return OPTIONS_RUN;
}

/* The index of `text` in `words`, or -1 with an error. */
static int choose(const char *name, const char *text, const char *const *words, int count, char *error,
                  size_t error_size)
{
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    len = (size_t)snprintf(error, error_size, "--%s: \"%s\" must be one of", name, text);
    for (int i = 0; i < count && len < error_size; i++) {
        len += (size_t)snprintf(error + len, error_size - len, " %s", words[i]);
    }
    return -1;
}

static bool apply_choices(const options *given, settings *set, char *error, size_t error_size)
{
    static const char *const stores[] = {"sqlite", "memory"};
    static const char *const durabilities[] = {"process", "power"};
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const formats[] = {"text", "json", "journal"};
    static const char *const policies[] = {"off", "loopback", "on"};
    static const char *const onlies[] = {"bootstrap"};
    int opening =
        given->bootstrap_nosec == NULL
            ? (int)(set->bootstrap.nosec_on ? DN_NOSEC_ON : DN_NOSEC_LOOPBACK)
            : 1 + choose("bootstrap-nosec", given->bootstrap_nosec, policies + 1, 2, error, error_size);
    int only = given->only == NULL ? 0 : choose("only", given->only, onlies, 1, error, error_size);
    if (opening < 1 || only < 0) {
        return false;
    }
    set->bootstrap.nosec_on = opening == DN_NOSEC_ON;
    set->only_bootstrap = set->only_bootstrap || given->only != NULL;
    int nosec = given->nosec == NULL ? (int)set->nosec
                                     : choose("nosec", given->nosec, policies, 3, error, error_size);
    int store =
        given->store == NULL ? (int)set->store : choose("store", given->store, stores, 2, error, error_size);
    int durability = given->durability == NULL
                         ? (int)set->durability
                         : choose("durability", given->durability, durabilities, 2, error, error_size);
    int level = given->log_level == NULL
                    ? (int)set->log_level
                    : choose("log-level", given->log_level, levels, 4, error, error_size);
    int format = given->log_format == NULL
                     ? (int)set->format
                     : choose("log-format", given->log_format, formats, 3, error, error_size);
    if (nosec < 0 || store < 0 || durability < 0 || level < 0 || format < 0) {
        return false;
    }
    set->nosec = (dn_nosec)nosec;
    set->store = (store_type)store;
    set->durability = (dn_durability)durability;
    set->log_level = (dn_log_level)level;
    set->format = (log_format)format;
    return true;
}

/* What was given, in place of what stands there; nothing given changes nothing. */
static bool apply_list(const char *const *given, size_t count, string_list *list)
{
    bool good = true;
    if (count > 0) {
        settings_clear(list);
    }
    for (size_t i = 0; good && i < count; i++) {
        good = settings_add(list, given[i]);
    }
    return good;
}

static bool apply_lists(const options *given, settings *set)
{
    for (size_t i = 0; i < sizeof given->at / sizeof given->at[0]; i++) {
        if (!apply_list(given->at[i].text, given->at[i].count, &set->at[i].listen)) {
            return false;
        }
        set->at[i].is_named = set->at[i].is_named || given->at[i].count > 0;
        if (!apply_list(given->bootstrap[i].text, given->bootstrap[i].count, &set->bootstrap.listen[i]) ||
            (given->public[i] != NULL && !settings_string(&set->public[i], given -> public[i]))) {
            return false;
        }
    }
    set->only_coap = given->at[DN_TRANSPORT_UDP].count > 0;
    return apply_list(given->certificates, given->certificate_count, &set->certificates) &&
           apply_list(given->keys, given->key_count, &set->keys) &&
           apply_list(given->coap_public, given->coap_public_count, &set->coap_public) &&
           apply_list(given->models, given->model_count, &set->models);
}

static bool apply_texts(const options *given, settings *set)
{
    bool good = (given->data == NULL || settings_string(&set->data, given->data)) &&
                (given->http == NULL || settings_string(&set->http_listen, given->http)) &&
                (given->console == NULL || settings_string(&set->console, given->console)) &&
                (given->client_cas == NULL || settings_string(&set->client_cas, given->client_cas)) &&
                (given->seal_key == NULL || settings_string(&set->seal_key, given->seal_key)) &&
                apply_lists(given, set);
    set->http_open = set->http_open || given->http_open;
    set->est.enabled = set->est.enabled || given->est;
    return good;
}

bool options_apply(const options *given, settings *set, char *error, size_t error_size)
{
    if (!apply_texts(given, set)) {
        snprintf(error, error_size, "no memory");
        return false;
    }
    return apply_choices(given, set, error, error_size);
}
