/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin bootstrap config: configurations of the bootstrap server. */
#include "apps/dunlin/bootstrap.h"
#include "apps/dunlin/command.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/pages.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/secret_file.h"
#include "apps/dunlin/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND      DN_BOOTSTRAP_COMMAND
#define DOCUMENT_MAX 65536u
#define KEY_FILE_MAX 4096u
#define NO_SUCH_VERB (-1)

static bool wrong(const char *text)
{
    (void)fprintf(stderr, "dunlin bootstrap: %s; 'dunlin bootstrap --help' shows how\n", text);
    return false;
}

static dn_text config_url(const dn_bootstrap_options *o, const char *endpoint, const char *suffix)
{
    dn_text path = {0};
    dn_text_puts(&path, "/bootstrap/configs/");
    dn_text_percent(&path, endpoint);
    dn_text_puts(&path, suffix);
    dn_text url = dn_rest_url(&o->credential.shared, path.data, false);
    dn_text_free(&path);
    return url;
}

/* ---- one ---- */

static void print_config(const json_t *found)
{
    (void)printf("%s %s, version %" JSON_INTEGER_FORMAT ", of %s\n",
                 json_is_true(json_object_get(found, "pattern")) ? "pattern" : "endpoint",
                 dn_show_text(found, "endpoint"), json_integer_value(json_object_get(found, "version")),
                 dn_show_text(found, "changed"));
    (void)json_dumpf(json_object_get(found, "config"), stdout, JSON_INDENT(2));
    (void)puts("");
}

static int show_url(const dn_bootstrap_options *o, dn_text *url)
{
    json_t *found = NULL;
    const int exit_code = dn_device_call(&o->credential.shared, "GET", url, NULL, &found);
    if (found != NULL && !o->credential.shared.json) {
        print_config(found);
    }
    json_decref(found);
    dn_text_free(url);
    return exit_code;
}

static int show(const dn_bootstrap_options *o, const char *endpoint)
{
    unsigned long version = 0;
    char suffix[40] = "";
    if (!dn_options_count(COMMAND, "--version", o->version, &version)) {
        return EXIT_CODE_USAGE;
    }
    if (o->version != NULL) {
        (void)snprintf(suffix, sizeof suffix, "?version=%lu", version);
    }
    dn_text url = config_url(o, endpoint, suffix);
    return show_url(o, &url);
}

static int effective(const dn_bootstrap_options *o, const char *endpoint)
{
    dn_text url = config_url(o, endpoint, "/effective");
    return show_url(o, &url);
}

static int versions(const dn_bootstrap_options *o, const char *endpoint)
{
    static const char *const titles[] = {"VERSION", "CHANGED", ""};
    dn_text url = config_url(o, endpoint, "/versions");
    json_t *found = NULL;
    const int exit_code = dn_device_call(&o->credential.shared, "GET", &url, NULL, &found);
    if (found != NULL && !o->credential.shared.json) {
        dn_table table;
        size_t i = 0;
        const json_t *one = NULL;
        dn_table_start(&table, 3, titles);
        json_array_foreach(json_object_get(found, "versions"), i, one)
        {
            char number[24];
            (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
                           json_integer_value(json_object_get(one, "version")));
            dn_table_cell(&table, number);
            dn_table_cell(&table, dn_show_text(one, "changed"));
            dn_table_cell(&table, json_is_true(json_object_get(one, "removed")) ? "removed" : "");
        }
        dn_table_print(&table, stdout, 1);
    }
    json_decref(found);
    dn_text_free(&url);
    return exit_code;
}

/* ---- changes ---- */

/* "If-Match: …" or "If-None-Match: *" or nothing; false: it was said what is wrong. */
static bool condition_of(const dn_bootstrap_options *o, dn_text *header)
{
    unsigned long version = 0;
    if (!dn_options_count(COMMAND, "--if-version", o->if_version, &version)) {
        return false;
    }
    if (o->if_version != NULL && o->credential.only_new) {
        return wrong("there is --new or --if-version, not both");
    }
    if (o->if_version != NULL) {
        dn_text_printf(header, "If-Match: \"%lu\"", version);
    } else if (o->credential.only_new) {
        dn_text_puts(header, "If-None-Match: *");
    }
    return true;
}

static int drop(const dn_bootstrap_options *o, const char *endpoint)
{
    dn_text header = {0};
    if (!condition_of(o, &header)) {
        return EXIT_CODE_USAGE;
    }
    dn_rest_connection connection = {0};
    dn_text url = config_url(o, endpoint, "");
    dn_answer answer = dn_rest_on(&connection, "DELETE", url.data, NULL, 0, header.data);
    int exit_code = EXIT_CODE_OK;
    if (answer.status < 200 || answer.status > 299) {
        exit_code = dn_rest_trouble(&o->credential.shared, &answer);
    } else if (!o->credential.shared.json) {
        (void)printf("removed %s\n", endpoint);
    }
    dn_answer_free(&answer);
    dn_rest_close(&connection);
    dn_text_free(&url);
    dn_text_free(&header);
    return exit_code;
}

/* Standard input has no size that could be asked for. */
static bool read_input(dn_text *out)
{
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, stdin)) > 0 && out->len <= DOCUMENT_MAX) {
        dn_text_add(out, piece, n);
    }
    explicit_bzero(piece, sizeof piece);
    return out->len <= DOCUMENT_MAX || wrong("a document has 65536 bytes at most");
}

static bool add_number(json_t *object, const char *option, const char *member, const char *text)
{
    unsigned long number = 0;
    if (!dn_options_count(COMMAND, option, text, &number)) {
        return false;
    }
    if (text != NULL) {
        (void)json_object_set_new(object, member, json_integer((json_int_t)number));
    }
    return true;
}

static bool add_key(json_t *security, const char *given)
{
    dn_text file = {0};
    const char *digits = given;
    if (digits[0] == '@') {
        if (!dn_secret_read(COMMAND, digits + 1, KEY_FILE_MAX, &file)) {
            return false;
        }
        file.data[strcspn(file.data, " \t\r\n")] = '\0';
        digits = file.data;
    }
    digits += strncmp(digits, "hex:", 4) == 0 ? 4 : 0;
    (void)json_object_set_new(security, "key", json_string(digits));
    dn_secret_free(&file);
    return true;
}

static json_t *make_security(const dn_bootstrap_options *o)
{
    const dn_credential_options *c = &o->credential;
    json_t *security = json_object();
    bool ok = true;
    if ((o->nosec ? 1 : 0) + (o->est ? 1 : 0) + (c->identity != NULL || c->key != NULL ? 1 : 0) > 1) {
        ok = wrong("there is one of --nosec, --est, and --identity with --key");
    } else if ((c->identity == NULL) != (c->key == NULL)) {
        ok = wrong("--identity and --key go together");
    } else if (c->identity != NULL) {
        const bool is_hex = strncmp(c->identity, "hex:", 4) == 0;
        (void)json_object_set_new(security, is_hex ? "identity_hex" : "identity",
                                  json_string(c->identity + (is_hex ? 4 : 0)));
        ok = add_key(security, c->key);
    }
    const char *mode = o->nosec ? "nosec" : o->est ? "est" : "psk";
    (void)json_object_set_new(security, "mode", json_string(mode));
    if (!ok) {
        json_decref(security);
        return NULL;
    }
    return security;
}

/* An account with one server, by the options; NULL: it was said what is wrong. */
static json_t *make_document(const dn_bootstrap_options *o)
{
    json_t *server = json_object();
    json_t *security = make_security(o);
    if (security == NULL || !add_number(server, "--ssid", "ssid", o->ssid) ||
        !add_number(server, "--lifetime", "lifetime", o->lifetime)) {
        json_decref(security);
        json_decref(server);
        return NULL;
    }
    if (o->uri != NULL) {
        (void)json_object_set_new(server, "uri", json_string(o->uri));
    }
    if (o->binding != NULL) {
        (void)json_object_set_new(server, "binding", json_string(o->binding));
    }
    (void)json_object_set_new(server, "security", security);
    json_t *document = json_pack("{s:[o]}", "servers", server);
    if (o->allow_insecure) {
        (void)json_object_set_new(document, "allow_insecure", json_true());
    }
    return document;
}

static bool has_flags(const dn_bootstrap_options *o)
{
    return o->ssid != NULL || o->lifetime != NULL || o->binding != NULL || o->uri != NULL || o->nosec ||
           o->est || o->allow_insecure || o->credential.identity != NULL || o->credential.key != NULL;
}

static bool gather(const dn_bootstrap_options *o, dn_text *body)
{
    if (o->file != NULL && has_flags(o)) {
        return wrong("the document of --file says all: no further options of set go with it");
    }
    if (o->file != NULL && strcmp(o->file, "-") == 0) {
        return read_input(body);
    }
    if (o->file != NULL) {
        return dn_secret_read(COMMAND, o->file, DOCUMENT_MAX, body);
    }
    json_t *document = make_document(o);
    if (document == NULL) {
        return false;
    }
    char *text = json_dumps(document, JSON_COMPACT);
    dn_text_puts(body, text);
    explicit_bzero(text, strlen(text));
    free(text);
    json_decref(document);
    return true;
}

/* The account that the options make is with the server beside the bootstrap server, if they do not say otherwise. */
static void say_way_out(const dn_bootstrap_options *o, const dn_answer *answer)
{
    json_t *problem = json_loadb(answer->body.data, answer->body.len, 0, NULL);
    if (o->file == NULL && o->uri == NULL &&
        strcmp(dn_show_text(problem, "pointer"), "/servers/0/uri") == 0) {
        (void)fputs("Name the server by --uri, with --identity and --key, or --nosec.\n", stderr);
    }
    json_decref(problem);
}

static int set(const dn_bootstrap_options *o, const char *endpoint)
{
    dn_text header = {0};
    dn_text body = {0};
    if (!condition_of(o, &header) || !gather(o, &body)) {
        dn_text_free(&header);
        dn_secret_free(&body);
        return EXIT_CODE_USAGE;
    }
    if (o->file != NULL || o->credential.key != NULL) {
        dn_credential_warn(COMMAND, &o->credential.shared);
    }
    int exit_code = EXIT_CODE_OK;
    dn_rest_connection connection = {0};
    dn_text url = config_url(o, endpoint, "");
    dn_answer answer =
        dn_rest_on(&connection, "PUT", url.data, body.data != NULL ? body.data : "", body.len, header.data);
    const bool taken = answer.status == 200 || answer.status == 201;
    json_t *made = taken ? json_loadb(answer.body.data, answer.body.len, 0, NULL) : NULL;
    if (made == NULL) {
        exit_code = dn_rest_trouble(&o->credential.shared, &answer);
        say_way_out(o, &answer);
    } else if (o->credential.shared.json) {
        (void)json_dumpf(made, stdout, JSON_INDENT(2));
        (void)puts("");
    } else {
        (void)printf("%s: %s, version %" JSON_INTEGER_FORMAT "\n", answer.status == 201 ? "made" : "replaced",
                     endpoint, json_integer_value(json_object_get(made, "version")));
    }
    json_decref(made);
    dn_answer_free(&answer);
    dn_rest_close(&connection);
    dn_text_free(&url);
    dn_text_free(&header);
    dn_secret_free(&body);
    return exit_code;
}

/* ---- all ---- */

static void print_all(const json_t *all)
{
    static const char *const titles[] = {"ENDPOINT", "VERSION", "CHANGED"};
    dn_table table;
    size_t i = 0;
    const json_t *one = NULL;
    dn_table_start(&table, 3, titles);
    json_array_foreach(all, i, one)
    {
        char number[24];
        (void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json_object_get(one, "version")));
        dn_table_cell(&table, dn_show_text(one, "endpoint"));
        dn_table_cell(&table, number);
        dn_table_cell(&table, dn_show_text(one, "changed"));
    }
    dn_table_print(&table, stdout, 2);
}

static int list(const dn_bootstrap_options *o)
{
    const dn_credential_options *c = &o->credential;
    dn_list all = {
        .path = "/bootstrap/configs", .member = "configs", .parameter = "search", .text = c->filter};
    return dn_list_print(&all, &c->shared, COMMAND, c->limit, print_all);
}

int dn_bootstrap_config(const dn_bootstrap_options *o, int count, char **words)
{
    static const struct {
        const char *name;
        int (*run)(const dn_bootstrap_options *o, const char *endpoint);
    } verbs[] = {
        {"show", show}, {"set", set}, {"delete", drop}, {"versions", versions}, {"effective", effective}};
    if (count == 0 || (count == 1 && strcmp(words[0], "list") == 0)) {
        return list(o);
    }
    for (size_t i = 0; count == 2 && words[1][0] != '\0' && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(words[0], verbs[i].name) == 0) {
            return verbs[i].run(o, words[1]);
        }
    }
    return NO_SUCH_VERB;
}
