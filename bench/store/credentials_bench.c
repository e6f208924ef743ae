/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a look-up of a credential takes with very many of them: credentials_bench [COUNT [LOOK-UPS]]. The rows are written in one
 * transaction, behind the keeper's back, for a put waits for the disk each time; some puts are measured, too.
 */
#include "store/credential_rows.h"
#include "store/credentials.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COUNT_DEFAULT   1000000u
#define LOOKUPS_DEFAULT 200000u
#define PUTS            200u
#define STAGED          1000u
#define ROUNDS          10u

static double now_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int stop(const char *text)
{
    (void)fprintf(stderr, "credentials_bench: %s\n", text);
    return 1;
}

/* Of every three one has a pre-shared key, one a raw public key, one a certificate. */
static dn_credential make(uint32_t number)
{
    char name[32];
    dn_credential c = {.mode = (uint8_t)(number % 3), .number = number + 1, .generation = number + 1};
    c.endpoint_len = (uint8_t)snprintf(name, sizeof name, "urn:dev:ops:%08" PRIu32, number * 2654435761u);
    memcpy(c.endpoint, name, c.endpoint_len);
    if (c.mode == DN_SECURITY_PSK) {
        c.identity_len = c.endpoint_len;
        memcpy(c.identity, name, c.identity_len);
        c.key_len = 16;
        memset(c.key, (int)number, c.key_len);
    } else if (c.mode == DN_SECURITY_RPK) {
        c.public_key_len = 91;
        memset(c.public_key, (int)(number >> 8), 91);
        memcpy(c.public_key + 20, &number, sizeof number);
    } else {
        c.has_fingerprint = true;
        memcpy(c.fingerprint, &number, sizeof number);
    }
    return c;
}

static bool fill(const char *dir, uint32_t count)
{
    char path[300];
    char error[300];
    dn_credential_rows rows = {.seal = NULL};
    snprintf(path, sizeof path, "%s/" DN_SEAL_FILE, dir);
    if (dn_seal_open(path, path, true, &rows.seal, error, sizeof error) != DUNLIN_OK) {
        return false;
    }
    snprintf(path, sizeof path, "%s/" DN_CREDENTIALS_FILE, dir);
    bool ok = dn_credential_rows_open(&rows, path, 65536, 0) && dn_credential_rows_begin(&rows);
    for (uint32_t i = 0; ok && i < count; i++) {
        const dn_credential c = make(i);
        ok = dn_credential_rows_insert(&rows, &c, false);
    }
    char sql[80];
    snprintf(sql, sizeof sql, "UPDATE sequence SET next=%" PRIu32, count + 1);
    ok = ok && dn_database_execute(&rows.database, sql) && dn_credential_rows_commit(&rows);
    dn_credential_rows_close(&rows);
    dn_seal_free(rows.seal);
    return ok;
}

typedef dunlin_status lookup(dn_credentials *keeper, const dn_credential *c);

static dunlin_status by_proof(dn_credentials *keeper, const dn_credential *c)
{
    dn_credential found;
    const dn_certificate_claims claims = {.fingerprint = c->fingerprint};
    if (c->mode == DN_SECURITY_PSK) {
        return keeper->ops->find_psk(keeper, dunlin_slice_make(c->identity, c->identity_len), &found);
    }
    return c->mode == DN_SECURITY_RPK
               ? keeper->ops->find_key(keeper, dunlin_slice_make(c->public_key, c->public_key_len), &found)
               : keeper->ops->find_names(keeper, &claims, &found);
}

static dunlin_status known(dn_credentials *keeper, const dn_credential *c)
{
    return keeper->ops->is_known(keeper, dunlin_slice_make(c->endpoint, c->endpoint_len))
               ? DUNLIN_OK
               : DUNLIN_ERR_NOT_FOUND;
}

static dunlin_status current(dn_credentials *keeper, const dn_credential *c)
{
    return keeper->ops->is_current(keeper, c->number, c->generation) ? DUNLIN_OK : DUNLIN_ERR_NOT_FOUND;
}

static bool measure(dn_credentials *keeper, const char *what, lookup *look, uint32_t count, uint32_t lookups,
                    uint32_t mode)
{
    uint32_t at = 1;
    double spent = 0;
    double worked = 0;
    for (uint32_t i = 0; i < lookups; i++) {
        at = at * 1664525u + 1013904223u;
        uint32_t number = at % count;
        number = mode < 3 ? number - number % 3 + mode : number;
        const dn_credential c = make(number < count ? number : mode);
        const double from = now_s(CLOCK_MONOTONIC);
        const double cpu = now_s(CLOCK_THREAD_CPUTIME_ID);
        if (look(keeper, &c) != DUNLIN_OK) {
            return false;
        }
        worked += now_s(CLOCK_THREAD_CPUTIME_ID) - cpu;
        spent += now_s(CLOCK_MONOTONIC) - from;
    }
    printf("%-24s %6.2f us, of which processor %6.2f us\n", what, spent * 1e6 / lookups,
           worked * 1e6 / lookups);
    return true;
}

/* What a bootstrap of many devices at once asks for: new keys for all of them beside the former ones, then in their place. */
static bool stage(dn_credentials *keeper, uint32_t count)
{
    static dn_credential list[STAGED];
    static dunlin_slice names[STAGED];
    double staging = 0;
    double promoting = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < STAGED; i++) {
            list[i] = make((round * STAGED + i) * 3 % (count / 3 * 3));
            list[i].identity_len = (uint8_t)snprintf((char *)list[i].identity, sizeof list[i].identity,
                                                     "minted %" PRIu32 " %" PRIu32, round, i);
            names[i] = dunlin_slice_make(list[i].endpoint, list[i].endpoint_len);
        }
        const double from = now_s(CLOCK_MONOTONIC);
        if (keeper->ops->stage(keeper, list, STAGED) != DUNLIN_OK) {
            return false;
        }
        const double between = now_s(CLOCK_MONOTONIC);
        if (keeper->ops->promote(keeper, names, STAGED) != DUNLIN_OK) {
            return false;
        }
        staging += between - from;
        promoting += now_s(CLOCK_MONOTONIC) - between;
    }
    printf("%-24s %6.1f us each, of %u in a transaction\n", "stage", staging * 1e6 / (STAGED * ROUNDS),
           STAGED);
    printf("%-24s %6.1f us each\n", "promote", promoting * 1e6 / (STAGED * ROUNDS));
    if (keeper->ops->stage(keeper, list, 1) != DUNLIN_OK) {
        return false;
    }
    const double from = now_s(CLOCK_MONOTONIC);
    for (uint32_t i = 0; i < 1000000; i++) {
        keeper->ops->proved(keeper, i % count + 1);
    }
    printf("%-24s %6.3f us\n", "proved, not staged", now_s(CLOCK_MONOTONIC) - from);
    return true;
}

int main(int argc, char **argv)
{
    const uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
    const uint32_t lookups = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : LOOKUPS_DEFAULT;
    char dir[200];
    char command[256];
    const char *folder = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.150s/dunlin-credentials-bench.XXXXXX", folder != NULL ? folder : "/tmp");
    char error[300];
    dn_credentials *keeper = NULL;
    dn_credential_store_config config = dn_credential_store_config_default();
    if (count < 3 || lookups == 0 || mkdtemp(dir) == NULL || !fill(dir, count)) {
        return stop("the rows cannot be written");
    }
    config.dir = dir;
    double from = now_s(CLOCK_MONOTONIC);
    if (dn_credential_store_open(&config, &keeper, error, sizeof error) != DUNLIN_OK) {
        return stop(error);
    }
    const double opened_s = now_s(CLOCK_MONOTONIC) - from;
    struct stat about = {.st_size = 0};
    snprintf(command, sizeof command, "%s/" DN_CREDENTIALS_FILE, dir);
    (void)stat(command, &about);
    printf("%" PRIu64 " credentials of %.0f bytes, opened in %.0f ms\n", keeper->ops->count(keeper),
           (double)about.st_size / count, opened_s * 1e3);
    bool ok = measure(keeper, "find_psk", by_proof, count, lookups, DN_SECURITY_PSK) &&
              measure(keeper, "find_key", by_proof, count, lookups, DN_SECURITY_RPK) &&
              measure(keeper, "find_names, pinned", by_proof, count, lookups, DN_SECURITY_X509) &&
              measure(keeper, "is_known", known, count, lookups, 3) &&
              measure(keeper, "is_current", current, count, lookups, 3);
    from = now_s(CLOCK_MONOTONIC);
    for (uint32_t i = 0; ok && i < PUTS; i++) {
        const dn_credential c = make((count + i) * 3);
        ok = keeper->ops->put(keeper, &c, NULL) == DUNLIN_OK;
    }
    printf("%-24s %6.0f us\n", "put, on the disk", (now_s(CLOCK_MONOTONIC) - from) * 1e6 / PUTS);
    ok = ok && stage(keeper, count);
    keeper->ops->close(keeper);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return ok && system(command) == 0 ? 0 : stop("a look-up failed");
}
