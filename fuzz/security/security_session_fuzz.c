/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sessions, and somebody between them: the input says for each datagram, or chunk of a stream, whether it passes, is lost, changed, cut,
 * or replaced. Nothing may crash, hang or leak; what arrives decrypted is what was sent.
 *
 *   byte 0: bit 0 stream or datagrams, bits 1 and 2 the credentials
 *   then for each datagram an action (its low three bits) with what it needs
 */
#include "security/testpair.h"
#include "security/testworld.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
} script;

static uint8_t next(script *s)
{
    return s->at < s->end ? *s->at++ : 0;
}

static void meddle(void *context, bool to_server, uint8_t *bytes, size_t *len)
{
    (void)to_server;
    script *s = context;
    const uint8_t action = next(s);
    switch (action & 7u) {
    case 1:
        *len = 0;
        break;
    case 2: { /* a byte changed */
        const size_t at = ((size_t)next(s) << 8 | next(s)) % *len;
        bytes[at] ^= (uint8_t)(next(s) | 1u);
        break;
    }
    case 3: /* cut */
        *len = 1 + next(s) % *len;
        break;
    case 4: { /* another one in its place */
        size_t count = (size_t)next(s) + 1;
        *len = 0;
        while (count-- > 0 && *len < 512) {
            bytes[(*len)++] = next(s);
        }
        break;
    }
    case 5: { /* its head stays, the rest is another */
        const size_t from = 13 + next(s) % 32u;
        for (size_t i = from; i < *len && s->at < s->end; i++) {
            bytes[i] = next(s);
        }
        break;
    }
    default:
        break;
    }
}

static void check_got(const dn_testpair_end *end, const char *text)
{
    /* A session that is open at this end only may have got nothing; what it got is what was sent. */
    if (end->got_len > 0 && (end->got_len % strlen(text) != 0 || memcmp(end->got, text, strlen(text)) != 0)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static dn_testworld *world;
    static dn_tls_context *server, *clients[4];
    if (world == NULL) {
        world = dn_testworld_make();
        const dn_tls_server_config server_config = dn_testworld_server(world);
        server = dn_testworld_make_server(&server_config);
        for (uint8_t i = 0; i < 4; i++) {
            dn_tls_client_config config = dn_testworld_client(world, i % 3, 2);
            config.suites = i == 3 ? DN_TLS_SUITES_CBC : DN_TLS_SUITES_MANDATED;
            clients[i] = dn_testworld_make_client(&config);
        }
    }
    if (size == 0) {
        return 0;
    }
    static dn_testpair pair;
    script s = {data + 1, data + size};
    dn_testpair_init(&pair, server, clients[data[0] >> 1 & 3u], (data[0] & 1u) == 0, data[0]);
    pair.tap = meddle;
    pair.tap_context = &s;
    (void)dn_testpair_run(&pair);
    dn_testpair_settle(&pair, 200000);
    if (pair.client.session != NULL && dn_tls_state_of(pair.client.session) == DN_TLS_OPEN) {
        (void)dn_tls_send(pair.client.session, dunlin_slice_of("from the client"), pair.now_ms);
        (void)dn_tls_send(pair.client.session, dunlin_slice_of("from the client"), pair.now_ms);
    }
    dn_testpair_settle(&pair, 1000);
    check_got(&pair.server, "from the client");
    check_got(&pair.client, "nobody has sent anything to it");
    dn_testpair_clear(&pair);
    return 0;
}
