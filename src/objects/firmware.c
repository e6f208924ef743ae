/* SPDX-License-Identifier: Apache-2.0 */
/* Object 5, Firmware Update (Core 1.1.1 appendix E.6), over dunlin_firmware: what servers see and write. */
#include "objects/firmware.h"

#include "objects/present.h"
#include <string.h>

#define FIRMWARE      5
#define TRIES         3
#define RETRY_MS      10000
#define SAVE_EVERY    65536
#define MANDATORY     1 /* severity */
#define RESOURCES_1_0 9
#define REQUIRED      (DUNLIN_R | DUNLIN_MANDATORY)

enum {
    PACKAGE = 0,
    PACKAGE_URI = 1,
    UPDATE = 2,
    STATE = 3,
    RESULT = 5,
    PACKAGE_NAME = 6,
    PACKAGE_VERSION = 7,
    PROTOCOLS = 8,
    DELIVERY = 9,
    LAST_CHANGE = 12
};

/* ---- moves ---- */

static uint8_t result_after(const dunlin_firmware *f, const dn_firmware_move *move,
                            dunlin_firmware_result given)
{
    switch (move->verdict) {
    case DN_FIRMWARE_CLEAR:
        return DUNLIN_FIRMWARE_INITIAL;
    case DN_FIRMWARE_GIVEN:
        return (uint8_t)given;
    case DN_FIRMWARE_IS_SUCCESS:
        return DUNLIN_FIRMWARE_SUCCESS;
    case DN_FIRMWARE_IS_CANCELLED:
        return DUNLIN_FIRMWARE_CANCELLED;
    case DN_FIRMWARE_IS_DEFERRED:
        return DUNLIN_FIRMWARE_DEFERRED;
    default:
        return f->kept.result;
    }
}

static void tell(dunlin_firmware *f, uint16_t resource)
{
    dunlin_changed(f->client, dunlin_path_resource(FIRMWARE, 0, resource));
}

static void drop(dunlin_firmware *f)
{
    f->kept.offset = f->kept.size = 0;
    f->kept.etag_len = 0;
    if (f->package_name != NULL || f->package_version != NULL) {
        f->package_name = f->package_version = NULL;
        tell(f, PACKAGE_NAME);
        tell(f, PACKAGE_VERSION);
    }
    if (f->call.discard != NULL) {
        f->call.discard(f->call.context);
    }
}

void dn_firmware_save(dunlin_firmware *f)
{
    f->saved_offset = f->kept.offset;
    if (f->call.save != NULL) {
        f->call.save(f->call.context, &f->kept);
    }
}

/* The package is kept before what refers to it, and dropped after: a reset in between finds it. */
static void enter(dunlin_firmware *f, uint8_t state, uint8_t result, uint8_t act)
{
    if (state != f->kept.state && f->call.clock != NULL) {
        f->changed_s = f->call.clock(f->call.context); /* "just before": E.6, resource 12 */
        tell(f, LAST_CHANGE);
    }
    const bool state_changed = state != f->kept.state;
    const bool result_changed = result != f->kept.result;
    f->kept.state = state;
    f->kept.result = result;
    if ((act & DN_FIRMWARE_STOP) != 0) {
        dn_firmware_pull_stop(f);
    }
    dn_firmware_save(f);
    if ((act & DN_FIRMWARE_DROP) != 0) {
        drop(f);
    }
    if (state_changed) {
        tell(f, STATE);
    }
    if (result_changed) {
        tell(f, RESULT);
    }
}

static void apply(dunlin_firmware *f)
{
    const dunlin_firmware_result result = f->call.apply(f->call.context);
    if (result == DUNLIN_FIRMWARE_DEFERRED) {
        (void)dn_firmware_happens(f, DN_FIRMWARE_POSTPONED, result);
    } else if (result != DUNLIN_FIRMWARE_INITIAL) {
        (void)dn_firmware_happens(f, DN_FIRMWARE_NOT_INSTALLED, result);
    }
}

bool dn_firmware_happens(dunlin_firmware *f, dn_firmware_event event, dunlin_firmware_result result)
{
    const dn_firmware_move *move = dn_firmware_move_of((dunlin_firmware_state)f->kept.state, event);
    if (!move->allowed) {
        return false;
    }
    if (event == DN_FIRMWARE_RESET && f->kept.uri[0] != '\0') {
        f->kept.uri[0] = '\0';
        tell(f, PACKAGE_URI);
    }
    enter(f, move->next, result_after(f, move, result), move->act);
    if ((move->act & DN_FIRMWARE_APPLY) != 0) {
        apply(f);
    }
    return true;
}

/* ---- the package ---- */

dunlin_firmware_result dn_firmware_store(dunlin_firmware *f, uint64_t offset, uint64_t size,
                                         dunlin_slice piece)
{
    dunlin_firmware_result result = DUNLIN_FIRMWARE_INITIAL;
    if (offset == 0) {
        result = f->call.begin(f->call.context, size);
        f->kept.offset = 0;
        f->kept.size = size;
    }
    if (result == DUNLIN_FIRMWARE_INITIAL && piece.len > 0) {
        result = f->call.write(f->call.context, offset, piece);
    }
    if (result == DUNLIN_FIRMWARE_INITIAL) {
        f->kept.offset = offset + piece.len;
    }
    return result;
}

void dn_firmware_complete(dunlin_firmware *f)
{
    const dunlin_firmware_result result = f->call.verify(f->call.context, f->kept.offset);
    if (result != DUNLIN_FIRMWARE_INITIAL) {
        (void)dn_firmware_happens(f, DN_FIRMWARE_BROKEN, result);
        return;
    }
    f->kept.size = f->kept.offset;
    (void)dn_firmware_happens(f, DN_FIRMWARE_COMPLETE, result);
    tell(f, PACKAGE_NAME);
    tell(f, PACKAGE_VERSION);
}

/* ---- resources ---- */

static bool allowed(const dunlin_firmware *f, dn_firmware_event event)
{
    return dn_firmware_move_of((dunlin_firmware_state)f->kept.state, event)->allowed;
}

/* A Package URI takes effect when the request that wrote it is through: one that fails in the end has changed nothing. */
static void settle(dunlin_firmware *f)
{
    if (!f->uri_written) {
        return;
    }
    f->uri_written = false;
    if (f->kept.uri[0] == '\0') {
        (void)dn_firmware_happens(f, DN_FIRMWARE_RESET, DUNLIN_FIRMWARE_INITIAL);
        return;
    }
    if (allowed(f, DN_FIRMWARE_URI_GIVEN)) {
        f->kept.push = false;
        f->kept.offset = f->kept.size = 0;
        f->kept.etag_len = 0;
        (void)dn_firmware_happens(f, DN_FIRMWARE_URI_GIVEN, DUNLIN_FIRMWARE_INITIAL);
        dn_firmware_pull_start(f);
    }
}

static dunlin_status uri_check(const dunlin_call *call, const dunlin_value *value)
{
    dunlin_firmware *f = call->instance;
    const bool reset = value->as.bytes.len == 0;
    settle(f);
    if (!reset && f->delivery == DUNLIN_FIRMWARE_PUSH) {
        return DUNLIN_ERR_STATE;
    }
    return allowed(f, reset ? DN_FIRMWARE_RESET : DN_FIRMWARE_URI_GIVEN) ? DUNLIN_OK : DUNLIN_ERR_STATE;
}

static dunlin_status uri_set(const dunlin_call *call, const dunlin_value *value)
{
    dunlin_firmware *f = call->instance;
    (void)value;
    /* `check` settles what was written before, so a second time is the undoing. */
    f->uri_written = !f->uri_written;
    return DUNLIN_OK;
}

/* A single NUL byte, or nothing at all, sets the state machine back. */
static bool is_reset(const dunlin_piece *piece)
{
    return piece->offset == 0 && !piece->more &&
           (piece->bytes.len == 0 || (piece->bytes.len == 1 && piece->bytes.data[0] == 0));
}

/* What the server gets for a block that could not be stored; the verdict is the Result. */
static dunlin_status status_of(dunlin_firmware_result result)
{
    switch (result) {
    case DUNLIN_FIRMWARE_NO_FLASH:
        return DUNLIN_ERR_SPACE;
    case DUNLIN_FIRMWARE_NO_RAM:
        return DUNLIN_ERR_MEMORY;
    case DUNLIN_FIRMWARE_TYPE:
        return DUNLIN_ERR_UNSUPPORTED;
    default:
        return DUNLIN_ERR_MALFORMED;
    }
}

static dunlin_status begin_push(dunlin_firmware *f)
{
    if (f->delivery == DUNLIN_FIRMWARE_PULL || !allowed(f, DN_FIRMWARE_PUSHED)) {
        return DUNLIN_ERR_STATE;
    }
    f->kept.push = true;
    f->kept.offset = f->kept.size = 0;
    (void)dn_firmware_happens(f, DN_FIRMWARE_PUSHED, DUNLIN_FIRMWARE_INITIAL);
    return DUNLIN_OK;
}

static dunlin_status package_piece(dunlin_firmware *f, const dunlin_piece *piece)
{
    if (is_reset(piece)) {
        return dn_firmware_happens(f, DN_FIRMWARE_RESET, DUNLIN_FIRMWARE_INITIAL) ? DUNLIN_OK
                                                                                  : DUNLIN_ERR_STATE;
    }
    if (piece->offset == 0) {
        const dunlin_status status = begin_push(f);
        if (status != DUNLIN_OK) {
            return status;
        }
    }
    if (f->kept.state != DUNLIN_FIRMWARE_DOWNLOADING || !f->kept.push || piece->offset != f->kept.offset) {
        return DUNLIN_ERR_STATE; /* it was cancelled in the meantime */
    }
    const dunlin_firmware_result result = dn_firmware_store(f, piece->offset, 0, piece->bytes);
    if (result != DUNLIN_FIRMWARE_INITIAL) {
        (void)dn_firmware_happens(f, DN_FIRMWARE_BROKEN, result);
        return piece->more ? status_of(result)
                           : DUNLIN_OK; /* a Write that is well-formed and whole succeeds */
    }
    if (!piece->more) {
        dn_firmware_complete(f);
    }
    return DUNLIN_OK;
}

static dunlin_status package_take(const dunlin_call *call, const dunlin_piece *piece)
{
    dunlin_firmware *f = call->instance;
    settle(f);
    if (piece != NULL) {
        return package_piece(f, piece);
    }
    if (f->kept.push) {
        (void)dn_firmware_happens(f, DN_FIRMWARE_BROKEN, DUNLIN_FIRMWARE_CONNECTION_LOST);
    }
    return DUNLIN_OK;
}

static dunlin_status update(const dunlin_call *call, const dunlin_arguments *arguments)
{
    (void)arguments;
    return dunlin_firmware_update(call->instance);
}

static dunlin_status cancel(const dunlin_call *call, const dunlin_arguments *arguments)
{
    dunlin_firmware *f = call->instance;
    (void)arguments;
    settle(f);
    return dn_firmware_happens(f, DN_FIRMWARE_CANCEL, DUNLIN_FIRMWARE_INITIAL) ? DUNLIN_OK : DUNLIN_ERR_STATE;
}

static dunlin_status state_get(const dunlin_call *call, dunlin_value *value)
{
    dunlin_firmware *f = call->instance;
    settle(f);
    *value = dunlin_integer(call->path.id[2] == STATE ? f->kept.state : f->kept.result);
    return DUNLIN_OK;
}

#define ROWS_1_0                                                                                          \
    {DUNLIN_STREAM(PACKAGE, DUNLIN_MANDATORY, package_take)},                                             \
        {DUNLIN_FIELD(PACKAGE_URI, STRING, DUNLIN_RW | DUNLIN_MANDATORY, dunlin_firmware, kept.uri),      \
         .check = uri_check, .set = uri_set},                                                             \
        {DUNLIN_EXECUTE(UPDATE, DUNLIN_MANDATORY, update)},                                               \
        {DUNLIN_CALL(STATE, INTEGER, REQUIRED), .get = state_get},                                        \
        {DUNLIN_CALL(RESULT, INTEGER, REQUIRED), .get = state_get},                                       \
        {DUNLIN_POINTER(PACKAGE_NAME, DUNLIN_R, dunlin_firmware, package_name)},                          \
        {DUNLIN_POINTER(PACKAGE_VERSION, DUNLIN_R, dunlin_firmware, package_version)},                    \
        {DUNLIN_LIST(PROTOCOLS, INTEGER, DUNLIN_R, dunlin_firmware, protocols),                           \
         .max = DUNLIN_FIRMWARE_PROTOCOLS_MAX},                                                           \
    {                                                                                                     \
        DUNLIN_FIELD(DELIVERY, INTEGER, REQUIRED, dunlin_firmware, delivery), .max = DUNLIN_FIRMWARE_BOTH \
    }

static const dunlin_resource resources[] = {ROWS_1_0};

static const dunlin_resource resources_1_1[] = {
    ROWS_1_0,
    {DUNLIN_EXECUTE(10, 0, cancel)},
    {DUNLIN_FIELD(11, INTEGER, DUNLIN_RW, dunlin_firmware, severity), .max = 2},
    {DUNLIN_FIELD(LAST_CHANGE, TIME, DUNLIN_R | DUNLIN_ABSENT, dunlin_firmware, changed_s)},
    {DUNLIN_FIELD(13, UNSIGNED, DUNLIN_RW, dunlin_firmware, defer_max_s)},
};

const dunlin_object dunlin_firmware_object = {
    .id = FIRMWARE,
    DUNLIN_TABLE(resources),
    .size = sizeof(dunlin_firmware),
};

const dunlin_object dunlin_firmware_object_1_1 = {
    .id = FIRMWARE,
    DUNLIN_TABLE(resources_1_1),
    .size = sizeof(dunlin_firmware),
    .major = 1,
    .minor = 1,
};

/* ---- the application's side ---- */

void dunlin_firmware_init(dunlin_firmware *f)
{
    memset(f, 0, sizeof *f);
    f->delivery = DUNLIN_FIRMWARE_BOTH;
    f->tries = TRIES;
    f->retry_ms = RETRY_MS;
    f->save_every = SAVE_EVERY;
    f->severity = MANDATORY;
}

/* 0 CoAP, 1 CoAPS, 2 HTTP, 3 HTTPS, 4 CoAP over TCP, 5 CoAP over TLS; the two of HTTP are the application's. */
static void list_protocols(dunlin_firmware *f)
{
    static const char *const schemes[] = {"coap", "coaps", NULL, NULL, "coap+tcp", "coaps+tcp"};
    f->protocols.count = 0;
    for (int8_t protocol = 0; protocol < DUNLIN_FIRMWARE_PROTOCOLS_MAX; protocol++) {
        const char *scheme = schemes[protocol];
        if (scheme == NULL ? f->call.fetch != NULL : dunlin_client_downloads(f->client, scheme)) {
            f->protocols.id[f->protocols.count] = f->protocols.count;
            f->protocols.value[f->protocols.count++] = protocol;
        }
    }
}

/* Goes on where the reset has cut it off. */
static void restore(dunlin_firmware *f)
{
    dunlin_firmware_kept kept;
    memset(&kept, 0, sizeof kept);
    if (f->call.load == NULL || !f->call.load(f->call.context, &kept)) {
        return;
    }
    kept.uri[DUNLIN_URI_MAX] = '\0';
    if (kept.state > DUNLIN_FIRMWARE_UPDATING || kept.result > DUNLIN_FIRMWARE_DEFERRED ||
        kept.etag_len > DUNLIN_FIRMWARE_ETAG_MAX) {
        return; /* not what was saved: as if there were nothing */
    }
    f->kept = kept;
    f->saved_offset = kept.offset;
    if (kept.state != DUNLIN_FIRMWARE_DOWNLOADING) {
        return;
    }
    if (kept.push) {
        (void)dn_firmware_happens(f, DN_FIRMWARE_BROKEN, DUNLIN_FIRMWARE_CONNECTION_LOST);
    } else {
        dn_firmware_pull_start(f);
    }
}

dunlin_status dunlin_firmware_add(dunlin_client *client, dunlin_firmware *f)
{
    const dunlin_firmware_callbacks *call = &f->call;
    if (call->begin == NULL || call->write == NULL || call->verify == NULL || call->apply == NULL ||
        (call->fetch != NULL && call->fetch_cancel == NULL)) {
        return DUNLIN_ERR_ARGUMENT;
    }
    f->client = client;
    list_protocols(f);
    const uint64_t has = call->clock != NULL ? DN_HAS(LAST_CHANGE) : 0;
    const dunlin_object *object = f->version_1_1 ? &dunlin_firmware_object_1_1 : &dunlin_firmware_object;
    const dunlin_status status = dn_objects_add_single(client, object, f, has, call->context);
    if (status == DUNLIN_OK) {
        restore(f);
    }
    return status;
}

void dunlin_firmware_step(dunlin_firmware *f, uint64_t now_ms)
{
    settle(f);
    dn_firmware_pull_step(f, now_ms);
}

uint64_t dunlin_firmware_deadline(const dunlin_firmware *f)
{
    if (f->uri_written || f->start_pull || (f->retry && !f->timed) || dn_firmware_pull_may_go_on(f)) {
        return 0;
    }
    return f->retry ? f->retry_at_ms : DUNLIN_NEVER;
}

dunlin_firmware_state dunlin_firmware_state_of(const dunlin_firmware *f)
{
    return (dunlin_firmware_state)f->kept.state;
}

void dunlin_firmware_installed(dunlin_firmware *f, dunlin_firmware_result result)
{
    (void)dn_firmware_happens(
        f, result == DUNLIN_FIRMWARE_SUCCESS ? DN_FIRMWARE_INSTALLED : DN_FIRMWARE_NOT_INSTALLED, result);
}

dunlin_status dunlin_firmware_update(dunlin_firmware *f)
{
    settle(f);
    return dn_firmware_happens(f, DN_FIRMWARE_EXECUTED, DUNLIN_FIRMWARE_INITIAL) ? DUNLIN_OK
                                                                                 : DUNLIN_ERR_STATE;
}
