/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices ask: Bootstrap-Request (Transport 1.1.1 section 6.4.2), and the way to enrolment, which est.h answers.
 *
 * What was decided where the text leaves room:
 * - `ep` may be missing when the handshake has proved a single name; then it is that one. Names with wildcards are refused: they would stand
 * for others.
 * - What a peer without (D)TLS is told does not depend on whether the endpoint is known here: it cannot find out names.
 * - Unknown and repeated parameters get 4.00, as those of a Register.
 * - The answer waits for the commit, so that a key which could not be kept is never promised.
 */
#include "bootstrap/est.h"
#include "bootstrap/inside.h"

#include "codec/utf8.h"

#include <stdio.h>
#include <string.h>

#define SEGMENTS_MAX       3u
#define LINK_FORMAT        40
#define RETRY_S            30u /* with 5.03 */
#define RUNS_OF_PEER_MAX   16u /* at a time: a gateway's devices */
#define TOLD_A_SECOND      20u /* refusals of peers without identity that become events; more are counted */
#define WARN_PAUSE_MS      1000u
#define MINTED_KEY_LEN     16u
#define MINTED_RANDOM      12u /* bytes behind "bs-" */
#define IDENTITY_PREFIX    "bs-"
#define INSECURE_DIAGNOSIS "this endpoint is not served without security here"

static const char discovery[] = "</bs>";
static const char discovery_with_est[] = "</bs>," DN_EST_LINKS;

typedef struct {
    dunlin_slice endpoint; /* empty: not told */
    uint16_t pct;          /* 0: not told */
} asking;

/* Why not: `why` for the operator; `told` for the device, NULL: the same. */
typedef struct {
    uint8_t code;
    const char *why, *told;
} refusal;

/* ---- refusing ---- */

static void address_of(const dn_bs *bs, const dn_peer *peer, char out[64])
{
    out[0] = '\0';
    if (bs->config.peer_text != NULL) {
        bs->config.peer_text(peer, out, 64);
    }
}

static void warn(dn_bs *bs, const char *what, const char *address, const refusal *refused)
{
    bs->unwarned++;
    if (bs->warned_ms != 0 && bs->now_ms - bs->warned_ms < WARN_PAUSE_MS) {
        return;
    }
    dn_log_at(bs->log, DN_LOG_WARN, DN_BS_AREA,
              "%s from %s refused with %u.%02u: %s (%llu since the last such line)", what, address,
              refused->code >> 5, refused->code & 31u, refused->why, (unsigned long long)bs->unwarned);
    bs->warned_ms = bs->now_ms != 0 ? bs->now_ms : 1;
    bs->unwarned = 0;
}

/* Who proves nothing must not drown what operators look at. */
static bool is_told(dn_bs *bs, const dn_identity *identity)
{
    if (bs->now_ms - bs->told_since_ms >= 1000) {
        bs->told_since_ms = bs->now_ms;
        bs->told = 0;
    }
    return identity != NULL || bs->told++ < TOLD_A_SECOND;
}

static void refuse(dn_bs *bs, const dn_coap_incoming *request, dunlin_slice endpoint, const refusal *refused,
                   dn_coap_reply *reply)
{
    const dn_identity *identity = dn_bs_identity_of(bs, &request->peer);
    const char *told = refused->told != NULL ? refused->told : refused->why;
    dn_bs_event event = {.kind = DN_BS_REFUSED,
                         .endpoint = endpoint,
                         .transport = (uint8_t)dn_peer_transport(&request->peer),
                         .security = identity != NULL ? identity->mode : DN_SECURITY_NOSEC,
                         .code = refused->code,
                         .why = refused->why};
    bs->counters.refused++;
    address_of(bs, &request->peer, event.address);
    warn(bs, "a Bootstrap-Request", event.address, refused);
    if (is_told(bs, identity)) {
        dn_bs_tell(bs, NULL, &event);
    }
    reply->code = refused->code;
    if (refused->code == DN_COAP_UNAVAILABLE) {
        bs->max_age[0] = RETRY_S;
        bs->reply_options[0] = (dn_coap_option){DN_OPTION_MAX_AGE, dunlin_slice_make(bs->max_age, 1)};
        reply->options = bs->reply_options;
        reply->option_count = 1;
    } else {
        reply->payload = dunlin_slice_of(told);
    }
}

/* ---- reading ---- */

static bool starts(dunlin_slice text, const char *with, dunlin_slice *rest)
{
    const size_t len = strlen(with);
    if (text.len < len || memcmp(text.data, with, len) != 0) {
        return false;
    }
    *rest = dunlin_slice_make(text.data + len, text.len - len);
    return true;
}

static bool is_name(dunlin_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < 0x20 || name.data[i] == 0x7f || name.data[i] == '*' || name.data[i] == '?') {
            return false;
        }
    }
    return name.len > 0 && name.len <= DN_ENDPOINT_NAME_MAX && dn_utf8_valid(name);
}

static uint16_t format_of(dunlin_slice text)
{
    static const uint16_t formats[] = {DN_FORMAT_SENML_JSON, DN_FORMAT_SENML_CBOR, DN_FORMAT_TLV};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char digits[8];
        (void)snprintf(digits, sizeof digits, "%u", formats[i]);
        if (dunlin_slice_equal(text, dunlin_slice_of(digits))) {
            return formats[i];
        }
    }
    return 0;
}

/* code 0: it can be served as far as its parameters go. */
static refusal read_query(dn_coap_options options, asking *out)
{
    dunlin_slice query;
    dunlin_slice value;
    bool has_ep = false;
    bool has_pct = false;
    bool knows_pct = true;
    *out = (asking){.pct = 0};
    while (dn_coap_option_find(&options, DN_OPTION_URI_QUERY, &query) == DUNLIN_OK) {
        if (starts(query, "ep=", &value) && !has_ep && is_name(value)) {
            has_ep = true;
            out->endpoint = value;
        } else if (starts(query, "pct=", &value) && !has_pct) {
            has_pct = true;
            out->pct = format_of(value);
            knows_pct = out->pct != 0;
        } else {
            return (refusal){DN_COAP_BAD_REQUEST, "a parameter is unknown, repeated or bad", NULL};
        }
    }
    if (!knows_pct) {
        return (refusal){DN_COAP_UNSUPPORTED_FORMAT, "its preferred format is none of 110, 112 and 11542",
                         NULL};
    }
    return (refusal){.code = 0};
}

/* ---- who asks ---- */

/* Who comes without security from another host is heard only if the operator opened the ports to all. */
static bool is_heard(const dn_bs *bs, const dn_peer *peer)
{
    return dn_transport_is_secure(dn_peer_transport(peer)) || bs->config.is_nosec_open ||
           (bs->config.is_loopback != NULL && bs->config.is_loopback(peer));
}

/* A credential that many share must not become whoever has one of its own. */
bool dn_bs_has_own(void *context, dunlin_slice endpoint)
{
    const dn_bs *bs = context;
    dn_credentials *credentials = bs->config.own_credentials;
    dn_credential found;
    return credentials != NULL && credentials->ops->get != NULL &&
           credentials->ops->get(credentials, endpoint, &found) != DUNLIN_ERR_NOT_FOUND; /* without its key */
}

/* Takes the name from the identity if none was told. */
static refusal identify(dn_bs *bs, const dn_peer *peer, dunlin_slice *endpoint)
{
    const dn_identity *identity = dn_bs_identity_of(bs, peer);
    if (identity == NULL && dn_transport_is_secure(dn_peer_transport(peer))) {
        bs->counters.identity_refused++;
        return (refusal){DN_COAP_BAD_REQUEST, "it has no session", NULL};
    }
    if (endpoint->len == 0 && identity != NULL) {
        *endpoint = dn_identity_name(identity);
    }
    if (endpoint->len == 0 || !is_name(*endpoint)) {
        return (refusal){DN_COAP_BAD_REQUEST, "ep is missing, and nothing else names the device", NULL};
    }
    if (identity != NULL && (!dn_identity_allows(identity, *endpoint) ||
                             (identity->is_pattern && dn_bs_has_own(bs, *endpoint)))) {
        bs->counters.identity_refused++;
        return (refusal){DN_COAP_BAD_REQUEST, "its credential does not stand for this endpoint", NULL};
    }
    return (refusal){.code = 0};
}

/* ---- which configuration ---- */

typedef struct {
    dn_bs *bs;
    dn_bs_cached *cached;
    char error[DN_BS_WHY_MAX];
} finding;

static void take_entry(void *context, const dn_bs_entry *entry)
{
    finding *f = context;
    f->cached = dn_bs_cache_take(&f->bs->cache, entry, &f->bs->config.types, f->error, sizeof f->error);
}

static refusal find(dn_bs *bs, dunlin_slice endpoint, dn_bs_cached **out)
{
    finding f = {.bs = bs};
    dn_bs_store *store = bs->config.store;
    dunlin_status status = store->ops->find(store, endpoint, take_entry, &f);
    *out = f.cached;
    if (status == DUNLIN_ERR_NOT_FOUND) {
        return (refusal){DN_COAP_BAD_REQUEST, "there is no bootstrap configuration for this endpoint", NULL};
    }
    if (status != DUNLIN_OK) {
        dn_log_at(bs->log, DN_LOG_ERROR, DN_BS_AREA, "a configuration cannot be had: %s: %s",
                  dunlin_status_text(status), status == DUNLIN_ERR_STORE ? store->ops->error(store) : "");
        return (refusal){DN_COAP_INTERNAL_ERROR, "the keeper of configurations failed", ""};
    }
    if (f.cached == NULL) {
        dn_log_at(bs->log, DN_LOG_ERROR, DN_BS_AREA, "the configuration for %.*s cannot be used: %s",
                  (int)endpoint.len, (const char *)endpoint.data, f.error);
        return (refusal){DN_COAP_INTERNAL_ERROR, "its configuration cannot be used", ""};
    }
    return (refusal){.code = 0};
}

/* Without (D)TLS: only if the operator said so for this endpoint, and nobody has a secret for it. */
static refusal admit_plain(dn_bs *bs, dunlin_slice endpoint, const dn_bs_cached *cached)
{
    dn_credentials *credentials = bs->config.own_credentials;
    refusal refused = {.code = DN_COAP_BAD_REQUEST, .told = INSECURE_DIAGNOSIS};
    if (credentials != NULL && credentials->ops->is_known(credentials, endpoint)) {
        refused.why = "this endpoint has a credential: it is not served without security";
    } else if (cached == NULL) {
        refused.why = "there is no bootstrap configuration for this endpoint, and no security";
    } else if (!cached->config->allows_insecure) {
        refused.why = "the endpoint's configuration does not allow it without security";
    } else {
        refused.code = 0;
    }
    bs->counters.insecure_refused += refused.code != 0;
    return refused;
}

/* What is wrong here is for the operator: who has proved nothing learns the same as of a name that is not known. */
static refusal hide(dn_bs *bs, const refusal *refused)
{
    bs->counters.insecure_refused++;
    return (refusal){DN_COAP_BAD_REQUEST, refused->why, INSECURE_DIAGNOSIS};
}

/* ---- keys ---- */

static void make_key(const dn_bs *bs, dn_bs_minted *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[MINTED_RANDOM];
    const dn_random *source = &bs->config.random;
    source->fill(source->context, random, sizeof random);
    memcpy(out->identity, IDENTITY_PREFIX, sizeof IDENTITY_PREFIX - 1);
    out->identity_len = sizeof IDENTITY_PREFIX - 1;
    for (size_t i = 0; i < sizeof random; i++) {
        out->identity[out->identity_len++] = (uint8_t)digits[random[i] >> 4];
        out->identity[out->identity_len++] = (uint8_t)digits[random[i] & 15];
    }
    source->fill(source->context, out->key, MINTED_KEY_LEN);
    out->key_len = MINTED_KEY_LEN;
}

/* One that was handed out before and not taken for sure is handed out again: the device may have it by now. */
static dunlin_status take_key(dn_bs *bs, dn_bs_run *run)
{
    dn_credentials *credentials = bs->config.credentials;
    dn_credential staged;
    dunlin_status status = credentials->ops->get_staged(credentials, run->view.endpoint, &staged);
    if (status == DUNLIN_OK && staged.mode == DN_SECURITY_PSK) {
        run->live->minted.identity_len = staged.identity_len;
        run->live->minted.key_len = staged.key_len;
        memcpy(run->live->minted.identity, staged.identity, staged.identity_len);
        memcpy(run->live->minted.key, staged.key, staged.key_len);
    } else if (status == DUNLIN_OK || status == DUNLIN_ERR_NOT_FOUND) {
        make_key(bs, &run->live->minted);
        run->live->must_stage = true;
        status = DUNLIN_OK;
    }
    dn_credential_wipe(&staged);
    return status;
}

static bool mints(const dn_bs_config *config)
{
    for (size_t i = 0; i < config->server_count; i++) {
        if (config->servers[i].security.is_minted) {
            return true;
        }
    }
    return false;
}

/* ---- a run ---- */

static void describe(dn_bs *bs, dn_bs_run *run, const dn_peer *peer)
{
    const dn_identity *identity = dn_bs_identity_of(bs, peer);
    address_of(bs, peer, run->view.address);
    run->view.transport = (uint8_t)dn_peer_transport(peer);
    run->view.security = identity != NULL ? identity->mode : DN_SECURITY_NOSEC;
    run->view.began_ms = bs->wall_ms;
    run->began_at_ms = bs->now_ms;
    run->owner = bs;
}

static bool enrols(const dn_bs_config *config)
{
    for (size_t i = 0; i < config->server_count; i++) {
        if (config->servers[i].security.mode == DN_SECURITY_EST) {
            return true;
        }
    }
    return false;
}

static bool has_too_many(const dn_bs *bs, const dn_peer *peer)
{
    unsigned count = 0;
    const dn_bs_run *run = dn_bs_runs_of_peer(&bs->runs, peer, NULL);
    while (run != NULL && count < RUNS_OF_PEER_MAX) {
        count++;
        run = dn_bs_runs_of_peer(&bs->runs, peer, run);
    }
    return count == RUNS_OF_PEER_MAX;
}

/* What this server must have to begin. Takes `cached` over. */
static refusal begin(dn_bs *bs, const dn_peer *peer, dunlin_slice endpoint, dn_bs_cached *cached,
                     dn_bs_run **out)
{
    const dn_credentials *keeper = bs->config.credentials;
    const char *lacks =
        dn_bs_plan_lacks(cached->config, &bs->config.own, dn_transport_is_stream(dn_peer_transport(peer)));
    const bool is_minted = mints(cached->config);
    if (lacks == NULL && is_minted &&
        (keeper == NULL || keeper->ops->stage == NULL || keeper->ops->promote == NULL ||
         keeper->ops->get_staged == NULL)) {
        lacks = "no key can be made for a device here: no LwM2M server would know it";
    }
    if (lacks == NULL && bs->config.est == NULL && enrols(cached->config)) {
        lacks = "the configuration is for enrolment, which is not enabled here (bootstrap.est)";
    }
    if (lacks != NULL) {
        dn_bs_cache_give(cached);
        return (refusal){DN_COAP_INTERNAL_ERROR, lacks, ""};
    }
    dn_bs_run *former = dn_bs_runs_of(&bs->runs, endpoint);
    if (former != NULL && !former->live->is_done) {
        bs->counters.restarted++;
        dn_bs_fail(bs, former, "restarted: the device has asked anew");
    }
    dn_bs_run *run =
        bs->is_draining || has_too_many(bs, peer) ? NULL : dn_bs_runs_add(&bs->runs, endpoint, peer);
    if (run == NULL) {
        bs->counters.limited++;
        dn_bs_cache_give(cached);
        return (refusal){DN_COAP_UNAVAILABLE,
                         bs->is_draining ? "the server is about to end" : "too many runs are under way", ""};
    }
    run->live->cached = cached;
    run->view.version = cached->version;
    describe(bs, run, peer);
    *out = run;
    run->view.is_minted = is_minted;
    if (is_minted && take_key(bs, run) != DUNLIN_OK) {
        run->live->is_answered = true; /* by the refusal */
        dn_bs_fail(bs, run, "the keeper of credentials failed");
        return (refusal){DN_COAP_INTERNAL_ERROR, "the keeper of credentials failed", ""};
    }
    return (refusal){.code = 0};
}

static refusal prepare(dn_bs *bs, const dn_peer *peer, dunlin_slice *endpoint, dn_bs_run **run)
{
    dn_bs_cached *cached = NULL;
    if (!is_heard(bs, peer)) {
        bs->counters.insecure_refused++;
        return (refusal){DN_COAP_BAD_REQUEST, "without security only devices on this host are served",
                         INSECURE_DIAGNOSIS};
    }
    refusal refused = identify(bs, peer, endpoint);
    if (refused.code != 0) {
        return refused;
    }
    refused = find(bs, *endpoint, &cached);
    if (!dn_transport_is_secure(dn_peer_transport(peer))) {
        refused =
            refused.code == DN_COAP_INTERNAL_ERROR ? hide(bs, &refused) : admit_plain(bs, *endpoint, cached);
    }
    if (refused.code != 0) {
        dn_bs_cache_give(cached);
        return refused;
    }
    return begin(bs, peer, *endpoint, cached, run);
}

static void start(dn_bs *bs, dn_bs_run *run, uint16_t pct)
{
    run->live->pct = pct;
    run->view.planned = dn_bs_plan_length(run->live->cached->config, pct == 0);
    dn_bs_runs_wait(&bs->runs, run);
}

static dn_coap_answered answer_request(dn_bs *bs, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    asking ask;
    dn_bs_run *run = NULL;
    bs->counters.requests++;
    refusal refused = read_query(request->options, &ask);
    if (refused.code == 0) {
        refused = prepare(bs, &request->peer, &ask.endpoint, &run);
    }
    if (refused.code != 0) {
        refuse(bs, request, ask.endpoint, &refused, reply);
        return DN_COAP_ANSWERED;
    }
    run->live->request = request->id;
    start(bs, run, ask.pct);
    return DN_COAP_LATER;
}

/* ---- the server speaks first ---- */

bool dn_bs_reaches(const dn_bs *bs, const dn_peer *peer, dunlin_slice endpoint)
{
    const dn_identity *identity = dn_bs_identity_of(bs, peer);
    if (bs->config.reaches != NULL && !bs->config.reaches(bs->config.context, peer)) {
        return false;
    }
    /* Another device may have got the address since. */
    return dn_transport_is_secure(dn_peer_transport(peer))
               ? identity != NULL && dn_identity_allows(identity, endpoint)
               : is_heard(bs, peer);
}

static dn_bs_start not_started(dunlin_status status, const char *why)
{
    return (dn_bs_start){.status = status, .why = why};
}

static dunlin_status status_of(const refusal *refused)
{
    switch (refused->code) {
    case DN_COAP_BAD_REQUEST:
        return DUNLIN_ERR_NOT_FOUND;
    case DN_COAP_UNAVAILABLE:
        return DUNLIN_ERR_LIMIT;
    default:
        return DUNLIN_ERR_STORE;
    }
}

dn_bs_start dn_bs_start_run(dn_bs *bs, const dn_peer *peer, dunlin_slice endpoint)
{
    dn_bs_run *run = NULL;
    dn_bs_cached *cached = NULL;
    if (bs->is_draining) {
        return not_started(DUNLIN_ERR_STATE, "the server is about to end");
    }
    if (endpoint.len == 0 || !dn_bs_reaches(bs, peer, endpoint)) {
        return not_started(DUNLIN_ERR_IO, "the device's session or connection has ended");
    }
    if (dn_bs_runs_of(&bs->runs, endpoint) != NULL) {
        return not_started(DUNLIN_ERR_DUPLICATE, "one is under way");
    }
    refusal refused = identify(bs, peer, &endpoint);
    if (refused.code != 0) {
        return not_started(DUNLIN_ERR_ACCESS, refused.why);
    }
    refused = find(bs, endpoint, &cached);
    if (refused.code != 0) {
        return not_started(status_of(&refused), refused.why);
    }
    if (!dn_transport_is_secure(dn_peer_transport(peer))) {
        refused = admit_plain(bs, endpoint, cached);
        if (refused.code != 0) {
            dn_bs_cache_give(cached);
            return not_started(DUNLIN_ERR_ACCESS, refused.why);
        }
    }
    refused = begin(bs, peer, endpoint, cached, &run);
    if (refused.code != 0) {
        return not_started(refused.code == DN_COAP_UNAVAILABLE ? DUNLIN_ERR_LIMIT : DUNLIN_ERR_UNSUPPORTED,
                           refused.why);
    }
    run->live->is_answered = true;
    run->view.is_own = true;
    start(bs, run, 0);
    return (dn_bs_start){.status = DUNLIN_OK, .why = "", .run = &run->view};
}

dn_bs_start dn_bs_rerun(dn_bs *bs, dunlin_slice endpoint)
{
    const dn_bs_run *run = bs->runs.newest;
    while (run != NULL && !dunlin_slice_equal(run->view.endpoint, endpoint)) {
        run = run->older;
    }
    if (run == NULL) {
        dn_bs_cached *cached = NULL;
        const refusal refused = find(bs, endpoint, &cached);
        dn_bs_cache_give(cached);
        return refused.code != 0 ? not_started(status_of(&refused), refused.why)
                                 : not_started(DUNLIN_ERR_IO, "it has not come here yet, as far as is known");
    }
    const dn_peer peer = run->peer;
    return dn_bs_start_run(bs, &peer, endpoint);
}

/* ---- other requests ---- */

static void answer_discovery(const dn_bs *bs, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    if (request->code != DN_COAP_GET) {
        reply->code = DN_COAP_METHOD_NOT_ALLOWED;
    } else if (request->accept != DN_COAP_NO_FORMAT && request->accept != LINK_FORMAT) {
        reply->code = DN_COAP_NOT_ACCEPTABLE;
    } else {
        reply->code = DN_COAP_CONTENT;
        reply->content_format = LINK_FORMAT;
        reply->payload = dunlin_slice_of(bs->config.est != NULL ? discovery_with_est : discovery);
    }
}

static void tell_enrolment(dn_bs *bs, const dn_coap_incoming *request, const dn_identity *identity,
                           const dn_est_reply *est)
{
    const bool is_issue = est->is_issue && est->code < DN_COAP_BAD_REQUEST;
    dn_bs_event event = {.kind = is_issue ? DN_BS_ENROLLED : DN_BS_NOT_ENROLLED,
                         .endpoint =
                             identity != NULL ? dn_identity_name(identity) : dunlin_slice_make(NULL, 0),
                         .transport = (uint8_t)dn_peer_transport(&request->peer),
                         .security = identity != NULL ? identity->mode : DN_SECURITY_NOSEC,
                         .code = est->code,
                         .why = est->why};
    if (!is_issue && (est->code < DN_COAP_BAD_REQUEST || est->code == DN_COAP_UNAVAILABLE)) {
        return; /* the authority's certificates, or a request that is still being asked about */
    }
    bs->counters.enrolled += is_issue;
    bs->counters.enrol_refused += !is_issue;
    address_of(bs, &request->peer, event.address);
    if (!is_issue) {
        warn(bs, "an enrolment", event.address, &(refusal){est->code, est->why, NULL});
    }
    if (is_told(bs, identity)) {
        dn_bs_tell(bs, NULL, &event);
    }
}

static void answer_enrolment(dn_bs *bs, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    const dn_identity *identity = dn_bs_identity_of(bs, &request->peer);
    dn_est_reply est;
    memset(&est, 0, sizeof est);
    const dn_est_request asked = {request->code, request->options, request->content_format, request->accept,
                                  request->payload};
    dn_est_handle(bs->config.est, &asked, identity, bs->now_ms, &est);
    reply->code = est.code;
    if (est.payload.len > 0) {
        reply->payload = est.payload;
        reply->content_format = est.format;
    }
    if (est.code == DN_COAP_UNAVAILABLE) {
        size_t len = 0;
        for (unsigned shift = 32; shift > 0; shift -= 8) {
            uint8_t byte = (uint8_t)(est.max_age_s >> (shift - 8));
            if (byte != 0 || len > 0) {
                bs->max_age[len++] = byte;
            }
        }
        bs->reply_options[0] = (dn_coap_option){DN_OPTION_MAX_AGE, dunlin_slice_make(bs->max_age, len)};
        reply->options = bs->reply_options;
        reply->option_count = 1;
    }
    tell_enrolment(bs, request, identity, &est);
}

dn_coap_answered dn_bs_request(dn_bs *bs, const dn_coap_incoming *request, dunlin_buf *body,
                               dn_coap_reply *reply)
{
    dn_coap_options options = request->options;
    dunlin_slice segment[SEGMENTS_MAX] = {{NULL, 0}};
    dunlin_slice next;
    size_t count = 0;
    (void)body;
    dn_coap_reply_init(reply, DN_COAP_NOT_FOUND);
    if (bs->config.est != NULL && dn_est_is_for(request->options)) {
        answer_enrolment(bs, request, reply);
        return DN_COAP_ANSWERED;
    }
    while (dn_coap_option_find(&options, DN_OPTION_URI_PATH, &next) == DUNLIN_OK) {
        if (count < SEGMENTS_MAX) {
            segment[count] = next;
        }
        count++;
    }
    if (count == 1 && dunlin_slice_equal(segment[0], dunlin_slice_of("bs"))) {
        if (request->code == DN_COAP_POST) {
            return answer_request(bs, request, reply);
        }
        reply->code = DN_COAP_METHOD_NOT_ALLOWED;
    } else if (!is_heard(bs, &request->peer)) {
        reply->code = DN_COAP_FORBIDDEN;
    } else if (count == 2 && dunlin_slice_equal(segment[0], dunlin_slice_of(".well-known")) &&
               dunlin_slice_equal(segment[1], dunlin_slice_of("core"))) {
        answer_discovery(bs, request, reply);
    }
    return DN_COAP_ANSWERED;
}
