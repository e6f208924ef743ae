/* SPDX-License-Identifier: Apache-2.0 */
/* A small pool, searched in order: only requests with Block1 come here. */
#include "coap/stream.h"

void dn_coap_streams_init(dn_coap_streams *streams, dn_coap_arena *arena, dn_coap_remotes *remotes,
                          dn_wheel *wheel, uint32_t count, uint32_t timeout_ms)
{
    dn_coap_stream *at = dn_coap_arena_take(arena, count, sizeof *at);
    *streams = (dn_coap_streams){at, remotes, wheel, count, timeout_ms, 0};
    for (uint32_t i = 0; at != NULL && i < count; i++) {
        at[i] = (dn_coap_stream){.timer.kind = DN_COAP_TIMER_STREAM};
    }
}

dn_coap_stream *dn_coap_stream_find(const dn_coap_streams *streams, uint32_t remote, uint64_t key)
{
    for (uint32_t i = 0; i < streams->count; i++) {
        dn_coap_stream *candidate = &streams->at[i];
        if (candidate->serial != 0 && candidate->remote == remote && candidate->key == key) {
            return candidate;
        }
    }
    return NULL;
}

dn_coap_stream *dn_coap_stream_of(const dn_coap_streams *streams, uint32_t remote)
{
    for (uint32_t i = 0; i < streams->count; i++) {
        if (streams->at[i].serial != 0 && streams->at[i].remote == remote) {
            return &streams->at[i];
        }
    }
    return NULL;
}

dn_coap_stream *dn_coap_stream_over_share(const dn_coap_streams *streams, uint32_t remote)
{
    uint32_t count = 0;
    dn_coap_stream *oldest = NULL;
    for (uint32_t i = 0; i < streams->count; i++) {
        dn_coap_stream *candidate = &streams->at[i];
        if (candidate->serial != 0 && candidate->remote == remote) {
            count++;
            oldest = oldest == NULL || candidate->used_ms < oldest->used_ms ? candidate : oldest;
        }
    }
    return count >= (streams->count + 1) / 2 ? oldest : NULL;
}

dn_coap_stream *dn_coap_stream_start(dn_coap_streams *streams, uint32_t remote, uint64_t key, uint16_t mid,
                                     uint64_t now_ms)
{
    for (uint32_t i = 0; i < streams->count; i++) {
        dn_coap_stream *made = &streams->at[i];
        if (made->serial == 0) {
            streams->serial = streams->serial == UINT32_MAX ? 1 : streams->serial + 1;
            made->serial = streams->serial;
            made->remote = remote;
            made->key = key;
            made->taken = 0;
            made->first_mid = mid;
            made->began_ms = now_ms;
            dn_coap_remote_hold(streams->remotes, remote);
            dn_coap_stream_touch(streams, made, now_ms);
            return made;
        }
    }
    return NULL;
}

void dn_coap_stream_touch(dn_coap_streams *streams, dn_coap_stream *stream, uint64_t now_ms)
{
    stream->used_ms = now_ms;
    dn_deadline_set(streams->wheel, &stream->timer.deadline, now_ms + streams->timeout_ms);
}

void dn_coap_stream_end(dn_coap_streams *streams, dn_coap_stream *stream)
{
    dn_deadline_cancel(streams->wheel, &stream->timer.deadline);
    stream->serial = 0;
    dn_coap_remote_release(streams->remotes, stream->remote);
}
