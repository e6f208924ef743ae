/* SPDX-License-Identifier: Apache-2.0 */
/* Object 21, OSCORE, over dunlin_oscore: the data, out of sight of servers. */
#include <dunlin/oma_oscore.h>
#include <string.h>

static dunlin_status created(const dunlin_call *call)
{
    dunlin_oscore_init(call->instance);
    return DUNLIN_OK;
}

/* No operation but a bootstrap server's Write reaches them, so they allow none. */
static const dunlin_resource resources[] = {
    {DUNLIN_FIELD(0, OPAQUE, DUNLIN_MANDATORY, dunlin_oscore, master_secret)},
    {DUNLIN_FIELD(1, OPAQUE, DUNLIN_MANDATORY, dunlin_oscore, sender)},
    {DUNLIN_FIELD(2, OPAQUE, DUNLIN_MANDATORY, dunlin_oscore, recipient)},
    {DUNLIN_FIELD(3, INTEGER, 0, dunlin_oscore, aead)},
    {DUNLIN_FIELD(4, INTEGER, 0, dunlin_oscore, hmac)},
    {DUNLIN_FIELD(5, OPAQUE, 0, dunlin_oscore, master_salt)},
};

const dunlin_object dunlin_oscore_object = {
    .id = 21,
    DUNLIN_TABLE(resources),
    .flags = DUNLIN_MULTIPLE | DUNLIN_HIDDEN,
    .size = sizeof(dunlin_oscore),
    .created = created,
};

void dunlin_oscore_init(dunlin_oscore *oscore)
{
    memset(oscore, 0, sizeof *oscore);
    oscore->aead = DUNLIN_OSCORE_AES_CCM_16_64_128;
    oscore->hmac = DUNLIN_OSCORE_HMAC_256;
}

dunlin_status dunlin_oscore_add(dunlin_client *client, dunlin_oscore *storage, uint16_t capacity,
                                uint16_t used)
{
    return dunlin_client_add_object(client, &dunlin_oscore_object, storage, capacity, used, NULL);
}
