/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registration interface: Register, Update and De-register below /rd (Core 1.1.1 section 6.2,
 * Transport 1.1.1 section 6.4.3).
 *
 * What was decided where the text leaves room:
 * - Clients of 1.0 and 1.1 are taken. One of 1.2 is taken if it can be served as one of 1.1: it listens on U or T,
 * and if it says which content formats it has, one of them is known here. Any other version gets 4.12.
 * - `lt` and `lwm2m` are needed, and `ep` unless a handshake has proved a single name. Unknown and repeated
 * parameters get 4.00, as the tables say; `pid` of 1.2 is read over. `lt=0` never ends, as 1.2 spells out.
 * - The object list is needed in Register, with Content-Format 40. One without Server or Device object is
 * taken all the same: nothing that the server does depends on it. Links that are no LwM2M paths are kept and
 * otherwise left alone.
 * - Who has proved an identity may register the endpoints that it stands for; for another `ep` it gets 4.00 (Transport 1.1.1 section 5.2.6).
 * - Who has not is held to the policy for NoSec: when it forbids, everything is answered 4.03, with a text that says so. Whatever
 * the policy, an endpoint that has a credential gets 4.03 without security.
 * - A registration belongs to the identity that it was made with, or that its last Update had: Update and De-register come from there, over
 * whatever address, session or transport (a device roams), and get 4.04 from elsewhere, which makes an honest client register anew and
 * leaves a guesser nothing. One that was made without security and has no credential belongs to the IP address it came from: another
 * port of it is taken, since NATs rebind; from another address comes 4.04. An Update with an identity binds it from then on.
 * - Send and notifications are attributed by address, port and session, and only if that session's identity may act for the registration: else a
 * Send gets 4.04 and a notification a Reset. A package is served to whoever may speak and knows its name of 128 bits; it is the
 * device's sign of life only if it comes from that device.
 * - Without security anyone may replace a registration by registering its endpoint name: there is no way to tell.
 * - This is no bootstrap server: /bs is as unknown as any other path.
 */
#include "server/send.h"
#include "server/shard_inside.h"

#define LINK_FORMAT     40
#define SEGMENTS_MAX    3 /* a longer path is none of ours */
#define DEFAULT_BINDING DN_BINDING_U

static const char discovery[] = "</rd>;ct=40,</dp>;ct=\"110 112\"";

typedef struct {
    dunlin_slice segment[SEGMENTS_MAX];
    size_t count;
} target;

static target read_target(dn_coap_options options)
{
    target path = {.count = 0};
    dunlin_slice segment;
    while (dn_coap_option_find(&options, DN_OPTION_URI_PATH, &segment) == DUNLIN_OK) {
        if (path.count < SEGMENTS_MAX) {
            path.segment[path.count] = segment;
        }
        path.count++;
    }
    return path;
}

static bool is_segment(const target *path, size_t index, const char *text)
{
    return path->count > index && dunlin_slice_equal(path->segment[index], dunlin_slice_of(text));
}

/* The code that a failed step is answered with. */
static uint8_t code_of(dunlin_status status)
{
    switch (status) {
    case DUNLIN_ERR_SPACE:
        return DN_COAP_TOO_LARGE;
    case DUNLIN_ERR_LIMIT:
        return DN_COAP_UNAVAILABLE;
    case DUNLIN_ERR_MEMORY:
        return DN_COAP_INTERNAL_ERROR;
    default:
        return DN_COAP_BAD_REQUEST;
    }
}

static bool is_lifetime_allowed(const dn_shard *shard, uint32_t lifetime_s)
{
    uint32_t most_s = shard->config.fleet.max_lifetime_s;
    return most_s == 0 || (lifetime_s != 0 && lifetime_s <= most_s);
}

static bool is_version_served(const dn_parameters *terms)
{
    return terms->version_major == 1 &&
           (terms->version_minor <= 1 ||
            (terms->version_minor == 2 && (terms->binding & (DN_BINDING_U | DN_BINDING_T)) != 0));
}

/* Takes the object list of a request: its number, or DN_LINKS_NONE for an empty payload. 0, or the code to
 * refuse with. */
static uint8_t take_links(dn_shard *shard, const dn_coap_incoming *request, uint32_t *links, const char **why)
{
    *links = DN_LINKS_NONE;
    if (request->payload.len == 0) {
        return 0;
    }
    if (request->content_format != LINK_FORMAT) {
        *why = "the payload is not said to be link-format";
        return DN_COAP_BAD_REQUEST;
    }
    dunlin_status status = dn_link_lists_take(&shard->registrations.lists, request->payload, links);
    if (status != DUNLIN_OK) {
        *links = DN_LINKS_NONE;
        *why = status == DUNLIN_ERR_LIMIT ? "too many different object lists"
                                          : "the object list is bad or too long";
        return code_of(status);
    }
    return 0;
}

static uint8_t check_terms(const dn_shard *shard, dn_parameters *terms, dunlin_status read, const char **why)
{
    const unsigned needed = DN_PARAMETER_LT | DN_PARAMETER_LWM2M;
    if (!(terms->present & DN_PARAMETER_B)) {
        terms->binding = DEFAULT_BINDING;
    }
    /* The version first: a client of a later one may say what we cannot read. */
    bool is_read = read == DUNLIN_OK || read == DUNLIN_ERR_UNSUPPORTED;
    if (is_read && (terms->present & DN_PARAMETER_LWM2M) && !is_version_served(terms)) {
        *why = "its version of LwM2M is not served here";
        return DN_COAP_PRECONDITION_FAILED;
    }
    bool is_1_2 = terms->version_minor == 2;
    if (read != DUNLIN_OK || ((terms->present & DN_PARAMETER_PID) && !is_1_2)) {
        *why = "a parameter is unknown, repeated or bad";
        return DN_COAP_BAD_REQUEST;
    }
    if ((terms->present & needed) != needed) {
        *why = !(terms->present & DN_PARAMETER_LT) ? "lt is missing" : "lwm2m is missing";
        return DN_COAP_BAD_REQUEST;
    }
    if (!is_lifetime_allowed(shard, terms->lifetime_s)) {
        *why = "its lifetime is too long";
        return DN_COAP_BAD_REQUEST;
    }
    return 0;
}

static void reply_location(dn_shard *shard, uint64_t id, dn_coap_reply *reply)
{
    dn_registration_id_format(id, shard->location);
    shard->reply_options[0] = (dn_coap_option){DN_OPTION_LOCATION_PATH, dunlin_slice_of("rd")};
    shard->reply_options[1] = (dn_coap_option){DN_OPTION_LOCATION_PATH, dunlin_slice_of(shard->location)};
    reply->code = DN_COAP_CREATED;
    reply->options = shard->reply_options;
    reply->option_count = 2;
}

static dn_sender sender_of(const dn_shard *shard, const dn_coap_incoming *request)
{
    return (dn_sender){.peer = &request->peer, .security = dn_authority_mode(shard, &request->peer)};
}

/* 0, or the code to refuse with: then nothing has changed. */
static uint8_t enrol(dn_shard *shard, const dn_coap_incoming *request, const dn_parameters *terms,
                     uint32_t links, uint32_t *slot, const char **why)
{
    dn_registrations *table = &shard->registrations;
    const dn_link_list *list = dn_link_lists_at(&table->lists, links);
    if (terms->version_minor == 2 && list->formats_unknown) {
        *why = "none of its content formats is known here";
        return DN_COAP_PRECONDITION_FAILED;
    }
    if (list->lacks_core) {
        dn_log_at(shard->log, DN_LOG_DEBUG, DN_SHARD_AREA, "a client lists no Server or no Device object");
    }
    *slot = dn_registrations_find(table, terms->endpoint);
    if (*slot == DN_SLOT_NONE && table->slab.live == table->slab.max) {
        *why = "there are too many registrations";
        return DN_COAP_UNAVAILABLE;
    }
    if (*slot != DN_SLOT_NONE) {
        dn_shard_end(shard, *slot, DN_EVENT_DEREGISTERED, true);
    }
    dunlin_status status = dn_registrations_register(table, terms, sender_of(shard, request), links,
                                                     shard->now_ms, shard->wall_ms, slot);
    if (status != DUNLIN_OK) {
        *why = dunlin_status_text(status);
        return code_of(status);
    }
    return 0;
}

static void refuse(dn_shard *shard, const dn_coap_incoming *request, const char *operation, uint8_t code,
                   const char *why, dn_coap_reply *reply)
{
    dn_shard_warn_refusal(shard, &request->peer, operation, code, why);
    reply->code = code;
    if (code == DN_COAP_FORBIDDEN) {
        reply->payload = dunlin_slice_of(why); /* for whoever sets the device up (RFC 7252 section 5.5.2) */
    }
}

/* The endpoint's name, and whether the sender may bear it. `name` may get it. */
static uint8_t check_name(dn_shard *shard, const dn_coap_incoming *request, dn_parameters *terms,
                          char name[DN_ENDPOINT_NAME_MAX], const char **why)
{
    dn_refusal refusal = dn_authority_enrol(shard, &request->peer, terms, name);
    if (refusal.code == 0 && !(terms->present & DN_PARAMETER_EP)) {
        refusal = (dn_refusal){DN_COAP_BAD_REQUEST, "ep is missing, and nothing else names the client"};
    }
    *why = refusal.code != 0 ? refusal.why : *why;
    return refusal.code;
}

static void answer_register(dn_shard *shard, const dn_coap_incoming *request, dn_coap_reply *reply)
{
    dn_parameters terms;
    dunlin_slice culprit;
    char name[DN_ENDPOINT_NAME_MAX];
    const char *why = "the object list is missing";
    uint32_t links = DN_LINKS_NONE;
    uint32_t slot;
    dunlin_status read = dn_parameters_read(request->options, &terms, &culprit);
    uint8_t code = check_terms(shard, &terms, read, &why);
    if (code == 0) {
        code = check_name(shard, request, &terms, name, &why);
    }
    if (code == 0) {
        code = take_links(shard, request, &links, &why);
    }
    if (code == 0) {
        code =
            links == DN_LINKS_NONE ? DN_COAP_BAD_REQUEST : enrol(shard, request, &terms, links, &slot, &why);
    }
    if (code != 0) {
        if (links != DN_LINKS_NONE) {
            dn_link_lists_give(&shard->registrations.lists, links);
        }
        shard->counters.refused_registers++;
        refuse(shard, request, "Register", code, why, reply);
        return;
    }
    shard->counters.registers++;
    dn_authority_served(shard, &request->peer);
    dn_presence_registered(shard, slot);
    dn_shard_tell(shard, slot, DN_EVENT_REGISTERED, 0, false);
    dn_observe_registered(shard, slot);
    reply_location(shard, dn_registrations_at(&shard->registrations, slot)->id, reply);
}

/* 0, or the code to refuse with: then nothing has changed. */
static uint8_t refresh(dn_shard *shard, const dn_coap_incoming *request, uint32_t slot, const char **why)
{
    const unsigned allowed = DN_PARAMETER_LT | DN_PARAMETER_B | DN_PARAMETER_Q | DN_PARAMETER_SMS;
    dn_parameters terms;
    dunlin_slice culprit;
    uint32_t links;
    uint8_t changed;
    *why = "a parameter is unknown, repeated or bad";
    if (dn_parameters_read(request->options, &terms, &culprit) != DUNLIN_OK ||
        (terms.present & ~allowed) != 0) {
        return DN_COAP_BAD_REQUEST;
    }
    if ((terms.present & DN_PARAMETER_LT) && !is_lifetime_allowed(shard, terms.lifetime_s)) {
        *why = "its lifetime is too long";
        return DN_COAP_BAD_REQUEST;
    }
    uint8_t code = take_links(shard, request, &links, why);
    if (code != 0) {
        return code;
    }
    dunlin_status status =
        dn_registrations_update(&shard->registrations, slot, &terms, sender_of(shard, request), links,
                                shard->now_ms, shard->wall_ms, &changed);
    if (status != DUNLIN_OK) {
        if (links != DN_LINKS_NONE) {
            dn_link_lists_give(&shard->registrations.lists, links);
        }
        *why = dunlin_status_text(status);
        return code_of(status);
    }
    dn_presence_heard(shard, slot);
    dn_shard_tell(shard, slot, DN_EVENT_UPDATED, changed, false);
    dn_observe_updated(shard, slot, (changed & DN_CHANGED_ADDRESS) != 0);
    if (changed & DN_CHANGED_ADDRESS) {
        dn_delivery_moved(shard, slot);
    }
    return 0;
}

static void answer_update(dn_shard *shard, const dn_coap_incoming *request, uint32_t slot,
                          dn_coap_reply *reply)
{
    const char *why = "there is no such registration";
    uint8_t code = slot != DN_SLOT_NONE ? refresh(shard, request, slot, &why) : DN_COAP_NOT_FOUND;
    if (code != 0) {
        shard->counters.refused_updates++;
        refuse(shard, request, "Update", code, why, reply);
        return;
    }
    shard->counters.updates++;
    reply->code = DN_COAP_CHANGED;
}

static void answer_deregister(dn_shard *shard, uint32_t slot, dn_coap_reply *reply)
{
    if (slot == DN_SLOT_NONE) {
        reply->code = DN_COAP_NOT_FOUND;
        return;
    }
    shard->counters.deregisters++;
    dn_shard_end(shard, slot, DN_EVENT_DEREGISTERED, false);
    reply->code = DN_COAP_DELETED;
}

/* The slot that a location names, if the request comes from its client. */
static uint32_t slot_of(dn_shard *shard, const dn_peer *peer, dunlin_slice id)
{
    uint32_t slot = dn_registrations_by_id(&shard->registrations, dn_registration_id_parse(id));
    return slot != DN_SLOT_NONE && dn_authority_holds(shard, peer, slot) ? slot : DN_SLOT_NONE;
}

/* GET /.well-known/core (RFC 6690 section 4): where clients register. */
static void answer_discovery(const dn_coap_incoming *request, dn_coap_reply *reply)
{
    if (request->code != DN_COAP_GET) {
        reply->code = DN_COAP_METHOD_NOT_ALLOWED;
    } else if (request->accept != DN_COAP_NO_FORMAT && request->accept != LINK_FORMAT) {
        reply->code = DN_COAP_NOT_ACCEPTABLE;
    } else {
        reply->code = DN_COAP_CONTENT;
        reply->content_format = LINK_FORMAT;
        reply->payload = dunlin_slice_of(discovery);
    }
}

static void answer_location(dn_shard *shard, const dn_coap_incoming *request, dunlin_slice id,
                            dn_coap_reply *reply)
{
    uint32_t slot = slot_of(shard, &request->peer, id);
    if (request->code == DN_COAP_POST) {
        answer_update(shard, request, slot, reply);
    } else if (request->code == DN_COAP_DELETE) {
        answer_deregister(shard, slot, reply);
    } else {
        reply->code = slot != DN_SLOT_NONE ? DN_COAP_METHOD_NOT_ALLOWED : DN_COAP_NOT_FOUND;
    }
}

/* A client that fetches is awake, if it does so from where it registered. */
static void answer_package(dn_shard *shard, const dn_coap_incoming *request, dunlin_slice name,
                           dn_coap_reply *reply)
{
    uint32_t slot = dn_authority_registration(shard, &request->peer);
    if (slot != DN_SLOT_NONE) {
        dn_presence_heard(shard, slot);
    }
    dn_packages_answer(&shard->packages, request, name, reply);
}

dn_coap_answered dn_rd_request(dn_shard *shard, const dn_coap_incoming *request, dunlin_buf *body,
                               dn_coap_reply *reply)
{
    dn_coap_reply_init(reply, DN_COAP_NOT_FOUND);
    dn_refusal refusal = dn_authority_admit(shard, &request->peer);
    if (refusal.code != 0) {
        refuse(shard, request, "a request", refusal.code, refusal.why, reply);
        return DN_COAP_ANSWERED;
    }
    target path = read_target(request->options);
    if (is_segment(&path, 0, "rd") && path.count == 1) {
        if (request->code == DN_COAP_POST) {
            answer_register(shard, request, reply);
        } else {
            reply->code = DN_COAP_METHOD_NOT_ALLOWED;
        }
    } else if (is_segment(&path, 0, "rd") && path.count == 2) {
        answer_location(shard, request, path.segment[1], reply);
    } else if (is_segment(&path, 0, ".well-known") && is_segment(&path, 1, "core") && path.count == 2) {
        answer_discovery(request, reply);
    } else if (is_segment(&path, 0, "dp") && path.count == 1) {
        dn_send_answer(shard, request, body, reply);
    } else if (is_segment(&path, 0, "fw") && path.count == 2) {
        answer_package(shard, request, path.segment[1], reply);
    }
    return DN_COAP_ANSWERED;
}
