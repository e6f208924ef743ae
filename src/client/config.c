/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults, what can be, and the memory that it takes. */
#include "client/config.h"

#include "client/account.h"
#include "client/est.h"
#include "client/image.h"
#include "client/objects.h"
#include "client/security.h"
#include "codec/format.h"
#include <string.h>

#define OWN_OBJECTS    2u /* Security and Server */
#define OTHER_PEERS    2u /* a download's, and a server's former address */
#define BLOCK_SIZE_MIN 16u
#define BLOCK_SIZE_MAX 1024u
#define BLOCK_SZX_MAX  6u
#define ROOT_MAX       63u   /* bytes of the alternate path */
#define STREAM_MIN     1152u /* RFC 8323 section 5.3.1 */

dunlin_client_config dunlin_client_config_default(void)
{
    const dunlin_client_config config = {
        .lwm2m = DUNLIN_LWM2M_1_1,
        .log_least = DUNLIN_LOG_INFO,
        .connect_ms = 120000,
        .image_max = 4096,
        .bootstrap_format = DN_FORMAT_SENML_CBOR,
        .bootstrap_quiet_ms = 247000,
        .bootstrap_retry_s = 60,
        .bootstrap_retry_max_s = 3600,
        .bootstrap_spread = 50,
        .servers = 1,
        .root_path = "",
        .awake_ms = 93000,
        .stored = 16,
        .stored_max = 2048,
        .composites = 2,
        .composite_paths = 8,
        .sends = 2,
        .send_format = DN_FORMAT_SENML_CBOR,
        .objects = 12,
        .observations = 8,
        .attributes = 8,
        .list_max = 512,
        .undo_max = 512,
        .max_message = 1152,
        .max_body = 2048,
        .block_size = 1024,
        .exchanges = 4,
        .transfers = 2,
        .dedup_slots = 8,
        .dedup_reply_max = 64,
    };
    return config;
}

dunlin_server dunlin_server_default(void)
{
    const dunlin_server server = {
        .security = {.mode = DUNLIN_NOSEC, .matching = -1, .usage = -1},
        .instance = -1,
        .ssid = 1,
        .lifetime_s = 86400,
        .disable_s = 86400,
        .store_notifications = true,
        .binding = "U",
        .policy = {.priority = -1,
                   .failure_bootstraps = true,
                   .retry_count = 5,
                   .retry_timer_s = 60,
                   .sequence_delay_s = 86400,
                   .sequence_count = 1},
    };
    return server;
}

dn_coap_config dn_client_config_coap(const dunlin_client_config *config)
{
    dn_coap_config coap = dn_coap_config_default();
    coap.exchanges = config->exchanges;
    coap.transfers = config->transfers;
    coap.peers = dn_client_securities_max(config) + OTHER_PEERS;
    coap.dedup_slots = config->dedup_slots;
    coap.dedup_per_peer = config->dedup_slots;
    coap.dedup_reply_max = config->dedup_reply_max;
    coap.max_message = config->max_message;
    coap.max_body = config->max_body;
    coap.connections = config->stream_message > 0 ? dn_client_securities_max(config) : 0;
    coap.max_stream_message = config->stream_message > 0 ? config->stream_message : coap.max_stream_message;
    coap.block_szx = 0;
    while (coap.block_szx < BLOCK_SZX_MAX && (BLOCK_SIZE_MIN << (coap.block_szx + 1)) <= config->block_size) {
        coap.block_szx++;
    }
    return coap;
}

/* "" or "/segment…": no empty segment, none that is a number, nothing that a link could not hold. */
static bool root_valid(const char *root)
{
    if (root == NULL || strlen(root) > ROOT_MAX || strpbrk(root, "<>\" ,;%?#") != NULL) {
        return false;
    }
    while (*root == '/') {
        const size_t len = strcspn(++root, "/");
        if (len == 0 || strspn(root, "0123456789") >= len) {
            return false;
        }
        root += len;
    }
    return *root == '\0';
}

bool dn_client_config_valid(const dunlin_client_config *config)
{
    const size_t name = dunlin_slice_of(config->endpoint).len;
    return name >= 1 && name <= DUNLIN_ENDPOINT_MAX && config->call.send != NULL &&
           config->call.random != NULL && config->call.resolve != NULL && root_valid(config->root_path);
}

static bool limits_valid(const dunlin_client_config *config)
{
    return config->objects > OWN_OBJECTS && config->list_max > 0 && config->servers > 0 &&
           config->servers <= DUNLIN_SERVERS_MAX && config->block_size >= BLOCK_SIZE_MIN &&
           config->block_size <= BLOCK_SIZE_MAX &&
           (config->stream_message == 0 || config->stream_message >= STREAM_MIN) &&
           config->lwm2m <= DUNLIN_LWM2M_1_1 && dn_client_image_valid(config) &&
           config->bootstrap_spread <= 100 &&
           (config->send_format == DN_FORMAT_SENML_CBOR || config->send_format == DN_FORMAT_SENML_JSON);
}

size_t dn_client_config_send_bytes(const dunlin_client_config *config)
{
    return config->sends > 0 ? config->max_body : 0;
}

size_t dn_client_config_observed_max(const dunlin_client_config *config)
{
    return config->observations + (size_t)config->composites * config->composite_paths;
}

const dunlin_object *dn_client_config_server_object(const dunlin_client_config *config)
{
    return config->lwm2m == DUNLIN_LWM2M_1_0 ? &dn_client_object_server_1_0 : &dn_client_object_server;
}

static size_t card_size(const dunlin_client_config *config)
{
    return config->call.smartcard == NULL ? 0 : dn_client_round(config->max_body);
}

/* Accounts, and the instances of Objects 0 and 1. */
static size_t accounts_size(const dunlin_client_config *config)
{
    const size_t securities = dn_client_securities_max(config);
    return dn_client_round(securities * sizeof(dn_account)) + card_size(config) +
           config->servers * dn_client_round(config->list_max) +
           dn_client_round(securities * sizeof(dn_security_instance)) +
           dn_client_round(config->servers * sizeof(dn_server_instance)) +
           dn_client_round(securities * dn_client_security_size(config));
}

size_t dunlin_client_arena_size(const dunlin_client_config *config)
{
    const dn_coap_config coap = dn_client_config_coap(config);
    const size_t engine = dn_coap_arena_size(&coap);
    if (engine == 0 || !limits_valid(config)) {
        return 0;
    }
    return dn_client_round(sizeof(dunlin_client)) + dn_client_round(engine) +
           dn_client_round(config->objects * sizeof(dn_object_slot)) +
           dn_client_round(((size_t)config->observations + config->composites) * sizeof(dn_observation)) +
           dn_client_round(dn_client_config_observed_max(config) * sizeof(dunlin_path)) +
           dn_client_round(dn_client_config_observed_max(config) * sizeof(dn_told)) +
           dn_client_round(config->stored * sizeof(dn_stored)) + dn_client_round(config->stored_max) +
           dn_client_round(config->attributes * sizeof(dn_attributes)) + dn_client_round(config->max_body) +
           dn_client_round(config->sends * sizeof(dn_send)) +
           dn_client_round(dn_client_config_send_bytes(config)) + dn_client_round(config->undo_max) +
           accounts_size(config) + dn_client_image_size(config) + dn_client_est_size(config) +
           dunlin_client_object_size(&dn_client_object_security, dn_client_securities_max(config)) +
           dunlin_client_object_size(dn_client_config_server_object(config), config->servers);
}

size_t dunlin_client_buffer_size(const dunlin_client_config *config)
{
    size_t messages = ((size_t)config->exchanges + 1) * config->max_message;
    if (config->stream_message > config->max_message) {
        messages += (size_t)config->stream_message - config->max_message;
    }
    const size_t bodies = ((size_t)config->transfers + 2) * config->max_body;
    return messages + bodies + dn_client_config_send_bytes(config) + config->stored_max +
           (size_t)config->servers * config->list_max +
           dn_client_securities_max(config) * dn_client_security_size(config) +
           dn_client_image_buffer_size(config);
}

static size_t presence_words(const dunlin_object *object)
{
    return ((size_t)object->resource_count + 31) / 32;
}

size_t dunlin_client_object_size(const dunlin_object *object, uint16_t capacity)
{
    return dn_client_round(capacity * sizeof(uint16_t)) +
           dn_client_round(capacity * presence_words(object) * sizeof(uint32_t));
}
