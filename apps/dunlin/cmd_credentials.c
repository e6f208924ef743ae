/* SPDX-License-Identifier: Apache-2.0 */
/* dunlin credentials: what devices prove themselves with. */
#include "apps/dunlin/command.h"
#include "apps/dunlin/credentials.h"
#include "apps/dunlin/device.h"
#include "apps/dunlin/pages.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/secret_file.h"
#include "apps/dunlin/show.h"

#include "store/seal_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "dunlin credentials [list | show NAME | set NAME WHAT | delete NAME | import FILE | server |\n"
    "                           new-seal-key FILE] [OPTION ...]";

static const char USAGE_BOOTSTRAP[] =
    "dunlin bootstrap credentials [list | show NAME | set NAME WHAT | delete NAME | import FILE | server]\n"
    "                                     [OPTION ...]";

static const char subcommands[] =
    "  list                    all, without their keys (the default)\n"
    "  show NAME               one: of an endpoint name, or of a pattern as it was set\n"
    "  set NAME WHAT           make or replace one; NAME may be a pattern, with * and ?\n"
    "  delete NAME             remove one: nobody gets in with it any more\n"
    "  import FILE             set many: lines of JSON, or of CSV: endpoint,identity,key\n"
    "  server                  show what devices must know of the server\n"
    "  new-seal-key FILE       add a key to a file of sealing keys (of dunlind); the newest seals\n\n";

static const char own_options[] =
    "what to set:\n"
    "  --psk                   a pre-shared key; without --key a new one is made, and shown once\n"
    "  --identity TEXT|hex:DIGITS   its identity (default: the endpoint name)\n"
    "  --key hex:DIGITS|@FILE  its key; on the command line others may see it, in a file they do not\n"
    "  --rpk FILE              a raw public key: the device's, in PEM or DER\n"
    "  --rpk-generate          a new pair of keys for the device, written into files\n"
    "  --x509                  a certificate with the endpoint's name, from a CA that the server trusts\n"
    "  --name NAME             ... with this name in place of the endpoint's\n"
    "  --certificate FILE      ... only this one, PEM or DER; it needs no CA then\n"
    "  --fingerprint DIGITS    ... only the one with this SHA-256\n\n"
    "options:\n"
    "  --out DIR               where new keys are written, mode 0600; made if missing\n"
    "                          (--rpk-generate: default is here; --psk: default is to show it;\n"
    "                          server: public key and certificate)\n"
    "  --new                   set, import: leave alone what is there already\n"
    "  --stop                  import: stop at the first line that cannot be taken\n"
    "  --filter TEXT           list: only names that contain TEXT\n"
    "  --limit N               list: at most N (default: all)\n"
    "  --token pkcs11:URL      new-seal-key: wrap the key for this RSA key in a token\n"
    "  --json                  for programs\n\n";

void dn_help_credentials(FILE *out)
{
    (void)fprintf(
        out, "Keep what devices prove themselves with (DTLS, TLS), and make keys for them.\n\nusage: %s\n\n",
        USAGE);
    (void)fputs(subcommands, out);
    (void)fputs(own_options, out);
    (void)fputs("A name that has a credential cannot be used without it. Keys can be set, never read.\n\n"
                "examples:\n"
                "  dunlin credentials set thermo-1 --psk\n"
                "  dunlin credentials set meter-7 --psk --identity meter-7-key --key @meter-7.key\n"
                "  dunlin credentials set lock-2 --rpk-generate --out keys\n"
                "  dunlin credentials set 'gw-*' --x509\n"
                "  dunlin credentials import fleet.csv --new\n"
                "  dunlin credentials new-seal-key /var/lib/dunlin/seal.key && systemctl reload dunlind\n",
                out);
}

/* ---- one ---- */

static const char *root_of(const dn_credential_options *options)
{
    return options->bootstrap ? "/bootstrap" : "";
}

dn_text dn_credential_url(const dn_credential_options *options, const char *endpoint)
{
    dn_text path = {0};
    dn_text_printf(&path, "%s/credentials/", root_of(options));
    dn_text_percent(&path, endpoint);
    dn_text url = dn_rest_url(&options->shared, path.data, false);
    dn_text_free(&path);
    return url;
}

static void show_line(const json_t *credential, const char *member, const char *label)
{
    const char *text = json_string_value(json_object_get(credential, member));
    if (text != NULL) {
        (void)printf("%-12s%s\n", label, text);
    }
}

static void show_staged(const json_t *credential)
{
    const json_t *beside = json_object_get(credential, "staged");
    if (beside != NULL) {
        (void)printf("%-12s%s, since %s; holds beside this one until its device is known to have it\n",
                     "staged", dn_show_text(beside, "mode"), dn_show_text(beside, "since"));
    } else if (strcmp(dn_show_text(credential, "state"), "staged") == 0) {
        (void)printf("%-12s%s\n", "state",
                     "staged: handed out by a bootstrap, and its device is not known to have it yet");
    }
}

static int show(const dn_credential_options *o, const char *endpoint)
{
    const dn_options *options = &o->shared;
    dn_text url = dn_credential_url(o, endpoint);
    json_t *credential = NULL;
    const int exit_code = dn_device_call(options, "GET", &url, NULL, &credential);
    dn_text_free(&url);
    if (credential != NULL && !options->json) {
        show_line(credential, "endpoint",
                  json_is_true(json_object_get(credential, "pattern")) ? "pattern" : "endpoint");
        show_line(credential, "mode", "mode");
        show_line(credential, "identity", "identity");
        show_line(credential, "identity_hex", "identity hex");
        if (json_object_get(credential, "key_bits") != NULL) {
            (void)printf("%-12s%" JSON_INTEGER_FORMAT " bits\n", "key",
                         json_integer_value(json_object_get(credential, "key_bits")));
        }
        show_line(credential, "public_key", "public key");
        show_line(credential, "public_key_sha256", "its SHA-256");
        show_line(credential, "name", "name");
        show_line(credential, "fingerprint", "fingerprint");
        show_line(credential, "created", "created");
        show_line(credential, "changed", "changed");
        show_staged(credential);
    }
    json_decref(credential);
    return exit_code;
}

static int drop(const dn_credential_options *o, const char *endpoint)
{
    const dn_options *options = &o->shared;
    dn_text url = dn_credential_url(o, endpoint);
    dn_answer answer = dn_rest("DELETE", url.data, NULL, 0, NULL);
    int exit_code = EXIT_CODE_OK;
    if (answer.status < 200 || answer.status > 299) {
        exit_code = dn_rest_trouble(options, &answer);
    } else if (!options->json) {
        (void)printf("removed %s\n", endpoint);
    }
    dn_answer_free(&answer);
    dn_text_free(&url);
    return exit_code;
}

/* ---- all ---- */

static void add_row(dn_table *table, const json_t *credential)
{
    static const char *const proofs[] = {"identity", "identity_hex", "public_key_sha256", "fingerprint",
                                         "name"};
    const char *proof = "";
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0] && proof[0] == '\0'; i++) {
        proof = dn_show_text(credential, proofs[i]);
    }
    dn_table_cell(table, dn_show_text(credential, "endpoint"));
    dn_table_cell(table, dn_show_text(credential, "mode"));
    dn_table_cell(table, proof);
    dn_table_cell(table, dn_show_text(credential, "changed"));
    dn_table_cell(table, dn_show_text(json_object_get(credential, "staged"), "since"));
}

static void print_all(const json_t *all)
{
    static const char *const titles[] = {"ENDPOINT", "MODE", "IDENTITY, KEY OR NAME", "CHANGED",
                                         "STAGED SINCE"};
    dn_table table;
    size_t i = 0;
    const json_t *credential = NULL;
    dn_table_start(&table, sizeof titles / sizeof titles[0], titles);
    json_array_foreach(all, i, credential)
    {
        add_row(&table, credential);
    }
    dn_table_print(&table, stdout, 0);
}

static int list(const dn_credential_options *o)
{
    dn_list all = {.path = o->bootstrap ? "/bootstrap/credentials" : "/credentials",
                   .member = "credentials",
                   .parameter = "search",
                   .text = o->filter};
    return dn_list_print(&all, &o->shared, dn_credential_command(o), o->limit, print_all);
}

/* ---- the server ---- */

static bool save_server(const char *command, const json_t *identity, const char *dir)
{
    dn_text key = dn_credential_server_key(identity);
    bool ok = true;
    if (key.len > 0) {
        dn_text path = dn_secret_path(dir, "server", ".pub");
        ok = dn_secret_write(command, path.data, key.data, key.len);
        dn_text_free(&path);
    }
    const char *certificate = json_string_value(json_array_get(json_object_get(identity, "certificates"), 0));
    if (ok && certificate != NULL) {
        dn_text path = dn_secret_path(dir, "server", ".pem");
        ok = dn_secret_write(command, path.data, certificate, strlen(certificate));
        dn_text_free(&path);
    }
    dn_text_free(&key);
    return ok;
}

static void print_strings(const char *label, const json_t *array)
{
    size_t i = 0;
    const json_t *text = NULL;
    json_array_foreach(array, i, text)
    {
        (void)printf("%-13s%s\n", i == 0 ? label : "",
                     json_string_value(text) != NULL ? json_string_value(text) : "");
    }
}

static void print_server(const json_t *identity)
{
    const char *scheme = NULL;
    json_t *uris = NULL;
    const char *key = json_string_value(json_object_get(identity, "public_key"));
    json_object_foreach(json_object_get(identity, "addresses"), scheme, uris)
    {
        print_strings(scheme, uris);
    }
    (void)printf("%-13s%s\n", "public key", key != NULL ? key : "none");
    print_strings("fingerprint", json_object_get(identity, "fingerprints"));
    (void)printf("%-13s%s\n%-13s%s\n", "psk", json_is_true(json_object_get(identity, "psk")) ? "yes" : "no",
                 "no security", dn_show_text(identity, "nosec"));
    size_t i = 0;
    const json_t *certificate = NULL;
    json_array_foreach(json_object_get(identity, "certificates"), i, certificate)
    {
        (void)fputs(json_string_value(certificate) != NULL ? json_string_value(certificate) : "", stdout);
    }
}

static int server(const dn_credential_options *o)
{
    int exit_code = EXIT_CODE_OK;
    json_t *identity = dn_server_identity(o, false, &exit_code);
    if (identity != NULL && o->out != NULL && !save_server(dn_credential_command(o), identity, o->out)) {
        exit_code = EXIT_CODE_USAGE;
    } else if (identity != NULL && o->shared.json) {
        (void)json_dumpf(identity, stdout, JSON_INDENT(2));
        (void)puts("");
    } else if (identity != NULL) {
        print_server(identity);
    }
    json_decref(identity);
    return exit_code;
}

static int new_seal_key(const dn_credential_options *o, const char *file)
{
    char error[400];
    uint64_t id = 0;
    if (o->token != NULL && strncmp(o->token, "pkcs11:", 7) != 0) {
        (void)fprintf(stderr, "dunlin credentials: --token takes the URL of a key in a token, pkcs11:...\n");
        return EXIT_CODE_USAGE;
    }
    if (dn_seal_file_add(file, o->token, &id, error, sizeof error) != DUNLIN_OK) {
        (void)fprintf(stderr, "dunlin credentials: %s\n", error);
        return EXIT_CODE_REFUSED;
    }
    if (o->shared.json) {
        (void)printf("{\"file\": \"%s\", \"key\": \"%016" PRIx64 "\"}\n", file, id);
    } else {
        (void)printf(
            "%s has the new key %016" PRIx64 ".\n"
            "dunlind takes it on SIGHUP (systemctl reload dunlind), or within seconds by itself, and seals\n"
            "everything anew with it. Keep a copy of the file; older keys may be removed from it later.\n",
            file, id);
    }
    return EXIT_CODE_OK;
}

/* ---- the command line ---- */

int dn_credentials_run(const dn_credential_options *o)
{
    const dn_options *shared = &o->shared;
    const char *verb = shared->count > 0 ? shared->arguments[0] : "list";
    const char *argument = shared->count > 1 ? shared->arguments[1] : NULL;
    if (argument == NULL && strcmp(verb, "list") == 0) {
        return list(o);
    }
    if (argument == NULL && strcmp(verb, "server") == 0) {
        return server(o);
    }
    if (argument != NULL && argument[0] != '\0') {
        if (strcmp(verb, "show") == 0) {
            return show(o, argument);
        }
        if (strcmp(verb, "set") == 0) {
            return dn_credentials_set(o, argument);
        }
        if (strcmp(verb, "delete") == 0) {
            return drop(o, argument);
        }
        if (strcmp(verb, "import") == 0) {
            return dn_credentials_import(o, argument);
        }
        if (strcmp(verb, "new-seal-key") == 0 && !o->bootstrap) {
            return new_seal_key(o, argument);
        }
    }
    (void)fprintf(stderr, "usage: %s\nTry 'dunlin %s --help'.\n", o->bootstrap ? USAGE_BOOTSTRAP : USAGE,
                  o->bootstrap ? "bootstrap" : "credentials");
    return EXIT_CODE_USAGE;
}

int dn_cmd_credentials(int argc, char **argv)
{
    dn_credential_options o = {.psk = false};
    const dn_option own[] = {DN_CREDENTIAL_OPTIONS(o), {"--token", &o.token, NULL}, {NULL, NULL, NULL}};
    if (!dn_options_read(argc, argv, own, 0, 2, USAGE, &o.shared)) {
        return EXIT_CODE_USAGE;
    }
    return dn_credentials_run(&o);
}
