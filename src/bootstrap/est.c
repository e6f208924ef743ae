/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment at the server: what is asked, whether it may be, and the certificate. */
#include "bootstrap/est.h"

#include "bootstrap/est_pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AREA               "est"
#define FORMAT_CERTS       281u
#define FORMAT_REQUEST     286u
#define FORMAT_CERTIFICATE 287u
#define NO_FORMAT          65535u /* of CoAP's engine: the option is absent */
#define DAYS_DEFAULT       365u
#define DAYS_MAX           36500u
#define DAY_S              INT64_C(86400)
#define CLOCKS_DIFFER_S    300 /* a device whose clock is behind by less can use its certificate at once */
#define FULL_S             30u
#define LATER_S            60u
#define CERTIFICATE_MAX    2048u
#define HTTP_OK            200u

typedef enum { CRTS, SEN, SREN, UNKNOWN } est_function;

struct dn_est {
    dn_est_config config;
    uint8_t *authority, *authority_key; /* owned */
    dn_est_pending *pending;            /* NULL: issues by itself */
    bool (*has_own)(void *context, dunlin_slice endpoint);
    void *has_own_context;
    uint8_t crts[DN_ENROLL_SET_MAX]; /* of the authority here */
    size_t crts_len;
    uint8_t certificate[CERTIFICATE_MAX];
    uint8_t set[DN_ENROLL_SET_MAX]; /* what the last reply gave */
};

/* A request while it is dealt with. */
typedef struct {
    dn_est *est;
    est_function function;
    uint16_t accept;
    dunlin_slice payload;
    const dn_identity *identity;
    uint64_t now_ms;
    dn_enroll_asked asked;
    char name[DN_ENDPOINT_NAME_MAX + 1]; /* that the certificate will have */
    dn_est_reply *reply;
} job;

dn_est_config dn_est_config_default(void)
{
    return (dn_est_config){.days = DAYS_DEFAULT};
}

/* ---- making one ---- */

static bool copy(dunlin_slice from, uint8_t **out)
{
    *out = malloc(from.len + 1);
    if (*out != NULL && from.len > 0) {
        memcpy(*out, from.data, from.len);
    }
    return *out != NULL;
}

static dunlin_status set_up_authority(dn_est *est, char *error, size_t error_size)
{
    const char *why = dn_enroll_check_authority(est->config.authority, est->config.authority_key);
    if (why != NULL) {
        (void)snprintf(error, error_size, "%s", why);
        return DUNLIN_ERR_MALFORMED;
    }
    dunlin_buf set = dunlin_buf_make(est->crts, sizeof est->crts);
    const dunlin_status status = dn_enroll_pack(&est->config.authority, 1, &set);
    est->crts_len = set.len;
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the authority's certificate is too large");
    }
    return status;
}

dunlin_status dn_est_create(const dn_est_config *config, dn_est **out, char *error, size_t error_size)
{
    *out = NULL;
    if (config->random.fill == NULL || config->wall_ms == NULL || config->days == 0 ||
        config->days > DAYS_MAX || (config->forward != NULL) == (config->authority.len > 0)) {
        (void)snprintf(error, error_size,
                       "enrolment wants an authority or where to forward to, and 1 to %u days", DAYS_MAX);
        return DUNLIN_ERR_ARGUMENT;
    }
    dn_est *est = calloc(1, sizeof *est);
    dunlin_status status = DUNLIN_ERR_MEMORY;
    if (est != NULL && copy(config->authority, &est->authority) &&
        copy(config->authority_key, &est->authority_key)) {
        est->config = *config;
        est->config.authority.data = est->authority;
        est->config.authority_key.data = est->authority_key;
        est->pending = config->forward == NULL ? NULL : dn_est_pending_create();
        status = config->forward == NULL ? set_up_authority(est, error, error_size)
                 : est->pending == NULL  ? DUNLIN_ERR_MEMORY
                                         : DUNLIN_OK;
    }
    if (status == DUNLIN_ERR_MEMORY) {
        (void)snprintf(error, error_size, "no memory");
    }
    if (status != DUNLIN_OK) {
        dn_est_destroy(est);
        return status;
    }
    *out = est;
    return DUNLIN_OK;
}

void dn_est_destroy(dn_est *est)
{
    if (est == NULL) {
        return;
    }
    dn_est_pending_destroy(est->pending);
    if (est->authority_key != NULL) {
        explicit_bzero(est->authority_key, est->config.authority_key.len);
    }
    free(est->authority_key);
    free(est->authority);
    free(est);
}

void dn_est_guard(dn_est *est, bool (*has_own)(void *context, dunlin_slice endpoint), void *context)
{
    est->has_own = has_own;
    est->has_own_context = context;
}

/* ---- what is asked ---- */

static bool next_segment(dn_coap_options *walk, dunlin_slice *out)
{
    return dn_coap_option_find(walk, DN_OPTION_URI_PATH, out) == DUNLIN_OK;
}

static bool is(dunlin_slice segment, const char *text)
{
    return dunlin_slice_equal(segment, dunlin_slice_of(text));
}

/* Behind /.well-known/est or /est; `walk` goes on there. */
static bool below_root(dn_coap_options *walk)
{
    dunlin_slice segment;
    if (!next_segment(walk, &segment)) {
        return false;
    }
    if (is(segment, ".well-known") && !next_segment(walk, &segment)) {
        return false;
    }
    return is(segment, "est");
}

bool dn_est_is_for(dn_coap_options options)
{
    return below_root(&options);
}

/* Labels of other authorities (RFC 9148 section 4.1), and functions that LwM2M has no use for, are not there. */
static est_function function_of(dn_coap_options options)
{
    static const char *const names[] = {[CRTS] = "crts", [SEN] = "sen", [SREN] = "sren"};
    dunlin_slice name, more;
    if (!below_root(&options) || !next_segment(&options, &name) || next_segment(&options, &more)) {
        return UNKNOWN;
    }
    for (unsigned i = 0; i < UNKNOWN; i++) {
        if (is(name, names[i])) {
            return (est_function)i;
        }
    }
    return UNKNOWN;
}

static bool refuse(dn_est_reply *reply, uint8_t code, const char *why)
{
    reply->code = code;
    (void)snprintf(reply->why, sizeof reply->why, "%s", why);
    return false;
}

/* RFC 9148 section 3: who asks is known by a certificate, in every function. */
static bool is_entitled(const job *j)
{
    if (j->identity == NULL || j->identity->mode == DN_SECURITY_NOSEC) {
        return refuse(j->reply, DN_COAP_UNAUTHORIZED, "the device has not proved who it is");
    }
    if (j->identity->mode != DN_SECURITY_X509 && !j->est->config.takes_psk) {
        return refuse(j->reply, DN_COAP_FORBIDDEN,
                      "enrolment is for devices with a certificate, by est.allow");
    }
    return true;
}

static bool is_formed(const job *j, uint8_t method, uint16_t content_format)
{
    if (j->function == UNKNOWN) {
        return refuse(j->reply, DN_COAP_NOT_FOUND, "no such function");
    }
    if (method != (j->function == CRTS ? DN_COAP_GET : DN_COAP_POST)) {
        return refuse(j->reply, DN_COAP_METHOD_NOT_ALLOWED, "not by this method");
    }
    if (!is_entitled(j)) {
        return false;
    }
    if (j->accept != NO_FORMAT && j->accept != FORMAT_CERTS && j->accept != FORMAT_CERTIFICATE) {
        return refuse(j->reply, DN_COAP_NOT_ACCEPTABLE, "certificates are given as 281 or 287");
    }
    if (j->function != CRTS && content_format != FORMAT_REQUEST) {
        return refuse(j->reply, DN_COAP_UNSUPPORTED_FORMAT, "a request is PKCS#10 (286)");
    }
    if (j->function != CRTS && j->payload.len > DN_ENROLL_REQUEST_MAX) {
        return refuse(j->reply, DN_COAP_TOO_LARGE, "the request is too large");
    }
    return true;
}

static bool read_request(job *j)
{
    switch (dn_enroll_read(j->payload, &j->asked)) {
    case DUNLIN_OK:
        break;
    case DUNLIN_ERR_REJECTED:
        return refuse(j->reply, DN_COAP_BAD_REQUEST, "the request's signature does not hold");
    case DUNLIN_ERR_UNSUPPORTED:
        return refuse(j->reply, DN_COAP_BAD_REQUEST, "the key is none on secp256r1");
    case DUNLIN_ERR_MEMORY:
        return refuse(j->reply, DN_COAP_INTERNAL_ERROR, "no memory");
    default:
        return refuse(j->reply, DN_COAP_BAD_REQUEST, "this is no PKCS#10 request");
    }
    /* RFC 7030 section 3.5: it names the session that the request was made for. Sessions do not tell their tls-unique here, and what is
       not checked must not pass for checked. */
    return !j->asked.has_challenge || refuse(j->reply, DN_COAP_BAD_REQUEST,
                                             "the request has a challengePassword, which cannot be checked");
}

/* What a shared credential stands for: one name, and none that has a credential of its own. */
static bool may_share(const dn_est *est, dunlin_slice name)
{
    return !dn_endpoint_is_pattern(name) &&
           (est->has_own == NULL || !est->has_own(est->has_own_context, name));
}

/* The name is that of the device, whatever it asks for: it can only agree. */
static bool name_it(job *j)
{
    const dunlin_slice asked = dunlin_slice_of(j->asked.common_name);
    const dunlin_slice own = dn_identity_name(j->identity);
    if (asked.len == 0 && own.len == 0) {
        return refuse(j->reply, DN_COAP_BAD_REQUEST,
                      "the request has no name, and the device none of its own");
    }
    if (asked.len > 0 &&
        (!dn_identity_allows(j->identity, asked) || (own.len == 0 && !may_share(j->est, asked)))) {
        return refuse(j->reply, DN_COAP_BAD_REQUEST, "the request has another name than the device");
    }
    const dunlin_slice name = own.len > 0 ? own : asked;
    memcpy(j->name, name.data, name.len);
    j->name[name.len] = '\0';
    return true;
}

/* ---- answers ---- */

static void give(const job *j, dunlin_slice certificate)
{
    dn_est_reply *reply = j->reply;
    dunlin_buf set = dunlin_buf_make(j->est->set, sizeof j->est->set);
    if (j->accept == FORMAT_CERTIFICATE) {
        reply->format = FORMAT_CERTIFICATE;
        reply->payload = certificate;
    } else if (dn_enroll_pack(&certificate, 1, &set) == DUNLIN_OK) {
        reply->format = FORMAT_CERTS;
        reply->payload = dunlin_buf_view(&set);
    } else {
        (void)refuse(reply, DN_COAP_INTERNAL_ERROR, "the certificate cannot be packed");
        return;
    }
    reply->code = j->function == CRTS ? DN_COAP_CONTENT : DN_COAP_CHANGED;
}

static void tell_issue(const job *j, const uint8_t *serial, size_t serial_len, int64_t until_s)
{
    char *why = j->reply->why;
    const size_t size = sizeof j->reply->why;
    const time_t until = (time_t)until_s;
    struct tm day;
    size_t at = 0;
    if (serial != NULL) {
        at += (size_t)snprintf(why, size, "serial ");
        for (size_t i = 0; i < serial_len; i++) {
            at += (size_t)snprintf(why + at, size - at, "%02x", serial[i]);
        }
        at += (size_t)snprintf(why + at, size - at, ", ");
    }
    if (gmtime_r(&until, &day) != NULL) {
        (void)strftime(why + at, size - at, "until %Y-%m-%dT%H:%M:%SZ", &day);
    }
    j->reply->is_issue = true;
    dn_log_at(j->est->config.log, DN_LOG_INFO, AREA, "a certificate for %s is issued: %s", j->name, why);
}

/* Nothing leaves that the server of the device would not know. */
static bool make_known(const job *j, dunlin_slice certificate)
{
    const dn_est_config *config = &j->est->config;
    const dunlin_status status =
        config->issued == NULL
            ? DUNLIN_OK
            : config->issued(config->issued_context, dunlin_slice_of(j->name), certificate);
    if (status != DUNLIN_OK) {
        dn_log_at(config->log, DN_LOG_ERROR, AREA, "the certificate of %s cannot be made known: %s", j->name,
                  dunlin_status_text(status));
    }
    return status == DUNLIN_OK ||
           refuse(j->reply, DN_COAP_INTERNAL_ERROR, "the server cannot take note of the certificate");
}

static void issue(job *j)
{
    dn_est *est = j->est;
    const int64_t now_s = est->config.wall_ms(est->config.clock_context) / 1000;
    dn_enroll_terms terms = {.authority = est->config.authority,
                             .authority_key = est->config.authority_key,
                             .request = j->payload,
                             .common_name = j->name,
                             .from_s = now_s - CLOCKS_DIFFER_S,
                             .until_s = now_s + est->config.days * DAY_S};
    dunlin_buf out = dunlin_buf_make(est->certificate, sizeof est->certificate);
    int64_t from_s = 0, until_s = 0;
    est->config.random.fill(est->config.random.context, terms.serial, sizeof terms.serial);
    dunlin_status status = dn_enroll_issue(&terms, &out);
    const dunlin_slice certificate = dunlin_buf_view(&out);
    if (status == DUNLIN_OK) {
        dunlin_buf again = dunlin_buf_make(est->set, sizeof est->set);
        const dunlin_slice key = dunlin_slice_make(j->asked.public_key, j->asked.public_key_len);
        status = dn_enroll_find_public(certificate, key, j->name, &again, &from_s, &until_s);
    }
    if (status == DUNLIN_ERR_ARGUMENT) {
        (void)refuse(j->reply, DN_COAP_INTERNAL_ERROR,
                     "the name does not fit a certificate (64 bytes), or the authority's own has ended");
    } else if (status != DUNLIN_OK) {
        (void)refuse(j->reply, DN_COAP_INTERNAL_ERROR, "the authority cannot issue");
    } else if (make_known(j, certificate)) {
        terms.serial[0] = (uint8_t)((terms.serial[0] & 0x7fu) | 0x40u);
        give(j, certificate);
        tell_issue(j, terms.serial, sizeof terms.serial, until_s);
    }
}

/* ---- an authority elsewhere ---- */

static void put_off(const job *j, uint32_t max_age_s, const char *why)
{
    (void)refuse(j->reply, DN_COAP_UNAVAILABLE, why);
    j->reply->max_age_s = max_age_s;
}

static void hand_on(job *j, const dn_est_look *look)
{
    const dn_est_config *config = &j->est->config;
    const dunlin_status status =
        config->forward(config->context, look->number, j->function == CRTS, j->function == SREN, j->payload);
    if (status == DUNLIN_OK) {
        put_off(j, look->wait_s, "the authority is being asked");
    } else {
        dn_est_pending_forget(j->est->pending, look->number);
        put_off(j, FULL_S, "the authority cannot be asked now");
    }
}

static void give_forwarded_authorities(job *j, const dn_est_look *look)
{
    dn_est *est = j->est;
    dunlin_buf one = dunlin_buf_make(est->certificate, sizeof est->certificate);
    size_t count = 0;
    if (dn_enroll_count(look->payload, &count) != DUNLIN_OK || count == 0) {
        dn_est_pending_forget(est->pending, look->number);
        (void)refuse(j->reply, DN_COAP_INTERNAL_ERROR, "the authority has sent no certificates");
    } else if (j->accept != FORMAT_CERTIFICATE) {
        memcpy(est->set, look->payload.data, look->payload.len);
        j->reply->code = DN_COAP_CONTENT;
        j->reply->format = FORMAT_CERTS;
        j->reply->payload = dunlin_slice_make(est->set, look->payload.len);
    } else if (count == 1 && dn_enroll_unpack(look->payload, 0, &one) == DUNLIN_OK) {
        give(j, dunlin_buf_view(&one));
    } else {
        (void)refuse(j->reply, DN_COAP_NOT_ACCEPTABLE, "the authority has several certificates: ask for 281");
    }
}

/* What an authority issues must be for this key and this name: the device would take nothing else. */
static void give_forwarded(job *j, const dn_est_look *look)
{
    dn_est *est = j->est;
    dunlin_buf out = dunlin_buf_make(est->certificate, sizeof est->certificate);
    const dunlin_slice key = dunlin_slice_make(j->asked.public_key, j->asked.public_key_len);
    int64_t from_s = 0, until_s = 0;
    const dunlin_status status = dn_enroll_find_public(look->payload, key, j->name, &out, &from_s, &until_s);
    if (status != DUNLIN_OK) {
        dn_est_pending_forget(est->pending, look->number);
        (void)refuse(j->reply, DN_COAP_INTERNAL_ERROR,
                     status == DUNLIN_ERR_ACCESS      ? "the authority has issued for another name"
                     : status == DUNLIN_ERR_NOT_FOUND ? "the authority has issued for another key"
                                                      : "the authority has sent no certificate");
    } else if (make_known(j, dunlin_buf_view(&out))) {
        give(j, dunlin_buf_view(&out));
        tell_issue(j, NULL, 0, until_s);
    }
}

/* A refusal is passed on, and not kept; what may pass is put off. */
static void pass_on(job *j, const dn_est_look *look)
{
    char why[sizeof j->reply->why];
    dn_est_pending_forget(j->est->pending, look->number);
    if (look->http_status >= 400 && look->http_status < 500) {
        (void)snprintf(why, sizeof why, "the authority refuses: HTTP %u", look->http_status);
        (void)refuse(j->reply,
                     look->http_status == 401 || look->http_status == 403 ? DN_COAP_FORBIDDEN
                                                                          : DN_COAP_BAD_REQUEST,
                     why);
    } else {
        (void)snprintf(why, sizeof why, "the authority cannot be asked: HTTP %u", look->http_status);
        put_off(j, LATER_S, why);
    }
}

static void forward(job *j)
{
    dn_est_look look;
    const bool is_crts = j->function == CRTS;
    const dunlin_slice none = dunlin_slice_make(NULL, 0);
    const dn_est_wanted wanted = {.endpoint = is_crts ? none : dunlin_slice_of(j->name),
                                  .request = is_crts ? none : j->payload,
                                  .shared = is_crts || !j->identity->is_pattern ? 0 : j->identity->credential,
                                  .is_renewal = j->function == SREN};
    dn_est_pending_look(j->est->pending, &wanted, j->now_ms, &look);
    if (look.standing == DN_EST_NEW) {
        j->payload = is_crts ? none : j->payload;
        hand_on(j, &look);
    } else if (look.standing == DN_EST_WAITING) {
        put_off(j, look.wait_s,
                look.is_put_off ? "the authority has asked for time" : "the authority is being asked");
    } else if (look.standing == DN_EST_FULL) {
        put_off(j, FULL_S, "too many wait for the authority");
    } else if (look.standing == DN_EST_ENOUGH) {
        put_off(j, FULL_S, "others of this device, or of its shared credential, wait for the authority");
    } else if (look.http_status != HTTP_OK) {
        pass_on(j, &look);
    } else if (is_crts) {
        give_forwarded_authorities(j, &look);
    } else {
        give_forwarded(j, &look);
    }
}

void dn_est_answer(dn_est *est, uint64_t number, unsigned http_status, uint32_t retry_s, dunlin_slice payload)
{
    if (est->pending != NULL) {
        dn_est_pending_answer(est->pending, number, http_status, retry_s, payload);
    }
}

/* ---- requests ---- */

static void give_authorities(job *j)
{
    const dn_est *est = j->est;
    if (j->accept == FORMAT_CERTIFICATE) {
        give(j, est->config.authority);
    } else {
        j->reply->code = DN_COAP_CONTENT;
        j->reply->format = FORMAT_CERTS;
        j->reply->payload = dunlin_slice_make(est->crts, est->crts_len);
    }
}

void dn_est_handle(dn_est *est, const dn_est_request *request, const dn_identity *identity, uint64_t now_ms,
                   dn_est_reply *reply)
{
    job j = {.est = est,
             .function = function_of(request->options),
             .accept = request->accept,
             .payload = request->payload,
             .identity = identity,
             .now_ms = now_ms,
             .reply = reply};
    memset(reply, 0, sizeof *reply);
    if (!is_formed(&j, request->method, request->content_format) ||
        (j.function != CRTS && (!read_request(&j) || !name_it(&j)))) {
        return;
    }
    if (est->pending != NULL) {
        forward(&j);
    } else if (j.function == CRTS) {
        give_authorities(&j);
    } else {
        issue(&j);
    }
}
