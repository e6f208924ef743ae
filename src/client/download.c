/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads over CoAP: the engine takes the blocks in, piece by piece. */
#include "client/download.h"

#include "client/account.h"
#include "client/bootstrap.h"
#include "client/registration.h"
#include "client/uri.h"
#include "client/way.h"
#include "coap/message.h"
#include <string.h>

#define SZX_BYTES(szx) (16u << (szx))
#define TYPE_SHIFT     4
#define TYPE_MASK      3u
#define TYPE_ACK       2u /* and 3 is Reset */

bool dn_client_download_expects(const dunlin_client *client, const dn_peer *peer, dunlin_slice datagram)
{
    if (client->download.exchange == 0 || !dn_peer_equal(&client->download.peer, peer) || datagram.len < 2) {
        return false;
    }
    /* Not a request, nor the empty message of a ping (RFC 7252 section 3). */
    const uint8_t code = datagram.data[1];
    return code >> 5 != 0 ||
           (code == DN_COAP_EMPTY && (datagram.data[0] >> TYPE_SHIFT & TYPE_MASK) >= TYPE_ACK);
}

static void note_etag(dn_download *download, dn_coap_options options)
{
    dunlin_slice etag;
    if (dn_coap_option_find(&options, DN_OPTION_ETAG, &etag) == DUNLIN_OK &&
        etag.len <= sizeof download->etag) {
        memcpy(download->etag, etag.data, etag.len);
        download->etag_len = (uint8_t)etag.len;
    }
}

/* ---- by which way ---- */

static bool supports(const dunlin_client *client, dn_transport transport)
{
    const dunlin_client_config *config = &client->config;
    return transport == DN_TRANSPORT_UDP ||
           (config->call.connect != NULL && dn_client_way_has(client, dn_client_way_letter(transport)) &&
            (!dn_transport_is_secure(transport) || config->credential_max > 0));
}

bool dunlin_client_downloads(const dunlin_client *client, const char *scheme)
{
    dn_transport transport;
    return dn_client_uri_scheme(scheme, &transport) && supports(client, transport);
}

/* While it is not certain that the server knows us, the way may be dead without anybody having said so. */
static bool is_ready(const dn_account *account)
{
    return !dn_client_bootstrap_active(account->client) && account->state == DN_REG_REGISTERED &&
           dn_client_way_open(account);
}

/*
 * The account whose server is at the place that the URI names: one with a way of that very transport, else one with a way, else any. An
 * account has one address for both UDP and TCP (Object 0, resource 0), so that what begins by the one may go on by the other.
 */
static dn_account *account_at(const dunlin_client *client, const char *uri, dn_transport transport)
{
    dn_account *best = NULL;
    unsigned best_rank = 0;
    for (dn_account *each = NULL; (each = dn_client_account_next(client, each)) != NULL;) {
        if (!dn_client_uri_same_place(each->security->uri, uri)) {
            continue;
        }
        const unsigned rank = !is_ready(each) ? 1 : each->way.transport != transport ? 2 : 3;
        if (rank > best_rank) {
            best = each;
            best_rank = rank;
        }
    }
    return best;
}

/* Its way was lost while there was nothing to send: to ask for another one is all that is missing. */
static bool is_to_be_asked(const dn_account *account)
{
    return account->state == DN_REG_REGISTERED && account->way.state == DN_WAY_NONE &&
           !dn_client_bootstrap_active(account->client);
}

/* Without any account it is not known yet which there will be. */
static bool is_known(const dunlin_client *client)
{
    return client->account_count > 0 && !client->pair_due && !dn_client_bootstrap_active(client);
}

bool dunlin_client_download_waits(const dunlin_client *client, const char *uri)
{
    dn_transport transport;
    if (dn_client_uri_transport(uri, &transport) != DUNLIN_OK || transport == DN_TRANSPORT_UDP ||
        !supports(client, transport)) {
        return false;
    }
    const dn_account *account = account_at(client, uri, transport);
    return account == NULL ? !is_known(client) : !is_ready(account) && !is_to_be_asked(account);
}

/* Nothing that is asked again before the server has shown that the way still leads to it. */
static void doubt(dn_account *account)
{
    dn_client_registration_want(account, DN_WANT_UPDATE);
}

/* The first block asked for may begin before what the application lacks. */
static bool on_piece(void *context, const dn_coap_response *head, uint64_t offset, uint64_t size, bool more)
{
    dunlin_client *client = context;
    dn_download *download = &client->download;
    dunlin_slice piece = head->payload;
    dunlin_slice etag;
    dn_coap_options options = head->options;
    if (offset < download->from) {
        const uint64_t known = download->from - offset;
        if (dn_coap_option_find(&options, DN_OPTION_ETAG, &etag) != DUNLIN_OK || known > piece.len) {
            download->status = DUNLIN_ERR_MALFORMED; /* nobody can say that it is still the same */
            return false;
        }
        piece = dunlin_slice_make(piece.data + known, piece.len - known);
        offset = download->from;
    }
    note_etag(download, head->options);
    download->status = download->call.take(download->call.context, offset, size, piece, more);
    return download->status == DUNLIN_OK;
}

static void on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response)
{
    dunlin_client *client = context;
    dn_download *download = &client->download;
    const uint8_t code = response == NULL ? 0 : response->code;
    if (exchange != download->exchange) {
        return; /* cancelled by the application, or its way has gone */
    }
    download->exchange = 0;
    if (status == DUNLIN_ERR_TIMEOUT && download->way != NULL) {
        doubt(download->way);
    }
    if (status == DUNLIN_ERR_CANCELLED && download->status != DUNLIN_OK) {
        status = download->status;
    } else if (status == DUNLIN_OK && code != DN_COAP_CONTENT) {
        status = code == DN_COAP_NOT_FOUND ? DUNLIN_ERR_NOT_FOUND : DUNLIN_ERR_REJECTED;
    }
    download->call.done(download->call.context, status, code);
}

void dn_client_download_cut(dn_account *account)
{
    dn_download *download = &account->client->download;
    if (download->exchange != 0 && download->way == account) {
        dunlin_client_download_cancel(account->client);
        download->call.done(download->call.context, DUNLIN_ERR_IO, 0);
    }
}

/* Before the end of what is there already, for at the end itself a server has no block (RFC 7959
   section 2.2). */
static uint64_t block_before(const dunlin_client *client, uint64_t from)
{
    uint64_t size = SZX_BYTES(0);
    while (size * 2 <= client->config.block_size) {
        size *= 2;
    }
    return from == 0 ? 0 : (from - 1) / size * size;
}

static dunlin_status resolve(dunlin_client *client, const dn_uri *uri, dn_peer *peer)
{
    const dunlin_client_callbacks *call = &client->config.call;
    dunlin_peer found;
    memset(&found, 0, sizeof found);
    if (call->resolve(call->context, uri->server, &found) != DUNLIN_OK) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    peer->len = found.len;
    memcpy(peer->bytes, found.bytes, sizeof peer->bytes);
    return DUNLIN_OK;
}

/* Whom to ask. What has no account is asked for as a stranger, which is possible without security alone. */
static dunlin_status find(dunlin_client *client, const dn_uri *uri, dn_account **way, dn_peer *peer)
{
    dn_account *account = account_at(client, uri->server, uri->transport);
    if (account != NULL && is_ready(account) &&
        (uri->transport != DN_TRANSPORT_UDP || account->way.transport == DN_TRANSPORT_UDP)) {
        *way = uri->transport == DN_TRANSPORT_UDP ? NULL : account; /* datagrams without security need none */
        *peer = account->peer;
        return DUNLIN_OK;
    }
    if (uri->transport == DN_TRANSPORT_UDP) {
        return resolve(client, uri, peer);
    }
    if (account != NULL) {
        dn_client_registration_need(account);
        return DUNLIN_ERR_IO;
    }
    if (!is_known(client)) {
        return DUNLIN_ERR_IO;
    }
    dn_log_at(&client->log, DN_LOG_WARN, DN_CLIENT_AREA,
              "no server account is at %s: nothing is got from there", uri->server);
    return DUNLIN_ERR_NOT_FOUND;
}

dunlin_status dunlin_client_download(dunlin_client *client, const char *uri_text, uint64_t from,
                                     const uint8_t *etag, size_t etag_len, const dunlin_download *call)
{
    dn_download *download = &client->download;
    dn_account *way = NULL;
    dn_uri uri;
    dn_peer peer;
    if (download->exchange != 0) {
        return DUNLIN_ERR_STATE;
    }
    if (etag_len > sizeof download->etag || call->take == NULL || call->done == NULL) {
        return DUNLIN_ERR_ARGUMENT;
    }
    dunlin_status status = dn_client_uri_read(&uri, uri_text);
    if (status == DUNLIN_OK) {
        status = supports(client, uri.transport) ? find(client, &uri, &way, &peer) : DUNLIN_ERR_UNSUPPORTED;
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    uint8_t known[sizeof download->etag] = {0}; /* the caller's may be a copy of ours, which goes now */
    if (etag_len > 0) {
        memcpy(known, etag, etag_len);
    }
    memset(download, 0, sizeof *download);
    download->call = *call;
    download->peer = peer;
    download->way = way;
    download->from = etag_len == 0 ? 0 : from;
    download->sink = (dn_coap_sink){on_piece, client};

    dn_coap_outgoing request;
    dn_coap_outgoing_init(&request, DN_COAP_GET);
    request.confirmable = true;
    request.options = uri.options;
    request.option_count = uri.option_count;
    request.sink = &download->sink;
    request.from = block_before(client, download->from);
    if (download->from > 0) {
        request.from_etag = dunlin_slice_make(known, etag_len);
    }
    return dn_coap_request(client->coap, &peer, &request, on_result, client, client->now_ms,
                           &download->exchange);
}

size_t dunlin_client_download_etag(const dunlin_client *client, uint8_t out[8])
{
    memcpy(out, client->download.etag, client->download.etag_len);
    return client->download.etag_len;
}

void dunlin_client_download_cancel(dunlin_client *client)
{
    const uint64_t exchange = client->download.exchange;
    client->download.exchange = 0;
    if (exchange != 0) {
        (void)dn_coap_cancel(client->coap, exchange);
    }
}
