/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin write and create: what people type becomes typed JSON. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/composite.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/show.h"

#include <stdlib.h>
#include <string.h>

static const char WRITE_USAGE[] =
    "dunlin write EP PATH VALUE | PATH RESOURCE=VALUE ... | PATH=VALUE ... [--mode replace|update] [--type T] [--body JSON] [--package ID]";
static const char CREATE_USAGE[] = "dunlin create EP /OBJECT [RESOURCE=VALUE ...] [--id N] [--body JSON]";

void dn_help_write(FILE *out)
{
    (void)fprintf(
        out,
        "Write a resource, a resource instance or an object instance of a device; or several resources of any\n"
        "instances at once, all or none (Write-Composite).\n\nusage: %s\n\n"
        "  VALUE           a resource's value, typed by its definition: 21.5, true, \"a text\", 2026-11-22T03:00:00Z,\n"
        "                  base64 for opaque, 3303:0 for a link\n"
        "  INSTANCE=VALUE  for a multiple resource: its instances\n"
        "  RESOURCE=VALUE  for an instance path: its resources; RESOURCE/INSTANCE=VALUE for a multiple one\n"
        "  --mode MODE     replace (default) or update: what is not named goes, or stays\n"
        "  --type T        string, integer, unsigned, float, boolean, opaque, time, objlnk, corelnk\n"
        "  --body JSON     the request's body as the REST API takes it; '-' reads it from standard input\n"
        "  --format NAME   text, opaque, cbor, senml-json, senml-cbor, tlv or lwm2m-json\n"
        "  --package ID    write a package of the server's ('dunlin packages'), as for /5/0/0\n" DN_QUEUE_HELP
        "  --json          print the server's JSON\n\n"
        "examples:\n  dunlin write lamp-3 /3311/0/5850 on\n  dunlin write dev-7 /3/0/14 +02:00\n"
        "  dunlin write dev-7 /1/0 1=300 6=false --mode update\n"
        "  dunlin write dev-7 /1/0/1=300 /3/0/14=+02:00\n  dunlin write sleepy-4 /3/0/14 +02:00 --wait 60\n",
        WRITE_USAGE);
}

void dn_help_create(FILE *out)
{
    (void)fprintf(
        out,
        "Create an object instance on a device.\n\nusage: %s\n\n"
        "  RESOURCE=VALUE  the new instance's resources; RESOURCE/INSTANCE=VALUE for a multiple one\n"
        "  --id N          the instance's id (default: the device chooses)\n"
        "  --body JSON     the request's body as the REST API takes it; '-' reads it from standard input\n" DN_QUEUE_HELP
        "  --json          print the server's JSON\n\n"
        "example:\n  dunlin create dev-7 /16 0/0=host-1 0/1=acme --id 2\n",
        CREATE_USAGE);
}

static json_t *read_body(const char *command, const char *text)
{
    json_error_t error;
    json_t *body = strcmp(text, "-") == 0 ? json_loadf(stdin, 0, &error) : json_loads(text, 0, &error);
    if (body == NULL) {
        (void)fprintf(stderr, "dunlin %s: the body is no JSON object: line %d, column %d: %s\n", command,
                      error.line, error.column, error.text);
    }
    return body;
}

/* {"resources":[…]} out of "5700=1" "5701=Cel". */
static json_t *instance_body(dn_typing *typing, char **assignments, int count)
{
    json_t *resources = json_array();
    for (int i = 0; i < count; i++) {
        if (!dn_typing_assign(typing, assignments[i], resources)) {
            json_decref(resources);
            return NULL;
        }
    }
    return json_pack("{s:o}", "resources", resources);
}

/* {"values":[{"id":0,"value":1}]} out of "0=1" "1=5". */
static json_t *multiple_body(dn_typing *typing, uint16_t resource, char **assignments, int count)
{
    json_t *values = json_array();
    for (int i = 0; i < count; i++) {
        char *end = NULL;
        const unsigned long id = strtoul(assignments[i], &end, 10);
        json_t *value = end != assignments[i] && *end == '=' && id < 65535
                            ? dn_typing_value(typing, resource, end + 1)
                            : NULL;
        if (value == NULL) {
            (void)fprintf(stderr,
                          "dunlin write: resource %u is a multiple one; write '%s' as INSTANCE=VALUE\n",
                          resource, assignments[i]);
            json_decref(values);
            return NULL;
        }
        (void)json_object_set_new(value, "id", json_integer((json_int_t)id));
        (void)json_array_append_new(values, value);
    }
    return json_pack("{s:o}", "values", values);
}

static json_t *write_body(dn_typing *typing, const dn_device_path *path, char **arguments, int count)
{
    if (path->depth == 2) {
        return instance_body(typing, arguments, count);
    }
    if (path->depth == 3 && dn_typing_is_multiple(typing, path->id[2])) {
        return multiple_body(typing, path->id[2], arguments, count);
    }
    if (count != 1) {
        (void)fprintf(stderr, "dunlin write: %s takes one value\n", path->text);
        return NULL;
    }
    return dn_typing_value(typing, path->id[2], arguments[0]);
}

typedef struct {
    const char *body, *type, *mode, *id, *package;
} write_options;

/* The body from --body or from the arguments; NULL with the exit code. */
static json_t *make_body(const char *command, const dn_options *options, const write_options *own,
                         const dn_device_path *path, int *exit_code)
{
    *exit_code = EXIT_CODE_USAGE;
    if (own->body != NULL) {
        return read_body(command, own->body);
    }
    dn_typing typing;
    if (!dn_typing_start(&typing, options, options->arguments[0], path->id[0], own->type, exit_code)) {
        return NULL;
    }
    *exit_code = EXIT_CODE_USAGE;
    char **values = options->arguments + 2;
    json_t *body = path->depth == 1 ? instance_body(&typing, values, options->count - 2)
                                    : write_body(&typing, path, values, options->count - 2);
    dn_typing_end(&typing);
    return body;
}

static int send(const dn_options *options, const char *method, const dn_device_path *path, const char *query,
                const json_t *body, const char *done)
{
    dn_text url = dn_device_url(options, options->arguments[0], "", path, query);
    json_t *answer = NULL;
    const int exit_code = dn_device_call(options, method, &url, body, &answer);
    if (answer != NULL && !options->json) {
        (void)printf("%s %s (%s)\n", done, dn_show_text(answer, "path"), dn_show_text(answer, "code"));
    }
    json_decref(answer);
    dn_text_free(&url);
    return exit_code;
}

static int write_package(const dn_options *options, const dn_device_path *path, const write_options *own)
{
    if (options->count != 2 || path->depth != 3 || own->body != NULL || own->mode != NULL) {
        (void)fputs(
            "dunlin write: --package writes one resource, as in 'dunlin write dev-7 /5/0/0 --package ID'\n",
            stderr);
        return EXIT_CODE_USAGE;
    }
    dn_text query = {0};
    dn_text_puts(&query, "?package=");
    dn_text_percent(&query, own->package);
    const int exit_code = send(options, "PUT", path, query.data, NULL, "written");
    dn_text_free(&query);
    return exit_code;
}

int dn_cmd_write(int argc, char **argv)
{
    write_options own = {0};
    const dn_option rows[] = {{"--mode", &own.mode, NULL},
                              {"--type", &own.type, NULL},
                              {"--body", &own.body, NULL},
                              {"--package", &own.package, NULL},
                              {NULL, NULL, NULL}};
    dn_options options;
    dn_device_path path;
    if (!dn_options_read(argc, argv, rows, 2, 1000, WRITE_USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    if (strchr(options.arguments[1], '=') != NULL && own.body == NULL && own.package == NULL) {
        return dn_composite_write(&options, own.type);
    }
    if (!dn_device_path_read("write", options.arguments[1], 2, 4, &path)) {
        return EXIT_CODE_USAGE;
    }
    if (own.package != NULL) {
        return write_package(&options, &path, &own);
    }
    if (own.mode != NULL && strcmp(own.mode, "replace") != 0 && strcmp(own.mode, "update") != 0) {
        (void)fprintf(stderr, "dunlin write: --mode is replace or update, not '%s'\n", own.mode);
        return EXIT_CODE_USAGE;
    }
    if ((own.body == NULL) == (options.count == 2)) {
        (void)fprintf(stderr, "usage: %s\nGive either values or --body. Try 'dunlin write --help'.\n",
                      WRITE_USAGE);
        return EXIT_CODE_USAGE;
    }
    int exit_code = EXIT_CODE_OK;
    json_t *body = make_body("write", &options, &own, &path, &exit_code);
    if (body == NULL) {
        return exit_code;
    }
    const bool update = own.mode != NULL && strcmp(own.mode, "update") == 0;
    exit_code = send(&options, "PUT", &path, update ? "?mode=update" : "", body, "written");
    json_decref(body);
    return exit_code;
}

int dn_cmd_create(int argc, char **argv)
{
    write_options own = {0};
    const dn_option rows[] = {{"--id", &own.id, NULL}, {"--body", &own.body, NULL}, {NULL, NULL, NULL}};
    dn_options options;
    dn_device_path path;
    if (!dn_options_read(argc, argv, rows, 2, 1000, CREATE_USAGE, &options) ||
        !dn_device_path_read("create", options.arguments[1], 1, 1, &path)) {
        return EXIT_CODE_USAGE;
    }
    char *end = NULL;
    const unsigned long id = own.id == NULL ? 0 : strtoul(own.id, &end, 10);
    if (own.id != NULL && (end == own.id || *end != '\0' || id > 65534)) {
        (void)fprintf(stderr, "dunlin create: --id is a number of 0 to 65534, not '%s'\n", own.id);
        return EXIT_CODE_USAGE;
    }
    int exit_code = EXIT_CODE_OK;
    json_t *body = make_body("create", &options, &own, &path, &exit_code);
    if (body == NULL) {
        return exit_code;
    }
    if (own.id != NULL) {
        (void)json_object_set_new(body, "id", json_integer((json_int_t)id));
    }
    exit_code = send(&options, "POST", &path, "", body, "created");
    json_decref(body);
    return exit_code;
}
