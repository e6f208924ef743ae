/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line of `dunlin client`, and its help. */
#include "apps/dunlin/client_options.h"

#include "apps/dunlin/command.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME            "coap://"
#define PORT_DEFAULT      5683
#define PERIOD_DEFAULT_S  2.0
#define PERIOD_MAX_S      86400.0
#define INSTALL_DEFAULT_S 2.0
#define RETRY_DEFAULT_S   10
#define RETRY_MAX_S       86400
#define MS_PER_S          1000.0

void dn_help_client(FILE *out)
{
    (void)fputs(
        "usage: dunlin client -e NAME -u coap://HOST[:PORT] [OPTION ...]\n\n"
        "Runs a simulated LwM2M device until it is stopped (Ctrl-C or SIGTERM): Device (3), Connectivity "
        "Monitoring "
        "(4),\n"
        "Firmware Update (5), Location (6), Connectivity Statistics (7), Portfolio (16), a temperature "
        "sensor (3303) "
        "and a\n"
        "light (3311). Addresses, routers, traffic, memory and battery are those of the machine it runs on; "
        "the rest "
        "is made up.\n\n"
        "options:\n"
        "  -e, --endpoint NAME    the device's endpoint name\n"
        "  -u, --url URL          the server, coap://HOST[:PORT]; the port is 5683 if left out. Given again "
        "for\n"
        "                         further servers: they get the Short Server IDs 1, 2, ..., and access "
        "control\n"
        "      --lifetime S       lifetime of the registration in seconds [86400]; 0 is for ever\n"
        "      --queue            queue mode: the device sleeps between messages, and hears nothing then\n"
        "      --awake S          how long it listens after its last message, in queue mode [93]\n"
        "      --binding LETTERS  the binding to announce [U; UQ in queue mode of LwM2M 1.0]\n"
        "      --root-path PATH   have the Objects below this path, as /lwm2m\n"
        "      --object FILE.xml  also have the Objects of an OMA definition file; may be given again\n"
        "      --cellular         also have a modem: Cellular Connectivity (10) and APN profiles (11)\n"
        "      --lwm2m 1.0|1.1    the version to speak [1.1]\n"
        "      --period S         seconds between movements of the values [2]; 0: they stand still\n"
        "      --seed N           the same seed gives the same values [from the name]\n"
        "      --confirm          send every notification Confirmable\n"
        "      --retry S          wait this long before the second try to register, then twice as long [10]\n"
        "      --local ADDR:PORT  bind to this address [any; port 0 is a free one]\n"
        "      --state DIR        keep the firmware and how far its update is in DIR, and go on from there\n"
        "      --firmware-fail WHAT   let updates fail: flash, ram, connection, integrity, type, install, "
        "or\n"
        "                         defer (if /5/0/13 allows it)\n"
        "      --firmware-time S  seconds that an installation takes [2]\n"
        "      --firmware-object 1.0|1.1  the version of Firmware Update; 1.1 can be cancelled and deferred "
        "[1.0]\n"
        "      --ca FILE          trust these certificates for https downloads [the system's]\n"
        "      --ready-file FILE  write the location of the registration to FILE once there is one\n"
        "      --no-console       do not read commands from the standard input\n"
        "  -v, --verbose          tell of updates, and of what the servers do\n\n"
        "A firmware package is any file. It may begin with the lines version=X, which is the firmware "
        "version (/3/0/3)\n"
        "after the update (else it is made from the content), and fail=WHAT, as --firmware-fail. Packages "
        "are taken by\n"
        "push, and from coap://, http:// and https://.\n\n"
        "While it runs, it takes commands from the standard input: 'help' lists them. When the input ends, "
        "the device "
        "goes on.\n\n"
        "exit code: 0 stopped as asked, 1 the server refused, 2 wrong command line, 3 no server\n\n"
        "examples:\n"
        "  dunlin client -e thermo-1 -u coap://127.0.0.1:5683\n"
        "  dunlin client -e meter-7 -u coap://lwm2m.example.org --lifetime 300 --object models/3305.xml -v\n"
        "  dunlin client -e sleepy-1 -u coap://127.0.0.1 --queue --awake 10 --state /tmp/sleepy-1\n"
        "  dunlin client -e both-1 -u coap://127.0.0.1:5683 -u coap://127.0.0.1:5783\n"
        "  dunlin client -e old-1 -u 'coap://[::1]:5683' --lwm2m 1.0 --period 0 --no-console\n",
        out);
}

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

static bool read_port(const char *text, uint16_t *out)
{
    char *end = NULL;
    const unsigned long port = strtoul(text, &end, 10);
    *out = (uint16_t)port;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port > 0 && port <= UINT16_MAX;
}

/* The schemes that will be there one day say so. */
static const char *check_scheme(const char *url)
{
    if (strncmp(url, "coaps://", 8) == 0) {
        return "coaps:// is not supported yet: use coap://";
    }
    if (strncmp(url, "coap+tcp://", 11) == 0 || strncmp(url, "coaps+tcp://", 12) == 0) {
        return "CoAP over TCP is not supported yet: use coap://";
    }
    return strncmp(url, SCHEME, sizeof SCHEME - 1) == 0 ? NULL : "it has to begin with coap://";
}

/* The host at `text`, without the brackets of an IPv6 address; `*end` goes behind it. */
static const char *read_host(const char *text, const char **end, dn_sim_address *out)
{
    const bool bracketed = *text == '[';
    const char *host = text + (bracketed ? 1 : 0);
    const size_t len = strcspn(host, bracketed ? "]" : ":/?#@");
    if (bracketed && host[len] != ']') {
        return "the IPv6 address has no ']'";
    }
    if (len == 0 || len >= sizeof out->host) {
        return "it names no host";
    }
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    *end = host + len + (bracketed ? 1 : 0);
    return NULL;
}

/* Host and port; `*end` goes behind them. */
static const char *read_authority(const char *url, dn_sim_address *out, const char **end)
{
    const char *fault = check_scheme(url);
    if (fault == NULL && strlen(url) > DUNLIN_URI_MAX) {
        fault = "it is longer than 255 characters";
    }
    if (fault == NULL) {
        fault = read_host(url + sizeof SCHEME - 1, end, out);
    }
    if (fault != NULL) {
        return fault;
    }
    out->port = PORT_DEFAULT;
    if (**end == ':') {
        char port[8] = "";
        const size_t digits = strcspn(++*end, "/?");
        memcpy(port, *end, digits < sizeof port ? digits : 0);
        if (!read_port(port, &out->port)) {
            return "the port has to be 1 to 65535";
        }
        *end += digits;
    }
    return NULL;
}

const char *dn_sim_url_read(const char *url, dn_sim_address *out)
{
    const char *end = NULL;
    const char *fault = read_authority(url, out, &end);
    if (fault != NULL) {
        return fault;
    }
    return *end == '\0' || strcmp(end, "/") == 0 ? NULL : "there must be nothing behind host and port";
}

const char *dn_sim_authority_read(const char *uri, dn_sim_address *out)
{
    const char *end = NULL;
    const char *fault = read_authority(uri, out, &end);
    if (fault != NULL) {
        return fault;
    }
    return strchr("/?", *end) != NULL ? NULL : "what is behind host and port is no path";
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

static bool take_url(const char *url, dn_sim_options *out)
{
    dn_sim_address address;
    const char *fault = dn_sim_url_read(url, &address);
    if (fault == NULL && out->url_count == DUNLIN_SERVERS_MAX) {
        fault = "it is one server too many";
    }
    if (fault != NULL) {
        (void)fprintf(stderr,
                      "dunlin client: the URL '%s' cannot be used: %s (example: coap://127.0.0.1:5683)\n",
                      url, fault);
        return false;
    }
    out->urls[out->url_count++] = url;
    return true;
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

/* Options with a value: a text that is just kept, or a function that reads it. */
static const struct {
    const char *name, *short_name;
    size_t text; /* offset of the `const char *`, if there is no function */
    bool (*take)(const char *value, dn_sim_options *out);
} valued[] = {
    {"--endpoint", "-e", offsetof(dn_sim_options, endpoint), NULL},
    {"--url", "-u", 0, take_url},
    {"--lifetime", NULL, 0, take_lifetime},
    {"--awake", NULL, 0, take_awake},
    {"--binding", NULL, 0, take_binding},
    {"--root-path", NULL, 0, take_root_path},
    {"--object", NULL, 0, take_object},
    {"--lwm2m", NULL, 0, take_lwm2m},
    {"--period", NULL, 0, take_period},
    {"--seed", NULL, 0, take_seed},
    {"--retry", NULL, 0, take_retry},
    {"--local", NULL, offsetof(dn_sim_options, local), NULL},
    {"--state", NULL, offsetof(dn_sim_options, state_dir), NULL},
    {"--firmware-fail", NULL, 0, take_failure},
    {"--firmware-time", NULL, 0, take_firmware_time},
    {"--firmware-object", NULL, 0, take_firmware_object},
    {"--ca", NULL, offsetof(dn_sim_options, ca_file), NULL},
    {"--ready-file", NULL, offsetof(dn_sim_options, ready_file), NULL},
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
    memcpy((char *)out + valued[row].text, &value, sizeof value);
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

/* What must be there, and what does not go together. */
static bool check(const dn_sim_options *o)
{
    if (o->endpoint == NULL || o->url_count == 0) {
        return wrong("%s is missing", o->endpoint == NULL ? "-e NAME" : "-u coap://HOST:PORT");
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
    if (out->binding == NULL) {
        out->binding = out->queue && out->lwm2m == DUNLIN_LWM2M_1_0 ? "UQ" : "U";
    }
    if (out->seed == 0) {
        out->seed = seed_of(out->endpoint);
    }
    return true;
}
