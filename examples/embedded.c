/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server inside a program of one's own. Whose devices may come says a table of that program, not Dunlin: here a text file with a line for each.
 *
 *     embedded TABLE CERTIFICATE KEY DEVICE-CAS ADDRESS...
 *
 *     thermo-1 psk 000102030405060708090a0b0c0d0e0f      the identity is the name
 *     gate-1   x509                                      a certificate of DEVICE-CAS with that name
 *
 * Addresses are URIs, "coaps://127.0.0.1:5684". It observes /3303/0/5700 of whoever registers and prints what it hears. SIGHUP: the table, the
 * keys and the certificates are read anew.
 */
#include <dunlin/server.h>
#include <dunlin/store.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ROWS_MAX  64u
#define NAME_MAX_ 32
#define KEY_MAX   64u

struct row {
    char name[NAME_MAX_ + 1];
    bool is_psk;
    uint8_t key[KEY_MAX];
    size_t key_len;
};

/* The server's thread looks things up while this one changes them. A row's place is the number of its credential. */
struct table {
    pthread_mutex_t lock;
    struct row rows[ROWS_MAX];
    size_t count;
};

/* ---- the table, as the server asks for it ---- */

static const struct row *find(const struct table *table, dunlin_slice name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (dunlin_slice_equal(dunlin_slice_of(table->rows[i].name), name)) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static dunlin_status answer_with(const struct table *table, const struct row *row,
                                 dunlin_credential_answer *answer)
{
    return dunlin_credential_found(answer, (uint64_t)(row - table->rows), dunlin_slice_of(row->name),
                                   dunlin_slice_make(row->key, row->key_len));
}

static dunlin_status find_psk(void *context, dunlin_slice identity, dunlin_credential_answer *answer)
{
    struct table *table = context;
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    pthread_mutex_lock(&table->lock);
    const struct row *row = find(table, identity);
    if (row != NULL && row->is_psk) {
        status = answer_with(table, row, answer);
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

static dunlin_status find_certificate(void *context, const dunlin_certificate *certificate,
                                      dunlin_credential_answer *answer)
{
    struct table *table = context;
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < certificate->count && certificate->is_trusted && status != DUNLIN_OK; i++) {
        const struct row *row = find(table, certificate->names[i]);
        if (row != NULL && !row->is_psk) {
            status = answer_with(table, row, answer);
        }
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

static dunlin_known known(void *context, dunlin_slice endpoint)
{
    struct table *table = context;
    pthread_mutex_lock(&table->lock);
    const bool is_known = find(table, endpoint) != NULL;
    pthread_mutex_unlock(&table->lock);
    return is_known ? DUNLIN_KNOWN_OWN : DUNLIN_KNOWN_NOT;
}

/* ---- the table, as the program changes it ---- */

static bool read_row(const char *line, struct row *row)
{
    char kind[8] = "", digits[2 * KEY_MAX + 1] = "";
    unsigned byte;
    memset(row, 0, sizeof *row);
    const int fields = sscanf(line, "%32s %7s %128s", row->name, kind, digits);
    row->is_psk = strcmp(kind, "psk") == 0;
    while (row->key_len < KEY_MAX && sscanf(digits + 2 * row->key_len, "%2x", &byte) == 1) {
        row->key[row->key_len++] = (uint8_t)byte;
    }
    return row->is_psk ? fields == 3 && strlen(digits) == 2 * row->key_len
                       : fields == 2 && strcmp(kind, "x509") == 0;
}

static bool is_same(const struct row *a, const struct row *b)
{
    return strcmp(a->name, b->name) == 0 && a->is_psk == b->is_psk && a->key_len == b->key_len &&
           memcmp(a->key, b->key, a->key_len) == 0;
}

/* Reads the file, and tells the server of each row that is not what it was. */
static bool read_table(const char *path, struct table *table, dunlin_credentials *credentials)
{
    static struct row rows[ROWS_MAX], former[ROWS_MAX];
    char line[256];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    while (file != NULL && count < ROWS_MAX && fgets(line, sizeof line, file) != NULL) {
        if (!read_row(line, &rows[count])) {
            (void)fprintf(stderr, "%s: line %zu is no row\n", path, count + 1);
            (void)fclose(file);
            return false;
        }
        count++;
    }
    if (file == NULL) {
        perror(path);
        return false;
    }
    (void)fclose(file);
    pthread_mutex_lock(&table->lock);
    const size_t former_count = table->count;
    memcpy(former, table->rows, sizeof former);
    memcpy(table->rows, rows, sizeof rows);
    table->count = count;
    pthread_mutex_unlock(&table->lock);
    for (size_t i = 0; i < former_count; i++) {
        if (i >= count || !is_same(&former[i], &rows[i])) {
            dunlin_credentials_changed(credentials, i);
        }
    }
    return true;
}

/* ---- the server ---- */

static void on_log(void *context, dunlin_server_log_level level, const char *message)
{
    (void)context;
    if (level >= DUNLIN_SERVER_LOG_WARN) {
        (void)fprintf(stderr, "%s\n", message);
    }
}

static void on_observed(void *context, const dunlin_server_response *response)
{
    (void)context; /* the values come as events */
    if (response->status != DUNLIN_OK) {
        printf("not observed: %s\n", dunlin_status_text(response->status));
    }
}

static void on_event(dunlin_lwm2m_server *server, const dunlin_server_event *event)
{
    static const char *const proofs[] = {"psk", "rpk", "x509", "no security"};
    const int len = (int)event->endpoint.len;
    const char *name = (const char *)event->endpoint.data;
    if (event->kind == DUNLIN_SERVER_REGISTERED) {
        printf("%.*s registered from %s with %s\n", len, name, event->address, proofs[event->security]);
        (void)dunlin_server_observe(server, event->endpoint, dunlin_path_resource(3303, 0, 5700), 0, 0,
                                    on_observed, NULL);
    } else if (event->kind == DUNLIN_SERVER_NOTIFICATION) {
        printf("%.*s: %.*s\n", len, name, (int)event->payload.len, (const char *)event->payload.data);
    } else if (event->kind == DUNLIN_SERVER_DEREGISTERED || event->kind == DUNLIN_SERVER_EXPIRED) {
        printf("%.*s is gone\n", len, name);
    }
    (void)fflush(stdout);
}

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int number)
{
    stop_asked = stop_asked || number != SIGHUP;
    reload_asked = reload_asked || number == SIGHUP;
}

static void serve(dunlin_lwm2m_server *server, const char *path, struct table *table,
                  dunlin_credentials *credentials, const dunlin_server_security *security)
{
    char error[256];
    dunlin_server_event event;
    while (!stop_asked) {
        struct pollfd ready = {.fd = dunlin_server_event_fd(server), .events = POLLIN};
        (void)poll(&ready, 1, 200);
        while (dunlin_server_next_event(server, &event)) {
            on_event(server, &event);
        }
        if (reload_asked) {
            reload_asked = 0;
            if (!read_table(path, table, credentials)) {
                (void)fprintf(stderr, "the former table stays in use\n");
            }
            if (dunlin_server_reload(server, security, error, sizeof error) != DUNLIN_OK) {
                (void)fprintf(stderr, "the former keys stay in use: %s\n", error);
            }
            printf("read anew\n");
            (void)fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    static struct table table = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char error[256] = "no memory";
    dunlin_lwm2m_server *server = NULL;
    if (argc < 6) {
        (void)fprintf(stderr, "usage: embedded TABLE CERTIFICATE KEY DEVICE-CAS ADDRESS...\n");
        return 2;
    }
    (void)signal(SIGHUP, on_signal);
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    const dunlin_server_key key = {.certificate.file = argv[2], .key.file = argv[3]};
    const dunlin_credential_source source = {
        .find_psk = find_psk, .find_certificate = find_certificate, .known = known, .context = &table};
    dunlin_server_config config = dunlin_server_config_default();
    config.addresses = (const char *const *)argv + 5;
    config.address_count = (size_t)argc - 5;
    config.store = dunlin_store_memory();
    config.credentials = dunlin_credentials_of(&source);
    config.security = (dunlin_server_security){.keys = &key, .key_count = 1, .client_cas.file = argv[4]};
    config.log = on_log;
    if (config.store == NULL || config.credentials == NULL ||
        !read_table(argv[1], &table, config.credentials) ||
        dunlin_server_start(&config, &server, error, sizeof error) != DUNLIN_OK) {
        (void)fprintf(stderr, "embedded: it does not start: %s\n", error);
        return 1;
    }
    for (size_t i = 0; dunlin_server_address(server, i) != NULL; i++) {
        printf("listening on %s\n", dunlin_server_address(server, i));
    }
    (void)fflush(stdout);
    serve(server, argv[1], &table, config.credentials, &config.security);
    dunlin_server_stop(server, 1000);
    dunlin_credentials_close(config.credentials);
    return 0;
}
