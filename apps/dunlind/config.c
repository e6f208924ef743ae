/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file; see config.h. */
#include "config.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX    16
#define FILE_BYTES_MAX 65536u

/* The file as libcyaml loads it: a NULL pointer is a key that does not stand there. */
typedef enum { CHANGE_CLOSES, CHANGE_KEEPS } credential_change;
typedef enum { ENROL_BY_CERTIFICATE, ENROL_BY_ANY } enrolling;
typedef enum { ONLY_BOOTSTRAP } only_choice;

#define NUMBER_POINTER(section, key, member, least, most) uint32_t *member;

typedef struct {
    char **listen;
    uint32_t listen_count;
    char **public;
    uint32_t public_count;
    COAP_NUMBERS(NUMBER_POINTER)
} coap_section;

typedef struct {
    char **listen;
    uint32_t listen_count;
} listen_section;

typedef struct {
    dn_nosec *nosec;
    char **certificate;
    uint32_t certificate_count;
    char **key;
    uint32_t key_count;
    char *client_cas;
    char *crls;
    char *ocsp;
    dn_tls_suites *suites;
    char *seal_key;
    credential_change *on_credential_change;
    SECURITY_NUMBERS(NUMBER_POINTER)
} security_section;

typedef struct {
    TCP_NUMBERS(NUMBER_POINTER)
} tcp_section;

typedef struct {
    char *listen;
    bool *open;
    char **names;
    uint32_t names_count;
    HTTP_NUMBERS(NUMBER_POINTER)
} http_section;

typedef struct {
    LIMIT_NUMBERS(NUMBER_POINTER)
} limits_section;

typedef struct {
    QUEUE_NUMBERS(NUMBER_POINTER)
} queue_section;

typedef struct {
    bool *serve;
    PACKAGE_NUMBERS(NUMBER_POINTER)
} packages_section;

typedef struct {
    store_type *type;
    dn_durability *durability;
    STORE_NUMBERS(NUMBER_POINTER)
} store_section;

typedef struct {
    dn_log_level *level;
    log_format *format;
} log_section;

typedef struct {
    char *coap;
    char *coaps;
    char *coap_tcp;
    char *coaps_tcp;
} public_section;

typedef struct {
    bool *enabled;
    char *authority;
    char *authority_key;
    enrolling *allow;
    char *forward;
    char *forward_ca;
    char *forward_certificate;
    char *forward_key;
    EST_NUMBERS(NUMBER_POINTER)
} est_section;

typedef struct {
    listen_section *coap;
    listen_section *coaps;
    listen_section *coap_tcp;
    listen_section *coaps_tcp;
    dn_nosec *nosec;
    char **certificate;
    uint32_t certificate_count;
    char **key;
    uint32_t key_count;
    char *client_cas;
    est_section *est;
    BOOTSTRAP_NUMBERS(NUMBER_POINTER)
} bootstrap_section;

typedef struct {
    char *data;
    char *console;
    char **models;
    uint32_t models_count;
    coap_section *coap;
    listen_section *coaps;
    listen_section *coap_tcp;
    listen_section *coaps_tcp;
    security_section *security;
    tcp_section *tcp;
    http_section *http;
    limits_section *limits;
    queue_section *queue;
    packages_section *packages;
    store_section *store;
    log_section *log;
    public_section *public;
    bootstrap_section *bootstrap;
    only_choice *only;
} file_content;

#define ABSENT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define NUMBER_FIELD(section, key, member, least, most) \
    CYAML_FIELD_UINT_PTR(key, ABSENT, section##_section, member),

static const cyaml_schema_value_t string_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

static const cyaml_strval_t store_types[] = {{"sqlite", STORE_SQLITE}, {"memory", STORE_MEMORY}};
static const cyaml_strval_t durabilities[] = {{"process", DN_DURABILITY_PROCESS},
                                              {"power", DN_DURABILITY_POWER}};
static const cyaml_strval_t levels[] = {
    {"debug", DN_LOG_DEBUG}, {"info", DN_LOG_INFO}, {"warn", DN_LOG_WARN}, {"error", DN_LOG_ERROR}};
static const cyaml_strval_t formats[] = {{"text", LOG_TEXT}, {"json", LOG_JSON}, {"journal", LOG_JOURNAL}};

static const cyaml_strval_t policies[] = {
    {"off", DN_NOSEC_OFF}, {"loopback", DN_NOSEC_LOOPBACK}, {"on", DN_NOSEC_ON}};
static const cyaml_strval_t suites[] = {{"mandated", DN_TLS_SUITES_MANDATED},
                                        {"ccm8", DN_TLS_SUITES_CCM8},
                                        {"cbc", DN_TLS_SUITES_CBC},
                                        {"more", DN_TLS_SUITES_MORE}};
static const cyaml_strval_t openings[] = {{"loopback", DN_NOSEC_LOOPBACK}, {"on", DN_NOSEC_ON}};
static const cyaml_strval_t enrollings[] = {{"certificate", ENROL_BY_CERTIFICATE}, {"any", ENROL_BY_ANY}};
static const cyaml_strval_t onlies[] = {{"bootstrap", ONLY_BOOTSTRAP}};
static const cyaml_strval_t changes[] = {{"close", CHANGE_CLOSES}, {"keep", CHANGE_KEEPS}};

static const cyaml_schema_field_t listen_fields[] = {
    CYAML_FIELD_SEQUENCE("listen", ABSENT, listen_section, listen, &string_entry, 0, ENTRIES_MAX),
    CYAML_FIELD_END};
static const cyaml_schema_field_t security_fields[] = {
    CYAML_FIELD_ENUM_PTR("nosec", ABSENT | CYAML_FLAG_STRICT, security_section, nosec, policies, 3),
    CYAML_FIELD_SEQUENCE("certificate", ABSENT, security_section, certificate, &string_entry, 0, ENTRIES_MAX),
    CYAML_FIELD_SEQUENCE("key", ABSENT, security_section, key, &string_entry, 0, ENTRIES_MAX),
    CYAML_FIELD_STRING_PTR("client-cas", ABSENT, security_section, client_cas, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("crls", ABSENT, security_section, crls, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("ocsp", ABSENT, security_section, ocsp, 1, CYAML_UNLIMITED),
    CYAML_FIELD_ENUM_PTR("suites", ABSENT | CYAML_FLAG_STRICT, security_section, suites, suites, 4),
    CYAML_FIELD_STRING_PTR("seal-key", ABSENT, security_section, seal_key, 1, CYAML_UNLIMITED),
    CYAML_FIELD_ENUM_PTR("on-credential-change", ABSENT | CYAML_FLAG_STRICT, security_section,
                         on_credential_change, changes, 2),
    SECURITY_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t tcp_fields[] = {TCP_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t coap_fields[] = {
    CYAML_FIELD_SEQUENCE("listen", ABSENT, coap_section, listen, &string_entry, 1, ENTRIES_MAX),
    CYAML_FIELD_SEQUENCE("public", ABSENT, coap_section, public, &string_entry, 0, ENTRIES_MAX),
    COAP_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t http_fields[] = {
    CYAML_FIELD_STRING_PTR("listen", ABSENT, http_section, listen, 1, CYAML_UNLIMITED),
    CYAML_FIELD_BOOL_PTR("open", ABSENT, http_section, open),
    CYAML_FIELD_SEQUENCE("names", ABSENT, http_section, names, &string_entry, 0, ENTRIES_MAX),
    HTTP_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t limits_fields[] = {LIMIT_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t queue_fields[] = {QUEUE_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t packages_fields[] = {
    CYAML_FIELD_BOOL_PTR("serve", ABSENT, packages_section, serve),
    PACKAGE_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t store_fields[] = {
    CYAML_FIELD_ENUM_PTR("type", ABSENT | CYAML_FLAG_STRICT, store_section, type, store_types, 2),
    CYAML_FIELD_ENUM_PTR("durability", ABSENT | CYAML_FLAG_STRICT, store_section, durability, durabilities,
                         2),
    STORE_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t log_fields[] = {
    CYAML_FIELD_ENUM_PTR("level", ABSENT | CYAML_FLAG_STRICT, log_section, level, levels, 4),
    CYAML_FIELD_ENUM_PTR("format", ABSENT | CYAML_FLAG_STRICT, log_section, format, formats, 3),
    CYAML_FIELD_END};
static const cyaml_schema_field_t public_fields[] = {
    CYAML_FIELD_STRING_PTR("coap", ABSENT, public_section, coap, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("coaps", ABSENT, public_section, coaps, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("coap-tcp", ABSENT, public_section, coap_tcp, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("coaps-tcp", ABSENT, public_section, coaps_tcp, 1, CYAML_UNLIMITED),
    CYAML_FIELD_END};
static const cyaml_schema_field_t est_fields[] = {
    CYAML_FIELD_BOOL_PTR("enabled", ABSENT, est_section, enabled),
    CYAML_FIELD_STRING_PTR("authority", ABSENT, est_section, authority, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("authority-key", ABSENT, est_section, authority_key, 1, CYAML_UNLIMITED),
    CYAML_FIELD_ENUM_PTR("allow", ABSENT | CYAML_FLAG_STRICT, est_section, allow, enrollings, 2),
    CYAML_FIELD_STRING_PTR("forward", ABSENT, est_section, forward, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("forward-ca", ABSENT, est_section, forward_ca, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("forward-certificate", ABSENT, est_section, forward_certificate, 1,
                           CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("forward-key", ABSENT, est_section, forward_key, 1, CYAML_UNLIMITED),
    EST_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t bootstrap_fields[] = {
    CYAML_FIELD_MAPPING_PTR("coap", ABSENT, bootstrap_section, coap, listen_fields),
    CYAML_FIELD_MAPPING_PTR("coaps", ABSENT, bootstrap_section, coaps, listen_fields),
    CYAML_FIELD_MAPPING_PTR("coap-tcp", ABSENT, bootstrap_section, coap_tcp, listen_fields),
    CYAML_FIELD_MAPPING_PTR("coaps-tcp", ABSENT, bootstrap_section, coaps_tcp, listen_fields),
    CYAML_FIELD_ENUM_PTR("nosec", ABSENT | CYAML_FLAG_STRICT, bootstrap_section, nosec, openings, 2),
    CYAML_FIELD_SEQUENCE("certificate", ABSENT, bootstrap_section, certificate, &string_entry, 0,
                         ENTRIES_MAX),
    CYAML_FIELD_SEQUENCE("key", ABSENT, bootstrap_section, key, &string_entry, 0, ENTRIES_MAX),
    CYAML_FIELD_STRING_PTR("client-cas", ABSENT, bootstrap_section, client_cas, 1, CYAML_UNLIMITED),
    CYAML_FIELD_MAPPING_PTR("est", ABSENT, bootstrap_section, est, est_fields),
    BOOTSTRAP_NUMBERS(NUMBER_FIELD) CYAML_FIELD_END};
static const cyaml_schema_field_t file_fields[] = {
    CYAML_FIELD_STRING_PTR("data", ABSENT, file_content, data, 1, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("console", ABSENT, file_content, console, 1, CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("models", ABSENT, file_content, models, &string_entry, 0, ENTRIES_MAX),
    CYAML_FIELD_MAPPING_PTR("coap", ABSENT, file_content, coap, coap_fields),
    CYAML_FIELD_MAPPING_PTR("coaps", ABSENT, file_content, coaps, listen_fields),
    CYAML_FIELD_MAPPING_PTR("coap-tcp", ABSENT, file_content, coap_tcp, listen_fields),
    CYAML_FIELD_MAPPING_PTR("coaps-tcp", ABSENT, file_content, coaps_tcp, listen_fields),
    CYAML_FIELD_MAPPING_PTR("security", ABSENT, file_content, security, security_fields),
    CYAML_FIELD_MAPPING_PTR("tcp", ABSENT, file_content, tcp, tcp_fields),
    CYAML_FIELD_MAPPING_PTR("http", ABSENT, file_content, http, http_fields),
    CYAML_FIELD_MAPPING_PTR("limits", ABSENT, file_content, limits, limits_fields),
    CYAML_FIELD_MAPPING_PTR("queue", ABSENT, file_content, queue, queue_fields),
    CYAML_FIELD_MAPPING_PTR("packages", ABSENT, file_content, packages, packages_fields),
    CYAML_FIELD_MAPPING_PTR("store", ABSENT, file_content, store, store_fields),
    CYAML_FIELD_MAPPING_PTR("log", ABSENT, file_content, log, log_fields),
    CYAML_FIELD_MAPPING_PTR("public", ABSENT, file_content, public, public_fields),
    CYAML_FIELD_MAPPING_PTR("bootstrap", ABSENT, file_content, bootstrap, bootstrap_fields),
    CYAML_FIELD_ENUM_PTR("only", ABSENT | CYAML_FLAG_STRICT, file_content, only, onlies, 1),
    CYAML_FIELD_END};
static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_content, file_fields)};

/* What libcyaml says of an error: a first line, then where it stood, innermost first. */
typedef struct {
    char text[200];
    char key[120];
    unsigned line;
} complaint;

/* "in mapping field 'coap' (line: 3, column: 5)": the first line number is the innermost. */
static void read_trace(complaint *said, const char *line)
{
    const char *at = strstr(line, "line: ");
    if (at != NULL && said->line == 0) {
        said->line = (unsigned)strtoul(at + 6, NULL, 10);
    }
    const char *name = strstr(line, "field");
    if (name == NULL) {
        return;
    }
    name += strlen("field");
    name += strspn(name, ": '");
    size_t len = strcspn(name, "' \t\n(");
    char outer[120];
    snprintf(outer, sizeof outer, "%.*s%s%.60s", (int)(len < 40 ? len : 40), name,
             said->key[0] != 0 ? "." : "", said->key);
    memcpy(said->key, outer, sizeof outer);
}

static void on_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    complaint *said = context;
    char line[300];
    if (level < CYAML_LOG_ERROR) {
        return;
    }
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = 0;
    const char *text = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
    if (strstr(line, "line: ") != NULL) {
        read_trace(said, line);
    } else if (said->text[0] == 0 && strncmp(text, "Backtrace", 9) != 0) {
        snprintf(said->text, sizeof said->text, "%.190s", text);
    }
}

/* The line of `key` in `section` (of "bootstrap.est" within "bootstrap"), for values that are well-formed but out of their range; 0: not found. */
static unsigned line_of(const char *path, const char *section, const char *key)
{
    char text[512];
    unsigned number = 0;
    bool inside = false;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    unsigned found = 0;
    while (found == 0 && fgets(text, sizeof text, file) != NULL) {
        number++;
        const char *word = text + strspn(text, " ");
        size_t len = strcspn(word, ":\n");
        if (word == text && *word != '#' && *word != '\n') {
            inside = strcspn(section, ".") == len && strncmp(word, section, len) == 0;
        } else if (inside && strlen(key) == len && strncmp(word, key, len) == 0) {
            found = number;
        }
    }
    fclose(file);
    return found;
}

typedef struct {
    const char *path;
    settings *set;
    char *error;
    size_t error_size;
} target;

static bool apply_number(const target *to, const number_setting *number, const uint32_t *value)
{
    if (value == NULL) {
        return true;
    }
    if (*value < number->least || *value > number->most) {
        snprintf(to->error, to->error_size, "%s:%u: %s.%s: must be from %u to %u", to->path,
                 line_of(to->path, number->section, number->key), number->section, number->key, number->least,
                 number->most);
        return false;
    }
    *settings_number(to->set, number) = *value;
    return true;
}

#define FROM_coap                                     from->coap
#define FROM_security                                 from->security
#define FROM_tcp                                      from->tcp
#define FROM_http                                     from->http
#define FROM_limits                                   from->limits
#define FROM_queue                                    from->queue
#define FROM_packages                                 from->packages
#define FROM_store                                    from->store
#define FROM_bootstrap                                from->bootstrap
#define FROM_est                                      est
#define ONE_NUMBER(section, key, member, least, most) FROM_##section != NULL ? FROM_##section->member : NULL,

static bool apply_numbers(const target *to, const file_content *from)
{
    const est_section *est = from->bootstrap != NULL ? from->bootstrap->est : NULL;
    const uint32_t *const values[] = {ALL_NUMBERS(ONE_NUMBER)};
    for (size_t i = 0; i < number_setting_count; i++) {
        if (!apply_number(to, &number_settings[i], values[i])) {
            return false;
        }
    }
    return true;
}

static bool apply_list(string_list *list, char *const *items, uint32_t count)
{
    if (items == NULL) {
        return true;
    }
    settings_clear(list);
    for (uint32_t i = 0; i < count; i++) {
        if (!settings_add(list, items[i])) {
            return false;
        }
    }
    return true;
}

static bool apply_listen(settings *set, dn_transport transport, char *const *items, uint32_t count)
{
    set->at[transport].is_named = set->at[transport].is_named || items != NULL;
    return apply_list(&set->at[transport].listen, items, count);
}

static bool apply_more_listens(settings *set, const file_content *from)
{
    const listen_section *const sections[] = {NULL, from->coaps, from->coap_tcp, from->coaps_tcp};
    for (size_t i = DN_TRANSPORT_DTLS; i < sizeof sections / sizeof sections[0]; i++) {
        if (sections[i] == NULL) {
            continue;
        }
        set->at[i].is_named =
            true; /* by an empty list, which libcyaml does not tell from none, there is no address */
        if (!apply_listen(set, (dn_transport)i, sections[i]->listen, sections[i]->listen_count)) {
            return false;
        }
    }
    return true;
}

static bool apply_security(settings *set, const security_section *from)
{
    set->nosec = from->nosec != NULL ? *from->nosec : set->nosec;
    set->suites = from->suites != NULL ? *from->suites : set->suites;
    if (from->on_credential_change != NULL) {
        set->keep_changed_sessions = *from->on_credential_change == CHANGE_KEEPS;
    }
    return apply_list(&set->certificates, from->certificate, from->certificate_count) &&
           apply_list(&set->keys, from->key, from->key_count) &&
           (from->client_cas == NULL || settings_string(&set->client_cas, from->client_cas)) &&
           (from->crls == NULL || settings_string(&set->crls, from->crls)) &&
           (from->ocsp == NULL || settings_string(&set->ocsp, from->ocsp)) &&
           (from->seal_key == NULL || settings_string(&set->seal_key, from->seal_key));
}

static bool text(char **place, const char *value)
{
    return value == NULL || settings_string(place, value);
}

static bool apply_est(est_settings *est, const est_section *from)
{
    est->enabled = from->enabled != NULL ? *from->enabled : est->enabled;
    est->takes_any = from->allow != NULL ? *from->allow == ENROL_BY_ANY : est->takes_any;
    return text(&est->authority, from->authority) && text(&est->authority_key, from->authority_key) &&
           text(&est->forward, from->forward) && text(&est->forward_ca, from->forward_ca) &&
           text(&est->forward_certificate, from->forward_certificate) &&
           text(&est->forward_key, from->forward_key);
}

static bool apply_bootstrap(settings *set, const bootstrap_section *from)
{
    const listen_section *const sections[] = {from->coap, from->coaps, from->coap_tcp, from->coaps_tcp};
    for (size_t i = 0; i < 4; i++) {
        if (sections[i] != NULL &&
            !apply_list(&set->bootstrap.listen[i], sections[i]->listen, sections[i]->listen_count)) {
            return false;
        }
    }
    set->bootstrap.nosec_on = from->nosec != NULL ? *from->nosec == DN_NOSEC_ON : set->bootstrap.nosec_on;
    return apply_list(&set->bootstrap.certificates, from->certificate, from->certificate_count) &&
           apply_list(&set->bootstrap.keys, from->key, from->key_count) &&
           text(&set->bootstrap.client_cas, from->client_cas) &&
           (from->est == NULL || apply_est(&set->est, from->est));
}

static bool apply_public(settings *set, const public_section *from)
{
    return text(&set->public[DN_TRANSPORT_UDP], from -> coap) &&
           text(&set->public[DN_TRANSPORT_DTLS], from -> coaps) &&
           text(&set->public[DN_TRANSPORT_TCP], from -> coap_tcp) &&
           text(&set->public[DN_TRANSPORT_TLS], from -> coaps_tcp);
}

static bool apply_texts(settings *set, const file_content *from)
{
    bool good = (from->data == NULL || settings_string(&set->data, from->data)) &&
                (from->console == NULL || settings_string(&set->console, from->console)) &&
                apply_list(&set->models, from->models, from->models_count);
    if (good && from->coap != NULL) {
        good = apply_listen(set, DN_TRANSPORT_UDP, from->coap->listen, from->coap->listen_count) &&
               apply_list(&set->coap_public, from->coap->public, from->coap->public_count);
    }
    good = good && apply_more_listens(set, from) &&
           (from->security == NULL || apply_security(set, from->security)) &&
           (from->public == NULL || apply_public(set, from->public)) &&
           (from->bootstrap == NULL || apply_bootstrap(set, from->bootstrap));
    set->only_bootstrap = set->only_bootstrap || from->only != NULL;
    if (good && from->http != NULL) {
        good = (from->http->listen == NULL || settings_string(&set->http_listen, from->http->listen)) &&
               apply_list(&set->http_names, from->http->names, from->http->names_count);
        set->http_open = from->http->open != NULL ? *from->http->open : set->http_open;
    }
    return good;
}

static void apply_choices(settings *set, const file_content *from)
{
    if (from->packages != NULL && from->packages->serve != NULL) {
        set->packages_serve = *from->packages->serve;
    }
    if (from->store != NULL) {
        set->store = from->store->type != NULL ? *from->store->type : set->store;
        set->durability = from->store->durability != NULL ? *from->store->durability : set->durability;
    }
    if (from->log != NULL) {
        set->log_level = from->log->level != NULL ? *from->log->level : set->log_level;
        set->format = from->log->format != NULL ? *from->log->format : set->format;
    }
}

static bool apply(const target *to, const file_content *from)
{
    if (!apply_texts(to->set, from)) {
        snprintf(to->error, to->error_size, "no memory");
        return false;
    }
    apply_choices(to->set, from);
    return apply_numbers(to, from);
}

static bool readable(const target *to)
{
    FILE *file = fopen(to->path, "re");
    if (file == NULL) {
        snprintf(to->error, to->error_size, "%s: %s", to->path, strerror(errno));
        return false;
    }
    fclose(file);
    return true;
}

bool config_load(const char *path, settings *set, char *error, size_t error_size)
{
    complaint said = {.line = 0};
    cyaml_config_t config = {.log_fn = on_log,
                             .log_ctx = &said,
                             .mem_fn = cyaml_mem,
                             .log_level = CYAML_LOG_ERROR,
                             .flags = CYAML_CFG_NO_ALIAS};
    target to = {.path = path, .set = set, .error = error, .error_size = error_size};
    file_content *content = NULL;
    if (!readable(&to)) {
        return false;
    }
    cyaml_err_t result = cyaml_load_file(path, &config, &file_schema, (cyaml_data_t **)&content, NULL);
    if (result != CYAML_OK) {
        snprintf(error, error_size, "%s:%u: %s%s%s", path, said.line, said.key, said.key[0] != 0 ? ": " : "",
                 said.text[0] != 0 ? said.text : cyaml_strerror(result));
        return false;
    }
    bool good = content == NULL || apply(&to, content);
    cyaml_free(&config, &file_schema, content, 0);
    return good;
}
