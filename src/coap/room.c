/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of messages and blocks by what both ends take. */
#include "coap/room.h"

/* Header, token, payload marker and every option of ours at its longest; and the head of one of the caller's.
 */
#define OWN_BYTES_MAX   60
#define OPTION_HEAD_MAX 5

dn_coap_room dn_coap_room_to(const dn_coap *coap, uint32_t remote)
{
    const dn_coap_config *config = &coap->config;
    const dn_coap_connection *connection = dn_coap_connection_of(&coap->connections, remote);
    if (connection == NULL) {
        dn_coap_room datagrams = {config->max_message, config->block_szx, config->block_szx, false};
        return datagrams;
    }
    /* RFC 8323 section 5.3.2: who knows blocks and takes more than the base value knows BERT. */
    bool we = config->max_stream_message > DN_COAP_MAX_MESSAGE_BASE;
    bool both = we && connection->block_wise && connection->max_message > DN_COAP_MAX_MESSAGE_BASE;
    dn_coap_room room = {connection->max_message < config->max_stream_message ? connection->max_message
                                                                              : config->max_stream_message,
                         both ? DN_COAP_SZX_BERT : config->block_szx,
                         we ? DN_COAP_SZX_BERT : config->block_szx, true};
    return room;
}

size_t dn_coap_room_around(const dn_coap_option *options, size_t count)
{
    size_t around = OWN_BYTES_MAX;
    for (size_t i = 0; i < count; i++) {
        around += OPTION_HEAD_MAX + options[i].value.len;
    }
    return around;
}

dn_coap_fit dn_coap_room_fit(const dn_coap_room *room, size_t around, uint64_t size, uint8_t szx)
{
    size_t left = room->message > around ? room->message - around : 0;
    if (szx == DN_COAP_SZX_BERT) {
        size_t unit = dn_coap_block_size(szx);
        if (left >= unit) {
            dn_coap_fit bert = {szx, left / unit * unit, left};
            return bert;
        }
        szx = DN_COAP_SZX_MAX;
    }
    while (szx > 0) {
        size_t block = dn_coap_block_size(szx);
        if ((size < block ? size : block) <= left) {
            break;
        }
        szx--;
    }
    dn_coap_fit fit = {szx, dn_coap_block_size(szx), room->stream ? left : dn_coap_block_size(szx)};
    return fit;
}
