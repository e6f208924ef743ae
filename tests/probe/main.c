/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's command line. */
#include "tests/probe/pieces.h"
#include "tests/probe/probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: coap_probe server --listen ADDRESS:PORT [--ready-file FILE] [--szx 0..6] [--tick MS] [--separate "
    "MS]\n"
    "       coap_probe get|put|post|delete|fetch|observe coap://HOST[:PORT]/PATH[?QUERY]\n"
    "                  [--payload TEXT | --file FILE | --size BYTES | --pieces FILE | --text BYTES]\n"
    "                  [--sink] [--from OFFSET] [--format N] [--accept N] [--non] "
    "[--szx 0..6]\n"
    "                  [--count N] [--timeout SECONDS] [--options]\n"
    "The server writes its address to FILE (or to stdout) when it is ready; SIGTERM ends it. The client "
    "writes the payload to\n"
    "stdout and the code to stderr. Exit status: 0 success, 1 error code, 2 usage, 3 no answer, 4 system "
    "error.\n";

static const struct {
    const char *name;
    uint8_t code;
} methods[] = {
    {"get", DN_COAP_GET},       {"put", DN_COAP_PUT},     {"post", DN_COAP_POST},
    {"delete", DN_COAP_DELETE}, {"fetch", DN_COAP_FETCH}, {"observe", DN_COAP_GET},
};

static uint8_t body[PROBE_BODY_MAX];

static bool number(const char *text, unsigned long low, unsigned long high, unsigned long *out)
{
    char *end;
    *out = strtoul(text, &end, 10);
    return end != text && *end == '\0' && *out >= low && *out <= high;
}

static bool read_file(const char *path, dunlin_slice *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    *out = dunlin_slice_make(body, fread(body, 1, sizeof body, file));
    bool whole = feof(file) != 0 || fgetc(file) == EOF;
    (void)fclose(file);
    return whole;
}

static dunlin_slice lines(size_t len)
{
    for (size_t i = 0; i < len; i++) {
        body[i] = i % 64 == 63 ? '\n' : (uint8_t)('!' + (i / 64 + i) % 90);
    }
    return dunlin_slice_make(body, len);
}

/* One "--name value" pair; false: unknown or bad. */
static bool client_option(const char *name, const char *value, probe_client_options *options)
{
    unsigned long parsed = 0;
    if (strcmp(name, "--payload") == 0) {
        options->payload = dunlin_slice_of(value);
        return true;
    }
    if (strcmp(name, "--file") == 0) {
        return read_file(value, &options->payload);
    }
    if (strcmp(name, "--size") == 0 && number(value, 0, sizeof body, &parsed)) {
        options->payload = lines(parsed);
        return true;
    }
    if (strcmp(name, "--pieces") == 0) {
        return probe_file(value, &options->source);
    }
    if (strcmp(name, "--text") == 0 && number(value, 0, UINT32_MAX, &parsed)) {
        options->source = probe_text(parsed);
        return true;
    }
    if (strcmp(name, "--from") == 0 && number(value, 0, UINT32_MAX, &parsed)) {
        options->from = parsed;
        return true;
    }
    if (strcmp(name, "--format") == 0 && number(value, 0, 65534, &parsed)) {
        options->format = (uint16_t)parsed;
        return true;
    }
    if (strcmp(name, "--accept") == 0 && number(value, 0, 65534, &parsed)) {
        options->accept = (uint16_t)parsed;
        return true;
    }
    if (strcmp(name, "--szx") == 0 && number(value, 0, 6, &parsed)) {
        options->szx = (uint8_t)parsed;
        return true;
    }
    if (strcmp(name, "--count") == 0 && number(value, 1, 1000000, &parsed)) {
        options->count = (uint32_t)parsed;
        return true;
    }
    if (strcmp(name, "--timeout") == 0 && number(value, 1, 86400, &parsed)) {
        options->timeout_s = (uint32_t)parsed;
        return true;
    }
    return false;
}

static int run_client(int argc, char **argv, uint8_t code)
{
    probe_client_options options = {.uri = argv[2],
                                    .code = code,
                                    .observe = strcmp(argv[1], "observe") == 0,
                                    .confirmable = true,
                                    .format = DN_COAP_NO_FORMAT,
                                    .accept = DN_COAP_NO_FORMAT,
                                    .szx = 6,
                                    .count = 3,
                                    .timeout_s = 100};
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--non") == 0) {
            options.confirmable = false;
        } else if (strcmp(argv[i], "--sink") == 0) {
            options.sink = true;
        } else if (strcmp(argv[i], "--options") == 0) {
            options.show_options = true;
        } else if (i + 1 < argc && client_option(argv[i], argv[i + 1], &options)) {
            i++;
        } else {
            (void)fprintf(stderr, "coap_probe: %s?\n%s", argv[i], usage);
            return PROBE_USAGE;
        }
    }
    return probe_client(&options);
}

static int run_server(int argc, char **argv)
{
    probe_server_options options = {.szx = 6, .tick_ms = 1000, .separate_ms = 2000};
    for (int i = 2; i < argc; i += 2) {
        unsigned long parsed = 0;
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--listen") == 0 && *value != '\0') {
            options.listen = value;
        } else if (strcmp(argv[i], "--ready-file") == 0 && *value != '\0') {
            options.ready_file = value;
        } else if (strcmp(argv[i], "--szx") == 0 && number(value, 0, 6, &parsed)) {
            options.szx = (uint8_t)parsed;
        } else if (strcmp(argv[i], "--tick") == 0 && number(value, 1, 3600000, &parsed)) {
            options.tick_ms = (uint32_t)parsed;
        } else if (strcmp(argv[i], "--separate") == 0 && number(value, 0, 3600000, &parsed)) {
            options.separate_ms = (uint32_t)parsed;
        } else {
            (void)fprintf(stderr, "coap_probe: %s?\n%s", argv[i], usage);
            return PROBE_USAGE;
        }
    }
    if (options.listen == NULL) {
        (void)fputs(usage, stderr);
        return PROBE_USAGE;
    }
    return probe_server(&options);
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "server") == 0) {
        return run_server(argc, argv);
    }
    for (size_t i = 0; argc >= 3 && i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(argv[1], methods[i].name) == 0) {
            return run_client(argc, argv, methods[i].code);
        }
    }
    (void)fputs(usage, stderr);
    return PROBE_USAGE;
}
