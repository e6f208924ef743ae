/* SPDX-License-Identifier: Apache-2.0 */
/* Reads any datagram; what was read must lie within it, and be written again as the same message. */
#include "coap/message.h"
#include "fuzz/must.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(dunlin_slice inner, const uint8_t *data, size_t size)
{
    return inner.len == 0 || (inner.data >= data && inner.data + inner.len <= data + size);
}

/* The options may have been written in longer forms than needed; written once, they stay as they are. */
static size_t write_again(const dn_coap_message *message, uint8_t *out, size_t cap)
{
    dn_coap_writer writer;
    dn_coap_options walk = message->options;
    dn_coap_option option;
    dn_coap_write_header(&writer, out, cap, (dn_coap_type)message->type, message->code, message->mid,
                         &message->token);
    while (dn_coap_option_next(&walk, &option) == DUNLIN_OK) {
        dn_coap_write_option(&writer, option.number, option.value);
    }
    dn_coap_write_payload(&writer, message->payload);
    must(!writer.failed);
    return writer.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dn_coap_message message, again;
    dn_coap_option option;
    dunlin_status status = dn_coap_message_read(&message, dunlin_slice_make(data, size));
    if (status != DUNLIN_OK) {
        must(status == DUNLIN_ERR_TRUNCATED || status == DUNLIN_ERR_MALFORMED);
        return 0;
    }
    dn_coap_options walk = message.options;
    while ((status = dn_coap_option_next(&walk, &option)) == DUNLIN_OK) {
        must(is_within(option.value, data, size));
    }
    must(status == DUNLIN_END && is_within(message.payload, data, size) &&
         is_within(message.etag, data, size));
    uint8_t *first = malloc(size + 16), *second = malloc(size + 16);
    must(first != NULL && second != NULL);
    size_t length = write_again(&message, first, size + 16);
    must(length <= size);
    must(dn_coap_message_read(&again, dunlin_slice_make(first, length)) == DUNLIN_OK);
    must(write_again(&again, second, size + 16) == length && memcmp(first, second, length) == 0);
    must(again.bad_option == message.bad_option && again.has == message.has &&
         again.observe == message.observe);
    free(first);
    free(second);
    return 0;
}
