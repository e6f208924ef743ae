/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line of `dunlin client`, and its help. */
#include "apps/dunlin/client_options.h"

#include "apps/dunlin/command.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME           "coap://"
#define PORT_DEFAULT     5683
#define PERIOD_DEFAULT_S 2.0
#define PERIOD_MAX_S     86400.0
#define RETRY_DEFAULT_S  10
#define RETRY_MAX_S      86400
#define MS_PER_S         1000.0

void dn_help_client(FILE *out)
{
    (void)fputs(
        "usage: dunlin client -e NAME -u coap://HOST[:PORT] [OPTION ...]\n\n"
        "Runs a simulated LwM2M device until it is stopped (Ctrl-C or SIGTERM), with a temperature sensor "
        "(3303)\n"
        "whose value moves, a light that can be switched (3311), and Device (3).\n\n"
        "options:\n"
        "  -e, --endpoint NAME    the device's endpoint name\n"
        "  -u, --url URL          the server, coap://HOST[:PORT]; the port is 5683 if left out\n"
        "      --lifetime S       lifetime of the registration in seconds [86400]; 0 is for ever\n"
        "      --object FILE.xml  also have the Objects of an OMA definition file; may be given again\n"
        "      --lwm2m 1.0|1.1    the version to speak [1.1]\n"
        "      --period S         seconds between movements of the values [2]; 0: they stand still\n"
        "      --seed N           the same seed gives the same values [from the name]\n"
        "      --confirm          send every notification Confirmable\n"
        "      --retry S          wait this long before the second try to register, then twice as long [10]\n"
        "      --local ADDR:PORT  bind to this address [any; port 0 is a free one]\n"
        "      --ready-file FILE  write the location of the registration to FILE once there is one\n"
        "      --no-console       do not read commands from the standard input\n"
        "  -v, --verbose          tell of updates, and of what the server does\n\n"
        "Queue mode is not supported yet. While it runs, it takes commands from the standard input: 'help' "
        "lists them.\n"
        "When the input ends, the device goes on.\n\n"
        "exit code: 0 stopped as asked, 1 the server refused, 2 wrong command line, 3 no server\n\n"
        "examples:\n"
        "  dunlin client -e thermo-1 -u coap://127.0.0.1:5683\n"
        "  dunlin client -e meter-7 -u coap://lwm2m.example.org --lifetime 300 --object models/3305.xml -v\n"
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
static const char *read_host(const char *text, const char **end, dn_sim_options *out)
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

const char *dn_sim_url_read(const char *url, dn_sim_options *out)
{
    const char *end = NULL;
    const char *fault = check_scheme(url);
    if (fault == NULL && strlen(url) > DUNLIN_URI_MAX) {
        fault = "it is longer than 255 characters";
    }
    if (fault == NULL) {
        fault = read_host(url + sizeof SCHEME - 1, &end, out);
    }
    if (fault != NULL) {
        return fault;
    }
    out->port = PORT_DEFAULT;
    if (*end == ':') {
        char port[8] = "";
        const size_t digits = strcspn(++end, "/");
        memcpy(port, end, digits < sizeof port ? digits : 0);
        if (!read_port(port, &out->port)) {
            return "the port has to be 1 to 65535";
        }
        end += digits;
    }
    return *end == '\0' || strcmp(end, "/") == 0 ? NULL : "there must be nothing behind host and port";
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

static bool take_period(const char *text, dn_sim_options *out)
{
    char *end = NULL;
    const double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= PERIOD_MAX_S)) {
        return wrong("--period takes seconds from 0 to 86400, not '%s'", text);
    }
    out->period_ms = (uint32_t)(seconds * MS_PER_S);
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
    const char *fault = dn_sim_url_read(url, out);
    if (fault != NULL) {
        (void)fprintf(stderr,
                      "dunlin client: the URL '%s' cannot be used: %s (example: coap://127.0.0.1:5683)\n",
                      url, fault);
        return false;
    }
    out->url = url;
    return true;
}

/* Options with a value. False: a message was printed. */
static bool take_value(const char *name, const char *value, dn_sim_options *out)
{
    uint64_t number = 0;
    if (strcmp(name, "-e") == 0 || strcmp(name, "--endpoint") == 0) {
        out->endpoint = value;
        return true;
    }
    if (strcmp(name, "-u") == 0 || strcmp(name, "--url") == 0) {
        return take_url(value, out);
    }
    if (strcmp(name, "--lifetime") == 0) {
        const bool good = read_whole(name, value, INT32_MAX, &number);
        out->lifetime_s = (int32_t)number;
        return good;
    }
    if (strcmp(name, "--retry") == 0) {
        const bool good = read_whole(name, value, RETRY_MAX_S, &number);
        out->retry_s = (uint32_t)number;
        return good;
    }
    if (strcmp(name, "--seed") == 0) {
        return read_whole(name, value, UINT64_MAX, &out->seed);
    }
    if (strcmp(name, "--lwm2m") == 0) {
        return take_lwm2m(value, out);
    }
    if (strcmp(name, "--period") == 0) {
        return take_period(value, out);
    }
    if (strcmp(name, "--object") == 0) {
        return take_object(value, out);
    }
    if (strcmp(name, "--local") == 0) {
        out->local = value;
    } else {
        out->ready_file = value;
    }
    return true;
}

static bool takes_value(const char *name)
{
    static const char *const names[] = {"-e",         "--endpoint", "-u",      "--url",
                                        "--lifetime", "--retry",    "--seed",  "--lwm2m",
                                        "--period",   "--object",   "--local", "--ready-file"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Options without a value. False: there is no such option, and that was said. */
static bool take_flag(const char *name, dn_sim_options *out)
{
    if (strcmp(name, "--no-console") == 0) {
        out->console = false;
    } else if (strcmp(name, "--confirm") == 0) {
        out->confirmable = true;
    } else if (strcmp(name, "-v") == 0 || strcmp(name, "--verbose") == 0) {
        out->verbose = true;
    } else if (strcmp(name, "--queue") == 0) {
        return wrong("%s: queue mode is not supported yet", name);
    } else {
        return wrong(name[0] == '-' ? "there is no option '%s'" : "'%s' is one argument too many", name);
    }
    return true;
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
    if (!takes_value(name)) {
        return take_flag(argument, out);
    }
    if (equals != NULL) {
        return take_value(name, equals + 1, out);
    }
    if (*at >= argc) {
        return wrong("%s needs a value", name);
    }
    return take_value(name, argv[(*at)++], out);
}

bool dn_sim_options_read(int argc, char **argv, dn_sim_options *out)
{
    memset(out, 0, sizeof *out);
    out->lifetime_s = dunlin_server_default().lifetime_s;
    out->lwm2m = DUNLIN_LWM2M_1_1;
    out->period_ms = (uint32_t)(PERIOD_DEFAULT_S * MS_PER_S);
    out->retry_s = RETRY_DEFAULT_S;
    out->console = true;
    for (int at = 1; at < argc;) {
        if (!take_one(argc, argv, &at, out)) {
            return false;
        }
    }
    if (out->endpoint == NULL || out->url == NULL) {
        return wrong("%s is missing", out->endpoint == NULL ? "-e NAME" : "-u coap://HOST:PORT");
    }
    const size_t name = strlen(out->endpoint);
    if (name == 0 || name > DUNLIN_ENDPOINT_MAX) {
        return wrong("the endpoint name '%s' is not of 1 to 252 bytes", out->endpoint);
    }
    if (out->seed == 0) {
        out->seed = seed_of(out->endpoint);
    }
    return true;
}
