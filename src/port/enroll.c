/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment on a POSIX system; see enroll.h. */
#include "port/enroll.h"

#include "port/clock.h"
#include "security/enroll.h"
#include "security/issue.h"

#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX     (DUNLIN_SERVERS_MAX + 1u)
#define PEM_MAX         (2u * DN_ENROLL_SET_MAX)
#define KNOWN_S         INT64_C(1577836800) /* 2020: a clock that says less was never set */
#define CLOCKS_DIFFER_S 300
#define MS_PER_S        1000

/* The authorities of a server. */
typedef struct {
    uint16_t server; /* 0: free */
    char *pem;
    size_t len;
} authorities;

struct dn_enrolling {
    int64_t (*wall_s)(void *context);
    void *context;
    authorities servers[SERVERS_MAX];
    char *roots; /* what refine gave last */
};

static int64_t system_s(void *context)
{
    (void)context;
    return dn_clock_wall_ms() / MS_PER_S;
}

dn_enrolling *dn_enrolling_create(int64_t (*wall_s)(void *context), void *context)
{
    dn_enrolling *e = calloc(1, sizeof *e);
    if (e != NULL) {
        e->wall_s = wall_s != NULL ? wall_s : system_s;
        e->context = context;
    }
    return e;
}

void dn_enrolling_destroy(dn_enrolling *enrolling)
{
    if (enrolling != NULL) {
        for (size_t i = 0; i < SERVERS_MAX; i++) {
            free(enrolling->servers[i].pem);
        }
        free(enrolling->roots);
        free(enrolling);
    }
}

/* ---- requests and certificates ---- */

static dunlin_status make_key(dunlin_buf *key)
{
    uint8_t bytes[DN_KEY_DER_MAX];
    size_t len = 0;
    dunlin_status status = dn_key_generate(bytes, &len);
    if (status == DUNLIN_OK && !dunlin_buf_append(key, dunlin_slice_make(bytes, len))) {
        status = DUNLIN_ERR_SPACE;
    }
    explicit_bzero(bytes, sizeof bytes);
    return status;
}

static dunlin_status on_request(void *context, const char *endpoint, dunlin_buf *key, dunlin_buf *request)
{
    (void)context;
    const dunlin_status status = key->len == 0 ? make_key(key) : DUNLIN_OK;
    return status == DUNLIN_OK ? dn_enroll_request(dunlin_buf_view(key), endpoint, request) : status;
}

static dunlin_status on_take(void *context, dunlin_slice issued, const char *endpoint, dunlin_slice key,
                             dunlin_buf *certificate, int64_t *from_s, int64_t *until_s)
{
    const dn_enrolling *e = context;
    const size_t before = certificate->len;
    dunlin_status status = dn_enroll_find(issued, key, endpoint, certificate, from_s, until_s);
    const int64_t now_s = e->wall_s(e->context);
    if (status == DUNLIN_OK && now_s >= KNOWN_S && (now_s + CLOCKS_DIFFER_S < *from_s || now_s >= *until_s)) {
        certificate->len = before;
        status = DUNLIN_ERR_ACCESS;
    }
    return status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_ERR_MALFORMED : status;
}

/* ---- authorities ---- */

static authorities *of_server(dn_enrolling *e, uint16_t server)
{
    authorities *unused = NULL;
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        if (e->servers[i].server == server) {
            return &e->servers[i];
        }
        unused = unused == NULL && e->servers[i].server == 0 ? &e->servers[i] : unused;
    }
    return unused;
}

static dunlin_status on_trust(void *context, uint16_t server, dunlin_slice set)
{
    dn_enrolling *e = context;
    authorities *a = of_server(e, server);
    char *pem = malloc(PEM_MAX);
    dunlin_buf out = dunlin_buf_make(pem, PEM_MAX);
    dunlin_status status = a == NULL ? DUNLIN_ERR_LIMIT : DUNLIN_OK;
    if (status == DUNLIN_OK) {
        status = pem == NULL ? DUNLIN_ERR_MEMORY : dn_enroll_authorities(set, &out);
    }
    if (status != DUNLIN_OK) {
        free(pem);
        return status;
    }
    free(a->pem);
    *a = (authorities){server, pem, out.len};
    return DUNLIN_OK;
}

dunlin_enroll dn_enrolling_callbacks(dn_enrolling *enrolling)
{
    return (dunlin_enroll){on_request, on_take, on_trust, enrolling};
}

void dn_enrolling_refine(dn_enrolling *enrolling, uint16_t server, dn_tls_client_config *config)
{
    const authorities *a = server == 0 ? NULL : of_server(enrolling, server);
    if (a == NULL || a->server != server || a->len == 0) {
        return;
    }
    char *roots = malloc(config->roots.len + a->len);
    if (roots == NULL) {
        return; /* who is judged by what is known without them is refused, if anything */
    }
    if (config->roots.len > 0) {
        memcpy(roots, config->roots.data, config->roots.len);
    }
    memcpy(roots + config->roots.len, a->pem, a->len);
    config->roots = dunlin_slice_make(roots, config->roots.len + a->len);
    free(enrolling->roots);
    enrolling->roots = roots;
}
