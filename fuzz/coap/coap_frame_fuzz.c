/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes in pieces: the messages found are the same as those found when all is there at once, and end for the
 * same reason; each is as long as it says, and what can be read of it can be written again as the same message.
 */
#include "coap/frame.h"
#include "coap/message.h"
#include "fuzz/must.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE_MAX_TAKEN 600

typedef struct {
    size_t count, bytes;
    uint32_t sum;
} found;

/* The options may have been written in longer forms than needed, so lengths may shrink. */
static void write_again(const dn_coap_message *message, size_t limit)
{
    static uint8_t out[SIZE_MAX_TAKEN + 16];
    dn_coap_options walk = message->options;
    dn_coap_option option;
    dn_coap_message again;
    dn_coap_writer writer;
    dn_coap_write_header(&writer, out, sizeof out, DN_COAP_CON, message->code, 0, &message->token);
    while (dn_coap_option_next(&walk, &option) == DUNLIN_OK) {
        dn_coap_write_option(&writer, option.number, option.value);
    }
    dn_coap_write_payload(&writer, message->payload);
    must(!writer.failed);
    dunlin_slice framed = dn_coap_message_frame(out, writer.len);
    must(framed.len <= limit && dn_coap_message_read_framed(&again, framed) == DUNLIN_OK);
    must(again.code == message->code && dn_coap_token_equal(&again.token, &message->token));
    must(again.has == message->has && again.bad_option == message->bad_option);
    must(dunlin_slice_equal(again.payload, message->payload));
}

static bool on_message(void *context, dunlin_slice bytes)
{
    found *of = context;
    uint64_t length;
    dn_coap_message message;
    must(dn_coap_frame_length(bytes, &length) == DUNLIN_OK && length == bytes.len);
    of->count++;
    of->bytes += bytes.len;
    for (size_t i = 0; i < bytes.len; i++) {
        of->sum = of->sum * 31 + bytes.data[i];
    }
    dunlin_status status = dn_coap_message_read_framed(&message, bytes);
    must(status == DUNLIN_OK || status == DUNLIN_ERR_MALFORMED);
    if (status == DUNLIN_OK && message.code != DN_COAP_EMPTY) {
        write_again(&message, bytes.len);
    }
    return message.code != DN_COAP_CODE(7, 5);
}

static dunlin_status feed(dn_coap_assembler *assembler, dunlin_slice bytes, found *of)
{
    uint8_t *exact = malloc(bytes.len > 0 ? bytes.len : 1);
    must(exact != NULL);
    memcpy(exact, bytes.data, bytes.len);
    dunlin_status status = dn_coap_assemble(assembler, dunlin_slice_make(exact, bytes.len), on_message, of);
    free(exact);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t memory[2][SIZE_MAX_TAKEN];
    found whole = {0, 0, 0}, pieces = {0, 0, 0};
    if (size < 2) {
        return 0;
    }
    size_t taken = 8 + data[0] * 2u, piece = 1 + data[1] % 40u;
    dn_coap_assembler first = {memory[0], taken, 0}, second = {memory[1], taken, 0};
    dunlin_slice bytes = dunlin_slice_make(data + 2, size - 2);
    dunlin_status at_once = feed(&first, bytes, &whole), status = DUNLIN_OK;
    for (size_t at = 0; at < bytes.len && status == DUNLIN_OK; at += piece) {
        size_t len = bytes.len - at < piece ? bytes.len - at : piece;
        status = feed(&second, dunlin_slice_make(bytes.data + at, len), &pieces);
    }
    must(status == at_once);
    must(whole.count == pieces.count && whole.bytes == pieces.bytes && whole.sum == pieces.sum);
    must(status != DUNLIN_OK || (first.used == second.used && whole.bytes + first.used == bytes.len));
    return 0;
}
