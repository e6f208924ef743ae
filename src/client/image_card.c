/* SPDX-License-Identifier: Apache-2.0 */
/* In the image: which file of a smartcard was applied, and which instances came from it. Empty: none. */
#include "client/image_section.h"

#include <string.h>

static void write_card(dunlin_client *client, dn_image_out *out, bool whole)
{
    const dn_card *card = &client->card;
    (void)whole;
    if (card->digest == 0) {
        return;
    }
    dn_image_put_number(out, card->digest);
    for (uint16_t i = 0; i < card->count; i++) {
        dn_image_put_number(out, card->given[i].object);
        dn_image_put_number(out, card->given[i].instance);
    }
}

static dunlin_status read_card(dn_image_in in, dn_card *card)
{
    memset(card, 0, sizeof *card);
    card->digest = dn_image_more(&in) ? dn_image_get_number(&in, UINT64_MAX) : 0;
    while (dn_image_more(&in)) {
        const uint16_t object = (uint16_t)dn_image_get_number(&in, DUNLIN_ID_NONE - 1);
        const uint16_t instance = (uint16_t)dn_image_get_number(&in, DUNLIN_ID_NONE - 1);
        if (card->count == DN_CARD_INSTANCES_MAX) {
            return DUNLIN_ERR_LIMIT;
        }
        card->given[card->count++] = (dunlin_objlnk){object, instance};
    }
    return in.bad ? DUNLIN_ERR_MALFORMED : DUNLIN_OK;
}

static dunlin_status check_card(dunlin_client *client, dn_image_in in, bool whole)
{
    dn_card card;
    (void)client;
    (void)whole;
    return read_card(in, &card);
}

static void apply_card(dunlin_client *client, dn_image_in in, bool whole)
{
    (void)whole;
    (void)read_card(in, &client->card); /* it was checked */
}

const dn_image_section dn_image_card = {DN_IMAGE_CARD, write_card, check_card, apply_card};
