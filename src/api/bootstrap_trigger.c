/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /clients/{endpoint}/bootstrap: the Bootstrap-Request Trigger (Core 1.1.1 section 6.1.5, resource 9 of Object 1). A device has an instance of Object 1
 * for each of its servers, and lets a server execute what its own says; which one that is, it alone knows. So those that it registered are tried
 * one after the other, until one is not refused.
 */
#include "api/device.h"
#include "api/handlers.h"

#define SERVER_OBJECT    1u
#define TRIGGER_RESOURCE 9u

#define COAP(class, detail) ((class) << 5 | (detail))

/* The first instance behind `last`, DUNLIN_ID_NONE: of all. False: there is none. */
static bool next_instance(const dn_profile *profile, uint16_t last, uint16_t *instance)
{
    for (size_t i = 0; i < profile->entry_count; i++) {
        const dn_profile_entry *entry = &profile->entries[i];
        if (entry->object == SERVER_OBJECT && entry->instance != DUNLIN_ID_NONE &&
            (last == DUNLIN_ID_NONE || entry->instance > last)) {
            *instance = entry->instance;
            return true;
        }
    }
    return false;
}

/* Not allowed there, or not there at all: another instance may be meant. */
static bool is_refused(const dn_answer *answer)
{
    return answer->status == DUNLIN_OK && (answer->code == COAP(4, 1) || answer->code == COAP(4, 3) ||
                                           answer->code == COAP(4, 4) || answer->code == COAP(4, 5));
}

static void execute(dn_call *call, uint16_t instance);

static void executed(dn_call *call)
{
    uint16_t next;
    if (is_refused(&call->answer) && call->profile != NULL &&
        next_instance(call->profile, call->asked.path.id[1], &next)) {
        execute(call, next);
    } else {
        dn_device_reply(call);
    }
}

static void execute(dn_call *call, uint16_t instance)
{
    dn_device_request request = {.method = DN_COAP_POST,
                                 .path = dunlin_path_resource(SERVER_OBJECT, instance, TRIGGER_RESOURCE),
                                 .content_format = DN_FORMAT_NONE,
                                 .accept = DN_FORMAT_NONE};
    dn_device_send(call, &request, executed);
}

static void with_profile(dn_call *call)
{
    uint16_t instance = 0; /* what a device that registers none has in nearly every case */
    (void)next_instance(call->profile, DUNLIN_ID_NONE, &instance);
    execute(call, instance);
}

void dn_handle_bootstrap_trigger(dn_call *call)
{
    if (dn_device_parameters(call, NULL)) {
        dn_device_profile(call, with_profile);
    }
}
