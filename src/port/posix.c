/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of the POSIX port: dunlin/posix.h on top of port/transport.h. */
#include <dunlin/posix.h>

#include "port/card_file.h"
#include "port/clock.h"
#include "port/enroll.h"
#include "port/entropy.h"
#include "port/state_restore.h"
#include "port/transport.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CREDENTIAL_MAX 2048u
#define STREAM_MESSAGE 8192u
#define IMAGE_LEAST    16384u
#define TEXT_MAX       512u
#define AREA           "posix"

struct dunlin_posix {
    dunlin_posix_config config;
    dn_ways *ways;
    dn_entropy entropy;
    dn_state_file *state;
    dn_enrolling *enrolling;
    char *card; /* name of its file */
    bool attached;
    uint8_t roots[];
};

static dunlin_status on_connect(void *context, const dunlin_way *way, dunlin_peer *peer)
{
    return dn_ways_connect(((dunlin_posix *)context)->ways, way, peer);
}

static void on_disconnect(void *context, uint16_t server)
{
    dn_ways_disconnect(((dunlin_posix *)context)->ways, server);
}

static void on_send(void *context, const dunlin_peer *peer, dunlin_slice message)
{
    dn_ways_send(((dunlin_posix *)context)->ways, peer, message);
}

static dunlin_status on_resolve(void *context, const char *uri, dunlin_peer *peer)
{
    return dn_ways_resolve(((dunlin_posix *)context)->ways, uri, peer);
}

static void on_random(void *context, void *out, size_t len)
{
    dunlin_posix *p = context;
    const dn_random random = dn_entropy_random(&p->entropy);
    random.fill(random.context, out, len);
}

static void on_event(void *context, const dunlin_client_event *event)
{
    const dunlin_posix *p = context;
    if (p->config.event != NULL) {
        p->config.event(p->config.context, event);
    }
}

static void on_log(void *context, dunlin_log_level level, const char *area, const char *message)
{
    const dunlin_posix *p = context;
    if (p->config.log != NULL) {
        p->config.log(p->config.context, level, area, message);
    }
}

static dunlin_status on_save(void *context, dunlin_slice image)
{
    dunlin_posix *p = context;
    const dunlin_status status = dn_state_file_save(p->state, image);
    if (status == DUNLIN_ERR_IO) {
        char text[TEXT_MAX];
        (void)snprintf(text, sizeof text, "the state cannot be written: %s", strerror(errno));
        on_log(p, DUNLIN_LOG_ERROR, AREA, text);
    }
    return status;
}

static dunlin_status on_smartcard(void *context, dunlin_buf *file)
{
    return dn_card_file_read(((dunlin_posix *)context)->card, file);
}

static int64_t on_unix_s(void *context)
{
    (void)context;
    return (int64_t)time(NULL);
}

static void on_way(void *context, const dn_ways_event *event)
{
    static const dunlin_posix_event_kind kinds[] = {[DN_WAYS_UP] = DUNLIN_POSIX_UP,
                                                    [DN_WAYS_DOWN] = DUNLIN_POSIX_DOWN,
                                                    [DN_WAYS_FAULT] = DUNLIN_POSIX_FAULT};
    const dunlin_posix *p = context;
    const dunlin_posix_event told = {.kind = kinds[event->kind],
                                     .server = event->server,
                                     .uri = event->uri,
                                     .suite = event->suite,
                                     .resumed = event->is_resumed,
                                     .handshake_ms = event->handshake_ms,
                                     .status = event->status,
                                     .alert = event->alert,
                                     .why = event->why};
    if (p->config.ways != NULL) {
        p->config.ways(p->config.context, &told);
    }
}

static void on_refine(void *context, uint16_t server, dn_tls_client_config *config)
{
    const dunlin_posix *p = context;
    config->roots = p->config.roots;
    dn_enrolling_refine(p->enrolling, server, config);
    config->suites = p->config.cbc ? DN_TLS_SUITES_MANDATED : DN_TLS_SUITES_CCM8;
}

dunlin_posix_config dunlin_posix_config_default(void)
{
    return (dunlin_posix_config){.local = NULL};
}

static dunlin_status open_files(dunlin_posix *p)
{
    char text[TEXT_MAX] = "";
    p->enrolling = dn_enrolling_create(NULL, NULL);
    if (p->enrolling == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    if (p->config.smartcard != NULL) {
        p->card = strdup(p->config.smartcard);
        if (p->card == NULL) {
            return DUNLIN_ERR_MEMORY;
        }
    }
    const dunlin_status status = p->config.state == NULL
                                     ? DUNLIN_OK
                                     : dn_state_file_open(p->config.state, &p->state, text, sizeof text);
    if (status != DUNLIN_OK) {
        on_log(p, DUNLIN_LOG_ERROR, AREA, text);
    }
    return status;
}

static void close_files(dunlin_posix *p)
{
    dn_enrolling_destroy(p->enrolling);
    dn_state_file_close(p->state);
    free(p->card);
}

dunlin_status dunlin_posix_create(const dunlin_posix_config *config, dunlin_posix **posix)
{
    dunlin_posix *p = calloc(1, sizeof *p + config->roots.len);
    if (p == NULL) {
        return DUNLIN_ERR_MEMORY;
    }
    p->config = *config;
    if (config->roots.len > 0) {
        memcpy(p->roots, config->roots.data, config->roots.len);
        p->config.roots = dunlin_slice_make(p->roots, config->roots.len);
    }
    dn_ways_config ways = dn_ways_config_default();
    ways.local = config->local;
    ways.max_stream_message = STREAM_MESSAGE;
    ways.event = on_way;
    ways.refine = on_refine;
    ways.context = p;
    dunlin_status status = open_files(p);
    if (status == DUNLIN_OK) {
        status = dn_ways_create(&ways, &p->ways);
    }
    if (status != DUNLIN_OK) {
        const int why = errno;
        close_files(p);
        free(p);
        errno = why;
        return status;
    }
    *posix = p;
    return DUNLIN_OK;
}

void dunlin_posix_destroy(dunlin_posix *posix)
{
    if (posix != NULL) {
        dn_ways_destroy(posix->ways);
        close_files(posix);
        free(posix);
    }
}

void dunlin_posix_fill(dunlin_posix *posix, dunlin_client_config *config)
{
    config->enroll = dn_enrolling_callbacks(posix->enrolling);
    config->call = (dunlin_client_callbacks){.send = on_send,
                                             .random = on_random,
                                             .resolve = on_resolve,
                                             .connect = on_connect,
                                             .disconnect = on_disconnect,
                                             .event = on_event,
                                             .log = on_log,
                                             .unix_s = on_unix_s,
                                             .save = posix->state == NULL ? NULL : on_save,
                                             .smartcard = posix->card == NULL ? NULL : on_smartcard,
                                             .context = posix};
    config->credential_max = config->credential_max != 0 ? config->credential_max : CREDENTIAL_MAX;
    config->stream_message = config->stream_message != 0 ? config->stream_message : STREAM_MESSAGE;
    config->image_max = config->image_max > IMAGE_LEAST ? config->image_max : IMAGE_LEAST;
}

dunlin_status dunlin_posix_restore(dunlin_posix *posix, dunlin_client *client)
{
    char text[TEXT_MAX] = "";
    if (posix->state == NULL) {
        return DUNLIN_ERR_NOT_FOUND;
    }
    const dunlin_status status = dn_state_restore(posix->state, client, text, sizeof text);
    if (status != DUNLIN_OK) {
        on_log(posix, status == DUNLIN_ERR_NOT_FOUND ? DUNLIN_LOG_INFO : DUNLIN_LOG_ERROR, AREA, text);
    }
    return status;
}

void dunlin_posix_turn(dunlin_posix *posix, dunlin_client *client, uint32_t most_ms)
{
    if (!posix->attached) {
        dn_ways_attach(posix->ways, client);
        posix->attached = true;
    }
    dunlin_client_step(client, dn_clock_ms());
    dn_ways_flush(posix->ways);
    const uint64_t now_ms = dn_clock_ms();
    const uint64_t due_ms[] = {dunlin_client_deadline(client), dn_ways_deadline(posix->ways)};
    uint64_t until_ms = now_ms + most_ms;
    for (size_t i = 0; i < sizeof due_ms / sizeof due_ms[0]; i++) {
        until_ms = due_ms[i] < until_ms ? due_ms[i] : until_ms;
    }
    struct pollfd fds[DN_WAYS_FDS_MAX];
    const size_t count = dn_ways_fds(posix->ways, fds);
    const uint64_t wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    /* More than an int holds is below 0, which is for ever. */
    (void)poll(fds, (nfds_t)count, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX);
    dn_ways_work(posix->ways);
    dunlin_client_step(client, dn_clock_ms());
    dn_ways_flush(posix->ways);
}

uint64_t dunlin_posix_now_ms(void)
{
    return dn_clock_ms();
}
