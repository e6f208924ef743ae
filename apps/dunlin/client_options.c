/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line of `dunlin client`. */
#include "apps/dunlin/client_options.h"

#include "apps/dunlin/command.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_DEFAULT_S  2.0
#define PERIOD_MAX_S      86400.0
#define INSTALL_DEFAULT_S 2.0
#define RETRY_DEFAULT_S   10
#define RETRY_MAX_S       86400
#define TRIES_MAX         1000
#define HOLD_OFF_MAX_S    86400
#define MS_PER_S          1000.0

static bool wrong(const char *format, const char *what)
{
    (void)fputs("dunlin client: ", stderr);
    (void)fprintf(stderr, format, what);
    (void)fputs("; 'dunlin client --help' shows how\n", stderr);
    return false;
}

static bool read_whole(const char *name, const char *text, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > max) {
        (void)fprintf(stderr, "dunlin client: %s takes a whole number from 0 to %llu, not '%s'\n", name,
                      (unsigned long long)max, text);
        return false;
    }
    *out = number;
    return true;
}

/* FNV-1a: devices with different names move differently. */
static uint64_t seed_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    }
    return hash;
}

static bool take_lwm2m(const char *text, dn_sim_options *out)
{
    if (strcmp(text, "1.0") == 0) {
        out->lwm2m = DUNLIN_LWM2M_1_0;
    } else if (strcmp(text, "1.1") == 0) {
        out->lwm2m = DUNLIN_LWM2M_1_1;
    } else {
        return wrong("--lwm2m takes 1.0 or 1.1, not '%s'", text);
    }
    return true;
}

/* Seconds, with a fraction if need be, as milliseconds. */
static bool read_seconds(const char *name, const char *text, double max, uint32_t *out)
{
    char *end = NULL;
    const double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= max)) {
        (void)fprintf(stderr, "dunlin client: %s takes seconds from 0 to %.0f, not '%s'\n", name, max, text);
        return false;
    }
    *out = (uint32_t)(seconds * MS_PER_S);
    return true;
}

static bool take_object(const char *file, dn_sim_options *out)
{
    if (out->object_count == DN_SIM_OBJECT_FILES_MAX) {
        return wrong("too many --object files, '%s' is one more than 32", file);
    }
    out->objects[out->object_count++] = file;
    return true;
}

/* NULL: it can be used. */
static const char *url_fault(const char *url, dn_uri_server *server)
{
    const char *rest = "";
    const char *fault =
        strlen(url) > DUNLIN_URI_MAX ? "it is longer than 255 characters" : dn_uri_read(url, server, &rest);
    if (fault == NULL && *rest != '\0' && strcmp(rest, "/") != 0) {
        fault = "there must be nothing behind host and port";
    }
    return fault;
}

static bool wrong_url(const char *url, const char *fault)
{
    (void)fprintf(stderr, "dunlin client: the URL '%s' cannot be used: %s (example: coap://127.0.0.1:5683)\n",
                  url, fault);
    return false;
}

static bool take_url(const char *url, dn_sim_options *out)
{
    dn_uri_server server;
    const char *fault = url_fault(url, &server);
    if (fault == NULL && out->url_count == DUNLIN_SERVERS_MAX) {
        fault = "it is one server too many";
    }
    if (fault != NULL) {
        return wrong_url(url, fault);
    }
    out->bootstrap_named = false;
    out->transports[out->url_count] = server.transport;
    out->urls[out->url_count++] = url;
    return true;
}

static bool take_bootstrap(const char *url, dn_sim_options *out)
{
    dn_uri_server server;
    const char *fault = url_fault(url, &server);
    if (fault == NULL && out->bootstrap.url != NULL) {
        fault = "there is one bootstrap server at most";
    }
    if (fault != NULL) {
        return wrong_url(url, fault);
    }
    out->bootstrap_named = true;
    out->bootstrap.transport = server.transport;
    out->bootstrap.url = url;
    return true;
}

static bool take_bootstrap_format(const char *word, dn_sim_options *out)
{
    return dn_sim_bootstrap_format_read(word, &out->bootstrap.format) ||
           wrong("--bootstrap-format takes " DN_SIM_BOOTSTRAP_FORMATS ", not '%s'", word);
}

static bool take_hold_off(const char *value, dn_sim_options *out)
{
    uint64_t number = 0;
    const bool good = read_whole("--hold-off", value, HOLD_OFF_MAX_S, &number);
    out->bootstrap.hold_off_s = (uint32_t)number;
    return good;
}

static bool take_root_path(const char *path, dn_sim_options *out)
{
    const size_t len = strlen(path);
    if (len < 2 || path[0] != '/' || path[len - 1] == '/' || strpbrk(path, " <>\"?#,;") != NULL) {
        return wrong("--root-path takes a path like /lwm2m, not '%s'", path);
    }
    out->root_path = path;
    return true;
}

static bool take_binding(const char *letters, dn_sim_options *out)
{
    const size_t len = strlen(letters);
    if (len == 0 || len > 4 || strspn(letters, "UTSNQ") != len) {
        return wrong("--binding takes letters of U, T, S, N, and Q for LwM2M 1.0, not '%s'", letters);
    }
    out->binding = letters;
    return true;
}

static bool take_failure(const char *word, dn_sim_options *out)
{
    return dn_sim_failure_read(word, &out->firmware_fail) ||
           wrong("--firmware-fail takes " DN_SIM_FAILURES ", not '%s'", word);
}

static bool take_firmware_object(const char *text, dn_sim_options *out)
{
    out->firmware_1_1 = strcmp(text, "1.1") == 0;
    return out->firmware_1_1 || strcmp(text, "1.0") == 0 ||
           wrong("--firmware-object takes 1.0 or 1.1, not '%s'", text);
}

static bool take_lifetime(const char *value, dn_sim_options *out)
{
    uint64_t number = 0;
    const bool good = read_whole("--lifetime", value, INT32_MAX, &number);
    out->lifetime_s = (int32_t)number;
    return good;
}

static bool take_retry(const char *value, dn_sim_options *out)
{
    uint64_t number = 0;
    const bool good = read_whole("--retry", value, RETRY_MAX_S, &number);
    out->retry_s = (uint32_t)number;
    return good;
}

static bool take_tries(const char *value, dn_sim_options *out)
{
    uint64_t number = 0;
    if (!read_whole("--tries", value, TRIES_MAX, &number)) {
        return false;
    }
    out->tries = (uint32_t)number;
    return number > 0 || wrong("--tries takes a number from 1 on, not '%s'", value);
}

static bool take_seed(const char *value, dn_sim_options *out)
{
    return read_whole("--seed", value, UINT64_MAX, &out->seed);
}

static bool take_period(const char *value, dn_sim_options *out)
{
    return read_seconds("--period", value, PERIOD_MAX_S, &out->period_ms);
}

static bool take_awake(const char *value, dn_sim_options *out)
{
    return read_seconds("--awake", value, PERIOD_MAX_S, &out->awake_ms);
}

static bool take_firmware_time(const char *value, dn_sim_options *out)
{
    return read_seconds("--firmware-time", value, PERIOD_MAX_S, &out->firmware_time_ms);
}

/* Of the server that was named last, or of all before the first is. */
static dn_sim_security_options *security_of(dn_sim_options *out)
{
    if (out->bootstrap_named) {
        return &out->bootstrap.security;
    }
    return out->url_count == 0 ? &out->common : &out->security[out->url_count - 1];
}

static bool take_usage(const char *value, dn_sim_options *out)
{
    uint64_t number = 0;
    const bool good = read_whole("--usage", value, 3, &number);
    security_of(out)->usage = (int16_t)number;
    return good;
}

static bool take_matching(const char *value, dn_sim_options *out)
{
    uint64_t number = 0;
    const bool good = read_whole("--matching", value, 3, &number);
    security_of(out)->matching = (int16_t)number;
    return good;
}

static bool take_suites(const char *word, dn_sim_options *out)
{
    return dn_sim_suites_read(word, &security_of(out)->suites) ||
           wrong("--suites takes ccm8, cbc, mandated or more, not '%s'", word);
}

/* Options with a value: a text that is just kept, or a function that reads it. */
static const struct {
    const char *name, *short_name;
    size_t text; /* offset of the `const char *`, if there is no function */
    bool (*take)(const char *value, dn_sim_options *out);
    bool of_server; /* the offset is in its dn_sim_security_options */
} valued[] = {
    {"--endpoint", "-e", offsetof(dn_sim_options, endpoint), NULL, false},
    {"--url", "-u", 0, take_url, false},
    {"--bootstrap", "-b", 0, take_bootstrap, false},
    {"--bootstrap-format", NULL, 0, take_bootstrap_format, false},
    {"--hold-off", NULL, 0, take_hold_off, false},
    {"--factory", NULL, offsetof(dn_sim_options, bootstrap.factory), NULL, false},
    {"--factory-path", NULL, offsetof(dn_sim_options, bootstrap.factory_path), NULL, false},
    {"--smartcard", NULL, offsetof(dn_sim_options, bootstrap.smartcard), NULL, false},
    {"--lifetime", NULL, 0, take_lifetime, false},
    {"--awake", NULL, 0, take_awake, false},
    {"--binding", NULL, 0, take_binding, false},
    {"--root-path", NULL, 0, take_root_path, false},
    {"--object", NULL, 0, take_object, false},
    {"--lwm2m", NULL, 0, take_lwm2m, false},
    {"--period", NULL, 0, take_period, false},
    {"--seed", NULL, 0, take_seed, false},
    {"--retry", NULL, 0, take_retry, false},
    {"--tries", NULL, 0, take_tries, false},
    {"--local", NULL, offsetof(dn_sim_options, local), NULL, false},
    {"--state", NULL, offsetof(dn_sim_options, state_dir), NULL, false},
    {"--firmware-fail", NULL, 0, take_failure, false},
    {"--firmware-time", NULL, 0, take_firmware_time, false},
    {"--firmware-object", NULL, 0, take_firmware_object, false},
    {"--ca", NULL, offsetof(dn_sim_options, ca_file), NULL, false},
    {"--ready-file", NULL, offsetof(dn_sim_options, ready_file), NULL, false},
    {"--identity", NULL, offsetof(dn_sim_security_options, identity), NULL, true},
    {"--key", NULL, offsetof(dn_sim_security_options, key), NULL, true},
    {"--public-key", NULL, offsetof(dn_sim_security_options, public_key), NULL, true},
    {"--private-key", NULL, offsetof(dn_sim_security_options, private_key), NULL, true},
    {"--cert", NULL, offsetof(dn_sim_security_options, certificate), NULL, true},
    {"--server-key", NULL, offsetof(dn_sim_security_options, server_key), NULL, true},
    {"--server-cert", NULL, offsetof(dn_sim_security_options, server_certificate), NULL, true},
    {"--sni", NULL, offsetof(dn_sim_security_options, sni), NULL, true},
    {"--roots", NULL, offsetof(dn_sim_security_options, roots), NULL, true},
    {"--usage", NULL, 0, take_usage, false},
    {"--matching", NULL, 0, take_matching, false},
    {"--suites", NULL, 0, take_suites, false},
};
#define VALUED_COUNT (sizeof valued / sizeof valued[0])

/* Options without a value. */
static const struct {
    const char *name, *short_name;
    size_t flag; /* offset of the bool */
    bool value;
} flags[] = {
    {"--queue", NULL, offsetof(dn_sim_options, queue), true},
    {"--cellular", NULL, offsetof(dn_sim_options, cellular), true},
    {"--confirm", NULL, offsetof(dn_sim_options, confirmable), true},
    {"--stay", NULL, offsetof(dn_sim_options, bootstrap.stays), true},
    {"--no-console", NULL, offsetof(dn_sim_options, console), false},
    {"--verbose", "-v", offsetof(dn_sim_options, verbose), true},
};

static bool named(const char *name, const char *name_long, const char *name_short)
{
    return strcmp(name, name_long) == 0 || (name_short != NULL && strcmp(name, name_short) == 0);
}

/* The row of an option with a value; VALUED_COUNT: it is none. */
static size_t find_valued(const char *name)
{
    size_t row = 0;
    while (row < VALUED_COUNT && !named(name, valued[row].name, valued[row].short_name)) {
        row++;
    }
    return row;
}

/* False: a message was printed. */
static bool take_value(size_t row, const char *value, dn_sim_options *out)
{
    if (valued[row].take != NULL) {
        return valued[row].take(value, out);
    }
    char *base = valued[row].of_server ? (char *)security_of(out) : (char *)out;
    memcpy(base + valued[row].text, &value, sizeof value);
    return true;
}

static bool take_flag(const char *name, dn_sim_options *out)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (named(name, flags[i].name, flags[i].short_name)) {
            memcpy((char *)out + flags[i].flag, &flags[i].value, sizeof flags[i].value);
            return true;
        }
    }
    return wrong(name[0] == '-' ? "there is no option '%s'" : "'%s' is one argument too many", name);
}

/* One option, as `--name value`, `--name=value` or `--name`. Moves *at behind it. */
static bool take_one(int argc, char **argv, int *at, dn_sim_options *out)
{
    char name[32];
    const char *argument = argv[(*at)++];
    const char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;
    const size_t len = equals == NULL ? strlen(argument) : (size_t)(equals - argument);
    if (len >= sizeof name) {
        return wrong("there is no option '%s'", argument);
    }
    memcpy(name, argument, len);
    name[len] = '\0';
    const size_t row = find_valued(name);
    if (row == VALUED_COUNT) {
        return take_flag(argument, out);
    }
    if (equals != NULL) {
        return take_value(row, equals + 1, out);
    }
    if (*at >= argc) {
        return wrong("%s needs a value", name);
    }
    return take_value(row, argv[(*at)++], out);
}

/* Without credentials nothing is secured, and with them it must be. */
static bool check_server(const dn_sim_options *o, const char *url, dn_transport transport,
                         const dn_sim_security_options *security)
{
    const bool secured = dn_transport_is_secure(transport);
    const bool given = dn_sim_security_given(security);
    if (o->lwm2m == DUNLIN_LWM2M_1_0 && dn_transport_is_stream(transport)) {
        return wrong("%s: LwM2M 1.0 has no CoAP over TCP", url);
    }
    if (secured && !given && !dn_sim_security_given(&o->common)) {
        return wrong("%s needs credentials, such as --identity and --key", url);
    }
    return secured || !given || wrong("%s takes no credentials: it is not secured", url);
}

static bool check_bootstrap(const dn_sim_options *o)
{
    const dn_sim_bootstrap_options *b = &o->bootstrap;
    if (b->url == NULL && b->hold_off_s != 0) {
        return wrong("%s has no meaning without --bootstrap", "--hold-off");
    }
    if (b->stays && !dn_sim_bootstrap_wanted(b)) {
        return wrong("%s has no meaning without --bootstrap, --factory or --smartcard", "--stay");
    }
    if (b->factory == NULL && b->factory_path != NULL) {
        return wrong("%s has no meaning without --factory", "--factory-path");
    }
    return b->url == NULL || check_server(o, b->url, b->transport, &b->security);
}

/* What must be there, and what does not go together. */
static bool check(const dn_sim_options *o)
{
    if (o->endpoint == NULL || (o->url_count == 0 && !dn_sim_bootstrap_wanted(&o->bootstrap))) {
        return o->endpoint == NULL ? wrong("%s is missing", "-e NAME")
                                   : wrong("%s is missing, or --bootstrap URL", "-u URL");
    }
    for (size_t i = 0; i < o->url_count; i++) {
        if (!check_server(o, o->urls[i], o->transports[i], &o->security[i])) {
            return false;
        }
    }
    if (!check_bootstrap(o)) {
        return false;
    }
    const size_t name = strlen(o->endpoint);
    if (name == 0 || name > DUNLIN_ENDPOINT_MAX) {
        return wrong("the endpoint name '%s' is not of 1 to 252 bytes", o->endpoint);
    }
    if (o->awake_ms != 0 && !o->queue) {
        return wrong("%s has no meaning without --queue", "--awake");
    }
    if (o->binding != NULL && o->lwm2m != DUNLIN_LWM2M_1_0 && strchr(o->binding, 'Q') != NULL) {
        return wrong("--binding %s: from LwM2M 1.1 on, queue mode is asked for with --queue", o->binding);
    }
    if (o->firmware_fail == DN_SIM_FAIL_DEFER && !o->firmware_1_1) {
        return wrong("--firmware-fail %s needs --firmware-object 1.1", "defer");
    }
    return true;
}

bool dn_sim_options_read(int argc, char **argv, dn_sim_options *out)
{
    memset(out, 0, sizeof *out);
    out->common = dn_sim_security_none();
    out->bootstrap = dn_sim_bootstrap_none();
    for (size_t i = 0; i < DUNLIN_SERVERS_MAX; i++) {
        out->security[i] = dn_sim_security_none();
    }
    out->lifetime_s = dunlin_server_default().lifetime_s;
    out->lwm2m = DUNLIN_LWM2M_1_1;
    out->period_ms = (uint32_t)(PERIOD_DEFAULT_S * MS_PER_S);
    out->retry_s = RETRY_DEFAULT_S;
    out->firmware_time_ms = (uint32_t)(INSTALL_DEFAULT_S * MS_PER_S);
    out->root_path = "";
    out->console = true;
    for (int at = 1; at < argc;) {
        if (!take_one(argc, argv, &at, out)) {
            return false;
        }
    }
    if (!check(out)) {
        return false;
    }
    for (size_t i = 0; i < out->url_count; i++) {
        if (dn_transport_is_secure(out->transports[i])) {
            dn_sim_security_inherit(&out->security[i], &out->common);
        }
    }
    if (out->bootstrap.url != NULL && dn_transport_is_secure(out->bootstrap.transport)) {
        dn_sim_security_inherit(&out->bootstrap.security, &out->common);
    }
    if (out->seed == 0) {
        out->seed = seed_of(out->endpoint);
    }
    return true;
}

const char *dn_sim_binding_of(const dn_sim_options *o, size_t server)
{
    if (o->binding != NULL) {
        return o->binding;
    }
    if (dn_transport_is_stream(o->transports[server])) {
        return "T";
    }
    return o->queue && o->lwm2m == DUNLIN_LWM2M_1_0 ? "UQ" : "U";
}

/* The letters of all servers. */
const char *dn_sim_bindings(const dn_sim_options *o)
{
    const char *first = dn_sim_binding_of(o, 0);
    if (dn_sim_bootstrap_wanted(&o->bootstrap)) {
        return o->lwm2m == DUNLIN_LWM2M_1_0 ? first : "UT"; /* what it can, whatever the accounts will be */
    }
    for (size_t i = 1; i < o->url_count; i++) {
        if (strcmp(dn_sim_binding_of(o, i), first) != 0) {
            return "UT";
        }
    }
    return first;
}
