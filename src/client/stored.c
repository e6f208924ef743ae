/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kept notifications, and their delivery. */
#include "client/stored.h"

#include "base/hash.h"
#include "client/formats.h"
#include "client/registration.h"
#include <string.h>

#define MS_PER_S     1000.0
#define SEND_WAIT_MS 10000u /* how long a server may take to observe again */
#define CLASS_SHIFT  5
#define CLASS_OK     2
#define SEND_VALUES  16u /* values in one Send */

uint16_t dn_client_stored_format(const dunlin_client *client)
{
    return client->config.lwm2m == DUNLIN_LWM2M_1_0 ? DN_FORMAT_TLV : DN_FORMAT_SENML_CBOR;
}

static uint64_t key_of(const dunlin_path *paths, uint16_t count)
{
    static const dn_hash_key key = {0, 0}; /* of paths that were accepted, among few */
    uint64_t sum = count;
    for (uint16_t i = 0; i < count; i++) {
        uint8_t bytes[sizeof sum + sizeof paths[i].id + 1];
        memcpy(bytes, &sum, sizeof sum);
        memcpy(bytes + sizeof sum, paths[i].id, sizeof paths[i].id);
        bytes[sizeof bytes - 1] = paths[i].depth;
        sum = dn_hash(&key, dunlin_slice_make(bytes, sizeof bytes));
    }
    return sum;
}

static uint64_t key_of_observation(const dn_observation *o)
{
    return key_of(o->paths, o->path_count) ^ (o->composite ? 1 : 0);
}

static bool belongs(const dn_stored *entry, const dn_observation *o, uint64_t key)
{
    return entry->account == o->account && entry->key == key;
}

/* ---- the table ---- */

/* Where the bytes of an entry begin. */
static uint32_t offset_of(const dunlin_client *client, uint16_t at)
{
    uint32_t offset = 0;
    for (uint16_t i = 0; i < at; i++) {
        offset += client->stored[i].len;
    }
    return offset;
}

static void remove_at(dunlin_client *client, uint16_t at)
{
    const uint32_t offset = offset_of(client, at);
    const uint32_t len = client->stored[at].len;
    memmove(client->stored_bytes + offset, client->stored_bytes + offset + len,
            client->stored_used - offset - len);
    memmove(&client->stored[at], &client->stored[at + 1],
            (size_t)(client->stored_count - at - 1) * sizeof client->stored[0]);
    client->stored_used -= len;
    client->stored_count--;
}

uint32_t dn_client_stored_put(dunlin_client *client, const dn_observation *o, dunlin_slice payload)
{
    const dunlin_client_config *config = &client->config;
    if (config->stored == 0 || payload.len > config->stored_max) {
        client->counters.stored_dropped++;
        return 0;
    }
    while (client->stored_count == config->stored || payload.len > config->stored_max - client->stored_used) {
        remove_at(client, 0);
        client->counters.stored_dropped++;
    }
    dn_stored *entry = &client->stored[client->stored_count++];
    client->stored_sequence = client->stored_sequence >= DN_STORED_ALL - 1 ? 1 : client->stored_sequence + 1;
    entry->at_ms = client->now_ms;
    entry->key = key_of_observation(o);
    entry->sequence = client->stored_sequence;
    entry->len = (uint32_t)payload.len;
    entry->base = o->composite ? dunlin_path_root() : o->paths[0];
    entry->account = o->account;
    if (payload.len > 0) {
        memcpy(client->stored_bytes + client->stored_used, payload.data, payload.len);
    }
    client->stored_used += entry->len;
    return entry->sequence;
}

bool dn_client_stored_any(const dunlin_client *client, const dn_observation *o)
{
    const uint64_t key = key_of_observation(o);
    for (uint16_t i = 0; i < client->stored_count; i++) {
        if (belongs(&client->stored[i], o, key)) {
            return true;
        }
    }
    return false;
}

uint64_t dn_client_stored_newest_ms(const dunlin_client *client, const dn_observation *o)
{
    const uint64_t key = key_of_observation(o);
    uint64_t newest_ms = 0;
    for (uint16_t i = 0; i < client->stored_count; i++) {
        newest_ms = belongs(&client->stored[i], o, key) ? client->stored[i].at_ms : newest_ms;
    }
    return newest_ms;
}

/* Sequences wrap around. */
static bool up_to(uint32_t entry, uint32_t last)
{
    return last == DN_STORED_ALL || last - entry < UINT32_MAX / 2;
}

void dn_client_stored_take(dunlin_client *client, const dn_observation *o, uint32_t sequence)
{
    const uint64_t key = key_of_observation(o);
    uint16_t i = 0;
    while (i < client->stored_count) {
        const dn_stored *entry = &client->stored[i];
        if (!belongs(entry, o, key)) {
            i++;
            continue;
        }
        if (!up_to(entry->sequence, sequence)) {
            return;
        }
        remove_at(client, i);
    }
}

void dn_client_stored_drop(dunlin_client *client, const dn_account *account)
{
    const uint8_t index = (uint8_t)(account - client->accounts);
    for (uint16_t i = client->stored_count; i > 0; i--) {
        if (client->stored[i - 1].account == index) {
            remove_at(client, (uint16_t)(i - 1));
        }
    }
}

/* ---- telling it ---- */

/* When it was, in seconds since 1970, or relative to now where the clock is not known (RFC 8428
 * section 4.5.3). */
static double time_of(const dunlin_client *client, const dn_stored *entry)
{
    const dunlin_client_callbacks *call = &client->config.call;
    const double ago_s = (double)(client->now_ms - entry->at_ms) / MS_PER_S;
    const int64_t now_s = call->unix_s == NULL ? -1 : call->unix_s(call->context);
    return now_s < 0 ? -ago_s : (double)now_s - ago_s;
}

static void open_entry(dunlin_client *client, uint16_t at, dn_decoder *decoder)
{
    const dn_stored *entry = &client->stored[at];
    const dunlin_slice bytes = dunlin_slice_make(client->stored_bytes + offset_of(client, at), entry->len);
    /* What we have encoded ourselves is good, and needs no scratch. */
    (void)dn_decode(decoder, dn_client_stored_format(client), entry->base, bytes,
                    dn_client_formats_types(client), dunlin_buf_make(NULL, 0));
}

/* Encodes `count` of those of the observation. SPACE: they do not fit. */
static dunlin_status encode(dunlin_client *client, const dn_observation *o, uint16_t count, uint16_t format,
                            dunlin_buf out, dunlin_slice *payload, uint32_t *last)
{
    const uint64_t key = key_of_observation(o);
    dn_encoder encoder;
    dunlin_status status = dn_encode(&encoder, format, o->composite ? dunlin_path_root() : o->paths[0], out);
    *last = 0;
    for (uint16_t i = 0; status == DUNLIN_OK && i < client->stored_count && count > 0; i++) {
        dn_decoder decoder;
        dn_record record;
        if (!belongs(&client->stored[i], o, key)) {
            continue;
        }
        open_entry(client, i, &decoder);
        while (dn_decode_next(&decoder, &record) == DUNLIN_OK) {
            record.time_s = time_of(client, &client->stored[i]);
            record.has_time = record.time_s != 0;
            if (record.kind == DN_RECORD_VALUE) { /* that something was empty only TLV can say */
                dn_encode_put(&encoder, &record);
            }
        }
        *last = client->stored[i].sequence;
        count--;
    }
    return status == DUNLIN_OK ? dn_encode_finish(&encoder, payload) : status;
}

uint32_t dn_client_stored_encode(dunlin_client *client, const dn_observation *o, uint16_t format,
                                 dunlin_buf out, dunlin_slice *payload)
{
    uint32_t last = 0;
    uint16_t count = client->stored_count;
    while (dn_client_stored_any(client, o)) {
        if (encode(client, o, count, format, out, payload, &last) == DUNLIN_OK) {
            return last;
        }
        if (count > 1) {
            count = (uint16_t)(count / 2);
            continue;
        }
        /* Not even one of them can be told in this format. */
        dn_client_stored_take(client, o, last);
        client->counters.stored_dropped++;
        count = client->stored_count;
    }
    return 0;
}

/* ---- when there is no observation to tell it by ---- */

static bool observed(const dunlin_client *client, const dn_stored *entry)
{
    const uint32_t count = (uint32_t)client->config.observations + client->config.composites;
    for (uint32_t i = 0; i < count; i++) {
        const dn_observation *o = &client->observations[i];
        if (o->used && belongs(entry, o, key_of_observation(o))) {
            return true;
        }
    }
    return false;
}

static uint16_t find_sequence(const dunlin_client *client, uint32_t sequence)
{
    uint16_t at = 0;
    while (at < client->stored_count && client->stored[at].sequence != sequence) {
        at++;
    }
    return at;
}

/* The Send under way is about the entry whose sequence is client->stored_sending. */
static void on_sent(void *context, uint16_t server, dunlin_status status, uint8_t code)
{
    dunlin_client *client = context;
    const uint16_t at = find_sequence(client, client->stored_sending);
    (void)server;
    client->stored_sending = 0;
    if (status != DUNLIN_OK || code >> CLASS_SHIFT != CLASS_OK || at == client->stored_count) {
        client->stored_sent_values = 0;
        return;
    }
    if (!client->stored_more) {
        remove_at(client, at);
        client->stored_sent_values = 0;
    }
    client->stored_due_ms = client->now_ms; /* the rest, or the next one */
}

static bool send_entry(dunlin_client *client, uint16_t at)
{
    const dn_stored *entry = &client->stored[at];
    const dn_account *account = &client->accounts[entry->account];
    dunlin_send_value values[SEND_VALUES];
    dunlin_value value[SEND_VALUES];
    dn_decoder decoder;
    dn_record record;
    size_t count = 0;
    uint32_t skip = client->stored_sent_values;
    open_entry(client, at, &decoder);
    client->stored_more = false;
    /* Strings stay valid, for they lie in what is decoded. */
    while (!client->stored_more && dn_decode_next(&decoder, &record) == DUNLIN_OK) {
        if (record.kind != DN_RECORD_VALUE || skip > 0) {
            skip -= record.kind == DN_RECORD_VALUE ? 1 : 0;
        } else if (count == SEND_VALUES) {
            client->stored_more = true;
        } else {
            value[count] = record.value;
            values[count] = (dunlin_send_value){record.path, &value[count], time_of(client, entry)};
            count++;
        }
    }
    client->stored_sending = entry->sequence;
    if (count == 0 ||
        dunlin_client_send(client, account->ssid, values, count, on_sent, client) != DUNLIN_OK) {
        client->stored_sending = 0;
        return false;
    }
    client->stored_sent_values += (uint32_t)count;
    return true;
}

void dn_client_stored_wake(dn_account *account)
{
    dunlin_client *client = account->client;
    account->silent = false;
    for (uint32_t i = 0; i < (uint32_t)client->config.observations + client->config.composites; i++) {
        dn_observation *o = &client->observations[i];
        if (o->used && &client->accounts[o->account] == account) {
            o->dirty = true; /* it may have changed while nobody looked */
        }
    }
    client->observe_due_ms = 0;
    if (client->stored_count > 0) {
        client->stored_due_ms = client->now_ms + SEND_WAIT_MS;
    }
}

void dn_client_stored_step(dunlin_client *client)
{
    if (client->stored_due_ms > client->now_ms) {
        return;
    }
    client->stored_due_ms = DN_NEVER;
    for (uint16_t i = 0; i < client->stored_count && client->stored_sending == 0; i++) {
        const dn_stored *entry = &client->stored[i];
        if (dn_client_registration_holds(&client->accounts[entry->account]) && !observed(client, entry) &&
            send_entry(client, i)) {
            return;
        }
    }
}
