/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin models: the object definitions that the server knows. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/show.h"

#include <stdlib.h>
#include <string.h>

static const char USAGE[] = "dunlin models [ID] [--version V] [--add FILE.xml] [--json] [--server URL]";

void dn_help_models(FILE *out)
{
    (void)fprintf(out,
                  "List the object definitions that the server knows, show one, or add one.\n\nusage: %s\n\n"
                  "  ID              show this object's resources\n"
                  "  --version V     of this version (default: the newest)\n"
                  "  --add FILE.xml  send an OMA object definition (DDF) to the server, which keeps it\n"
                  "  --json          print the server's JSON\n\n"
                  "examples:\n  dunlin models\n  dunlin models 3303\n  dunlin models --add my-object.xml\n",
                  USAGE);
}

static void print_list(const json_t *models)
{
    static const char *const titles[] = {"ID", "VERSION", "NAME", "INSTANCES", "URN"};
    dn_table table;
    dn_table_start(&table, 5, titles);
    size_t i = 0;
    const json_t *model = NULL;
    json_array_foreach(models, i, model)
    {
        char id[24];
        (void)snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(model, "id")));
        dn_table_cell(&table, id);
        dn_table_cell(&table, dn_show_text(model, "version"));
        dn_table_cell(&table, dn_show_text(model, "name"));
        dn_table_cell(&table, json_is_true(json_object_get(model, "multiple")) ? "multiple" : "single");
        dn_table_cell(&table, dn_show_text(model, "urn"));
    }
    dn_table_print(&table, stdout, 1);
}

static void print_resources(const json_t *model)
{
    static const char *const titles[] = {"ID", "NAME", "OPS", "TYPE", "INSTANCES", "NEEDED", "UNIT"};
    (void)printf("%s (%s)\n", dn_show_text(model, "name"), dn_show_text(model, "urn"));
    dn_table table;
    dn_table_start(&table, 7, titles);
    size_t i = 0;
    const json_t *resource = NULL;
    json_array_foreach(json_object_get(model, "resources"), i, resource)
    {
        char id[24];
        (void)snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(resource, "id")));
        dn_table_cell(&table, id);
        dn_table_cell(&table, dn_show_text(resource, "name"));
        dn_table_cell(&table, dn_show_text(resource, "operations"));
        dn_table_cell(&table, dn_show_text(resource, "type"));
        dn_table_cell(&table, json_is_true(json_object_get(resource, "multiple")) ? "multiple" : "single");
        dn_table_cell(&table,
                      json_is_true(json_object_get(resource, "mandatory")) ? "mandatory" : "optional");
        dn_table_cell(&table, dn_show_text(resource, "unit"));
    }
    dn_table_print(&table, stdout, 1);
}

static bool read_file(const char *name, dn_text *out)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        return false;
    }
    char bytes[4096];
    dn_text_clear(out);
    for (size_t got = fread(bytes, 1, sizeof bytes, file); got > 0;
         got = fread(bytes, 1, sizeof bytes, file)) {
        dn_text_add(out, bytes, got);
    }
    const bool good = ferror(file) == 0;
    if (!good) {
        perror(name);
    }
    (void)fclose(file);
    return good;
}

static int show(const dn_options *options, const dn_answer *answer)
{
    if (answer->status < 200 || answer->status > 299) {
        return dn_rest_trouble(options, answer);
    }
    if (options->json) {
        (void)printf("%s\n", answer->body.data);
        return EXIT_CODE_OK;
    }
    json_t *json = json_loadb(answer->body.data, answer->body.len, 0, NULL);
    const json_t *models = json_object_get(json, "models");
    if (models != NULL) {
        print_list(models);
    } else {
        print_resources(json);
    }
    json_decref(json);
    return EXIT_CODE_OK;
}

int dn_cmd_models(int argc, char **argv)
{
    const char *version = NULL;
    const char *add = NULL;
    const dn_option own[] = {{"--version", &version, NULL}, {"--add", &add, NULL}, {NULL, NULL, NULL}};
    dn_options options;
    if (!dn_options_read(argc, argv, own, 0, 1, USAGE, &options)) {
        return EXIT_CODE_USAGE;
    }
    dn_text file = {0};
    if (add != NULL && !read_file(add, &file)) {
        return EXIT_CODE_USAGE;
    }
    dn_text path = {0};
    dn_text_puts(&path, "/models");
    if (options.count == 1) {
        dn_text_puts(&path, "/");
        dn_text_percent(&path, options.arguments[0]);
    }
    if (version != NULL) {
        dn_text_puts(&path, "?version=");
        dn_text_percent(&path, version);
    }
    dn_text url = dn_rest_url(&options, path.data, false);
    dn_answer answer =
        dn_rest(add != NULL ? "POST" : "GET", url.data, file.data, file.len, "application/xml");
    const int exit_code = show(&options, &answer);
    dn_answer_free(&answer);
    dn_text_free(&url);
    dn_text_free(&path);
    dn_text_free(&file);
    return exit_code;
}
