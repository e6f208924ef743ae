/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment, one account after the other: its authorities, then its certificate. See est.h. */
#include "client/est.h"

#include "client/account.h"
#include "client/image.h"
#include "client/security.h"
#include <string.h>

#define FORMAT_CERTS       281u /* application/pkcs7-mime; smime-type=certs-only */
#define FORMAT_REQUEST     286u /* application/pkcs10 */
#define FORMAT_CERTIFICATE 287u /* application/pkix-cert */
#define MAX_AGE_DEFAULT_S  60u  /* RFC 7252 section 5.10.5 */
#define MAX_AGE_MOST_S     86400u
#define PATIENCE           16u /* how often one request is put off (RFC 9148 section 4.7) */
#define NO_EXCHANGE_MS     1000u
#define MS_PER_S           1000u
#define RENEW_BEFORE_S     (INT64_C(30) * 86400)
#define RENEW_TRIES        10
#define RENEW_LEAST_S      60
#define RENEW_AGAIN_S      3600 /* at least, after one that was due the moment it came */
#define NAME_OF_TOKEN      "pkcs11:"

typedef enum {
    STEP_NONE,
    STEP_AUTHORITIES, /* GET /crts */
    STEP_CERTIFICATE, /* POST /sen or /sren */
    STEP_TAKE         /* it was issued: to be kept */
} est_step;

struct dn_est_job {
    dn_est_state state; /* NOTHING, BUSY; DONE and FAILED until they were told */
    dunlin_status why;
    est_step step;
    dn_peer peer;
    dn_security_instance *instance; /* it is about this account */
    dn_security_instance *pending;  /* `request` is one of this, and was put off */
    bool renews;                    /* by /sren, with the key that is there */
    bool is_due;                    /* `step` is to be begun at due_ms */
    uint32_t put_off;               /* how often */
    uint64_t exchange;              /* 0: none */
    uint64_t due_ms;
    uint32_t considered; /* which of `securities` have had their turn, a set */
    int64_t from_s, until_s;
    dunlin_buf request, key, certificate;
};

_Static_assert(DUNLIN_SERVERS_MAX < 32, "a set of them fits 32 bits");

/* ---- memory ---- */

/* It is the bootstrap server that is asked. */
static bool enrols(const dunlin_client_config *config)
{
    return config->bootstrap && config->enroll.request != NULL && config->enroll.take != NULL &&
           config->credential_max > 0;
}

static size_t buffer_size(const dunlin_client_config *config)
{
    return dn_client_round(DN_EST_REQUEST_MAX) + 2 * dn_client_round(config->credential_max) +
           dn_client_round((size_t)dn_client_securities_max(config) * DN_EST_AUTHORITIES_MAX);
}

size_t dn_client_est_size(const dunlin_client_config *config)
{
    return enrols(config) ? dn_client_round(sizeof(dn_est_job)) + buffer_size(config) : 0;
}

bool dn_client_est_create(dunlin_client *client)
{
    const size_t max = client->config.credential_max;
    if (!enrols(&client->config)) {
        return true;
    }
    dn_est_job *job = dn_client_take(client, sizeof *job);
    void *request = dn_client_take(client, DN_EST_REQUEST_MAX);
    void *key = dn_client_take(client, max);
    void *certificate = dn_client_take(client, max);
    client->authorities =
        dn_client_take(client, (size_t)dn_client_securities_max(&client->config) * DN_EST_AUTHORITIES_MAX);
    if (job == NULL || request == NULL || key == NULL || certificate == NULL || client->authorities == NULL) {
        return false;
    }
    job->request = dunlin_buf_make(request, DN_EST_REQUEST_MAX);
    job->key = dunlin_buf_make(key, max);
    job->certificate = dunlin_buf_make(certificate, max);
    client->est = job;
    return true;
}

/* ---- what there is to do ---- */

static int64_t wall_s(const dunlin_client *client)
{
    const dunlin_client_callbacks *call = &client->config.call;
    return call->unix_s == NULL ? -1 : call->unix_s(call->context);
}

static bool is_concerned(const dn_account *account)
{
    return account->security != NULL && account->security->security.mode == DUNLIN_EST;
}

/* Without a clock a certificate is as good as it was when it came. */
static bool holds(const dunlin_client *client, const dn_security_instance *instance)
{
    const int64_t now_s = wall_s(client);
    return instance->enrolled && (now_s < 0 || now_s < instance->until_s);
}

bool dn_client_est_holds(const dunlin_client *client, const dn_security_instance *instance)
{
    return instance->enrolled && instance->security.len[DN_CREDENTIAL_IDENTITY] > 0 &&
           instance->security.len[DN_CREDENTIAL_SECRET] > 0 && holds(client, instance);
}

bool dn_client_est_needed(dunlin_client *client)
{
    if (client->est == NULL) {
        return false;
    }
    for (dn_account *a = NULL; (a = dn_client_account_next(client, a)) != NULL;) {
        if (is_concerned(a) && !dn_client_est_holds(client, a->security)) {
            return true;
        }
    }
    return false;
}

/* At nine tenths of its time, or thirty days before the end, whichever is later; after a failure so as to have ten tries. */
static int64_t renewal_of(const dn_security_instance *instance)
{
    const int64_t whole_s = instance->until_s - instance->from_s;
    const int64_t late_s = instance->until_s - RENEW_BEFORE_S;
    const int64_t tenths_s = instance->from_s + whole_s / 10 * 9;
    const int64_t at_s = late_s > tenths_s ? late_s : tenths_s;
    return instance->renew_s > at_s ? instance->renew_s : at_s;
}

int64_t dn_client_est_renewal_s(dunlin_client *client)
{
    int64_t first_s = INT64_MAX;
    if (client->est == NULL || wall_s(client) < 0) {
        return first_s;
    }
    for (dn_account *a = NULL; (a = dn_client_account_next(client, a)) != NULL;) {
        if (is_concerned(a) && a->security->enrolled && renewal_of(a->security) < first_s) {
            first_s = renewal_of(a->security);
        }
    }
    return first_s;
}

/* The next try of the ten that are in what remains; and as often when nothing does. */
static void put_off_renewal(const dunlin_client *client, dn_security_instance *instance)
{
    const int64_t now_s = wall_s(client);
    if (instance->enrolled && now_s >= 0) {
        instance->renew_s = 0;
        const int64_t step_s = (instance->until_s - renewal_of(instance)) / RENEW_TRIES;
        instance->renew_s = now_s + (step_s > RENEW_LEAST_S ? step_s : RENEW_LEAST_S);
    }
}

void dn_client_est_put_off(dunlin_client *client)
{
    const int64_t now_s = wall_s(client);
    for (dn_account *a = NULL; (a = dn_client_account_next(client, a)) != NULL;) {
        if (is_concerned(a) && a->security->enrolled && renewal_of(a->security) <= now_s) {
            put_off_renewal(client, a->security);
        }
    }
}

/* The next account that has not had its turn and is without a certificate, or with one that is to be renewed. */
static bool choose(dunlin_client *client)
{
    dn_est_job *job = client->est;
    const int64_t now_s = wall_s(client);
    for (dn_account *a = NULL; (a = dn_client_account_next(client, a)) != NULL;) {
        const uint32_t bit = is_concerned(a) ? UINT32_C(1) << (a->security - client->securities) : 0;
        if (bit == 0 || (job->considered & bit) != 0) {
            continue;
        }
        const bool good = dn_client_est_holds(client, a->security);
        if (good && (now_s < 0 || now_s < renewal_of(a->security))) {
            continue;
        }
        job->considered |= bit;
        job->instance = a->security;
        job->renews = good;
        return true;
    }
    return false;
}

/* ---- the request ---- */

static void wipe(dunlin_buf *buf)
{
    memset(buf->data, 0, buf->cap);
    buf->len = 0;
}

static void forget_request(dn_est_job *job)
{
    job->pending = NULL;
    job->put_off = 0;
    job->request.len = 0;
    wipe(&job->key);
}

static dunlin_status ask_for(dunlin_client *client)
{
    dn_est_job *job = client->est;
    const dunlin_enroll *enroll = &client->config.enroll;
    job->request.len = 0;
    return enroll->request(enroll->context, client->config.endpoint, &job->key, &job->request);
}

/*
 * Signed by the key that is there: when it is renewed, or because the device has had one all along (section 5.2.4 prefers that). What is no key
 * is what a bootstrap server has put into a resource that must be there and is not used: a new one takes its place.
 */
static dunlin_status make_request(dunlin_client *client)
{
    dn_est_job *job = client->est;
    if (job->pending == job->instance) {
        return DUNLIN_OK; /* the same once more (RFC 9148 section 4.7) */
    }
    forget_request(job);
    const dunlin_slice own = dn_client_security_credential(client, job->instance, DN_CREDENTIAL_SECRET);
    if (dunlin_buf_append(&job->key, own) && own.len > 0) {
        const dunlin_status status = ask_for(client);
        if (status != DUNLIN_ERR_MALFORMED || job->renews) {
            return status;
        }
    }
    wipe(&job->key);
    return ask_for(client);
}

/* ---- answers ---- */

static void end(dn_est_job *job, dn_est_state state, dunlin_status why)
{
    job->state = state;
    job->why = why;
    job->step = STEP_NONE;
    job->is_due = false;
}

/* `pending` keeps the request for another start. */
static void fail(dunlin_client *client, dunlin_status why)
{
    dn_est_job *job = client->est;
    put_off_renewal(client, job->instance);
    if (job->pending == NULL) {
        forget_request(job);
    }
    end(job, DN_EST_FAILED, why);
}

static void go_to(dunlin_client *client, est_step step, uint64_t at_ms)
{
    dn_est_job *job = client->est;
    job->step = step;
    job->is_due = true;
    job->due_ms = at_ms;
}

static uint32_t max_age_s(const dn_coap_response *response)
{
    dn_coap_options walk = response->options;
    dunlin_slice value;
    uint32_t age_s = MAX_AGE_DEFAULT_S;
    if (dn_coap_option_find(&walk, DN_OPTION_MAX_AGE, &value) == DUNLIN_OK) {
        (void)dn_coap_option_uint(value, &age_s);
    }
    age_s = age_s == 0 ? 1 : age_s;
    return age_s < MAX_AGE_MOST_S ? age_s : MAX_AGE_MOST_S;
}

/* It is being worked on (RFC 9148 section 4.7): the same again, later. */
static void wait_for_it(dunlin_client *client, const dn_coap_response *response)
{
    dn_est_job *job = client->est;
    if (job->step == STEP_CERTIFICATE) {
        job->pending = job->instance;
    }
    if (++job->put_off > PATIENCE) {
        forget_request(job);
        fail(client, DUNLIN_ERR_TIMEOUT);
        return;
    }
    go_to(client, job->step, client->now_ms + (uint64_t)max_age_s(response) * MS_PER_S);
}

static bool has_format(const dn_coap_response *response, bool one_will_do)
{
    return response->content_format == FORMAT_CERTS || response->content_format == DN_COAP_NO_FORMAT ||
           (one_will_do && response->content_format == FORMAT_CERTIFICATE);
}

static uint16_t ssid_of(const dn_est_job *job)
{
    return (uint16_t)job->instance->ssid;
}

static void take_authorities(dunlin_client *client, const dn_coap_response *response)
{
    dn_est_job *job = client->est;
    const dunlin_enroll *enroll = &client->config.enroll;
    dunlin_status status = DUNLIN_OK;
    if (response->code != DN_COAP_CONTENT || !has_format(response, false)) {
        status = response->code >= DN_COAP_BAD_REQUEST ? DUNLIN_ERR_ACCESS : DUNLIN_ERR_MALFORMED;
    } else if (enroll->trust != NULL) {
        status = enroll->trust(enroll->context, ssid_of(job), response->payload);
    }
    if (status == DUNLIN_OK) {
        dn_client_est_keep_authorities(client, job->instance, response->payload);
        job->put_off = job->pending == job->instance ? job->put_off : 0;
        go_to(client, STEP_CERTIFICATE, client->now_ms);
    } else {
        fail(client, status);
    }
}

static void take_certificate(dunlin_client *client, const dn_coap_response *response)
{
    dn_est_job *job = client->est;
    const dunlin_enroll *enroll = &client->config.enroll;
    dunlin_status status = DUNLIN_ERR_MALFORMED;
    if (response->code >= DN_COAP_BAD_REQUEST) {
        status = DUNLIN_ERR_ACCESS;
    } else if (response->code == DN_COAP_CHANGED && has_format(response, true)) {
        job->certificate.len = 0;
        status = enroll->take(enroll->context, response->payload, client->config.endpoint,
                              dunlin_buf_view(&job->key), &job->certificate, &job->from_s, &job->until_s);
    }
    if (status == DUNLIN_OK) {
        go_to(client, STEP_TAKE, client->now_ms);
    } else {
        forget_request(job);
        fail(client, status);
    }
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dunlin_client *client = context;
    dn_est_job *job = client->est;
    if (exchange != job->exchange || status == DUNLIN_ERR_CANCELLED) {
        return;
    }
    job->exchange = 0;
    if (response == NULL) {
        client->counters.timeouts++;
        fail(client, status);
        return;
    }
    if (response->code >= DN_COAP_BAD_REQUEST) {
        dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA, "enrolment for server %u: code %u.%02u",
                  (unsigned)ssid_of(job), (unsigned)response->code >> 5, (unsigned)response->code & 31);
    }
    if (response->code == DN_COAP_UNAVAILABLE) {
        wait_for_it(client, response);
    } else if (job->step == STEP_AUTHORITIES) {
        take_authorities(client, response);
    } else {
        take_certificate(client, response);
    }
}

/* ---- steps ---- */

static void send(dunlin_client *client, uint8_t method, const char *function)
{
    dn_est_job *job = client->est;
    const dn_coap_option path[] = {{DN_OPTION_URI_PATH, dunlin_slice_of(".well-known")},
                                   {DN_OPTION_URI_PATH, dunlin_slice_of("est")},
                                   {DN_OPTION_URI_PATH, dunlin_slice_of(function)}};
    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, method);
    request.confirmable = true;
    request.options = path;
    request.option_count = sizeof path / sizeof path[0];
    request.accept = FORMAT_CERTS;
    if (method == DN_COAP_POST) {
        request.content_format = FORMAT_REQUEST;
        request.payload = dunlin_buf_view(&job->request);
    }
    const dunlin_status status = dn_coap_request(client->coap, &job->peer, &request, on_result, client,
                                                 client->now_ms, &job->exchange);
    if (status == DUNLIN_ERR_LIMIT && ++job->put_off <= PATIENCE) {
        go_to(client, job->step, client->now_ms + NO_EXCHANGE_MS);
    } else if (status != DUNLIN_OK) {
        fail(client, status);
    }
}

static void ask(dunlin_client *client)
{
    dn_est_job *job = client->est;
    const dunlin_status status = make_request(client);
    if (status == DUNLIN_OK) {
        send(client, DN_COAP_POST, job->renews ? "sren" : "sen");
    } else {
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "no request for a certificate can be made: %s",
                  dunlin_status_text(status));
        forget_request(job);
        fail(client, status);
    }
}

static void next(dunlin_client *client)
{
    if (choose(client)) {
        go_to(client, STEP_AUTHORITIES, client->now_ms);
    } else {
        end(client->est, DN_EST_DONE, DUNLIN_OK);
    }
}

/* By a clock that is ahead of the authority's, or with a time that is very short, it would be renewed without end. */
static void check_time(const dunlin_client *client, dn_security_instance *instance)
{
    const int64_t now_s = wall_s(client);
    if (now_s < 0 || renewal_of(instance) > now_s) {
        return;
    }
    put_off_renewal(client, instance);
    if (instance->renew_s < now_s + RENEW_AGAIN_S) {
        instance->renew_s = now_s + RENEW_AGAIN_S;
    }
    dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA,
              "the certificate for server %d is to be renewed already, by the clock of this device",
              (int)instance->ssid);
}

/* Kept with the account, in the place of what mode EST does not use; what was agreed on with former ones is void. */
static void keep(dunlin_client *client)
{
    dn_est_job *job = client->est;
    dn_security_instance *instance = job->instance;
    const uint16_t ssid = ssid_of(job);
    (void)dn_client_security_set_credential(client, instance, DN_CREDENTIAL_IDENTITY,
                                            dunlin_buf_view(&job->certificate));
    (void)dn_client_security_set_credential(client, instance, DN_CREDENTIAL_SECRET,
                                            dunlin_buf_view(&job->key));
    instance->enrolled = instance->anew = true;
    instance->from_s = job->from_s;
    instance->until_s = job->until_s;
    instance->renew_s = 0;
    check_time(client, instance);
    forget_request(job);
    dn_client_account(client, ssid)->identity = dn_client_security_identity(client, instance);
    dn_client_image_touch(client);
    if (dn_client_image_save(client) != DUNLIN_OK) { /* it is tried again; meanwhile it works */
        dn_log_at(&client->log, DN_LOG_ERROR, DN_CLIENT_AREA, "the certificate for server %u is not saved",
                  (unsigned)ssid);
    }
    client->counters.enrolments++;
    dn_log_at(&client->log, DN_LOG_INFO, DN_CLIENT_AREA, "a certificate was issued for server %u",
              (unsigned)ssid);
    const dunlin_client_event event = {
        .kind = DUNLIN_CLIENT_ENROLLED, .server = ssid, .location = "", .retry_ms = DN_NEVER};
    dn_client_tell(client, &event);
    next(client);
}

dunlin_status dn_client_est_start(dunlin_client *client, const dn_peer *peer)
{
    dn_est_job *job = client->est;
    if (job == NULL) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    dn_client_est_cancel(client);
    job->peer = *peer;
    job->considered = 0;
    job->state = DN_EST_BUSY;
    next(client);
    return DUNLIN_OK;
}

void dn_client_est_cancel(dunlin_client *client)
{
    dn_est_job *job = client->est;
    if (job == NULL) {
        return;
    }
    const uint64_t exchange = job->exchange;
    job->exchange = 0;
    if (exchange != 0) {
        (void)dn_coap_cancel(client->coap, exchange);
    }
    if (job->state == DN_EST_BUSY) {
        dn_client_est_put_off(client);
    }
    if (job->pending == NULL) {
        forget_request(job);
    }
    end(job, DN_EST_NOTHING, DUNLIN_OK);
}

/* The account may have been taken away, or have become another one meanwhile. */
static bool is_there(const dunlin_client *client)
{
    for (dn_account *a = NULL; (a = dn_client_account_next(client, a)) != NULL;) {
        if (is_concerned(a) && a->security == client->est->instance) {
            return true;
        }
    }
    return false;
}

dn_est_state dn_client_est_step(dunlin_client *client, dunlin_status *why)
{
    dn_est_job *job = client->est;
    if (job == NULL) {
        return DN_EST_NOTHING;
    }
    while (job->state == DN_EST_BUSY && job->is_due && job->due_ms <= client->now_ms) {
        const est_step step = job->step;
        job->is_due = false;
        if (!is_there(client)) {
            forget_request(job);
            next(client);
        } else if (step == STEP_AUTHORITIES) {
            send(client, DN_COAP_GET, "crts");
        } else if (step == STEP_CERTIFICATE) {
            ask(client);
        } else {
            keep(client);
        }
    }
    const dn_est_state state = job->state;
    if (state == DN_EST_DONE || state == DN_EST_FAILED) {
        job->state = DN_EST_NOTHING;
    }
    if (why != NULL) {
        *why = job->why;
    }
    return state;
}

uint64_t dn_client_est_deadline(const dunlin_client *client)
{
    const dn_est_job *job = client->est;
    if (job == NULL || job->state == DN_EST_NOTHING) {
        return DN_NEVER;
    }
    if (job->state != DN_EST_BUSY) {
        return 0;
    }
    return job->is_due ? job->due_ms : DN_NEVER;
}
