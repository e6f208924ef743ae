/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small event loop over epoll: file descriptors with a callback each, a deadline given by the caller,
 * wake-ups from other threads, and signals as events.
 *
 * Threads: a loop belongs to one thread; dn_loop_wake may be called from any thread and from a signal
 * handler.
 */
#ifndef DN_PORT_LOOP_H
#define DN_PORT_LOOP_H

#include "base/deadline.h"
#include <dunlin/status.h>

enum { DN_LOOP_READ = 1, DN_LOOP_WRITE = 2, DN_LOOP_HANGUP = 4 /* reported, not asked for */ };

/* Owned by the caller, and in place from dn_loop_add to dn_loop_remove. */
typedef struct dn_loop_watch {
    int fd;
    void (*ready)(void *context, unsigned events);
    void *context;
} dn_loop_watch;

typedef struct {
    int epoll_fd;
    dn_loop_watch wake;
    void (*woken)(void *context);
    void *woken_context;
} dn_loop;

/* `woken` (may be NULL) is called on the loop's thread after dn_loop_wake; several wakes may give one call.
 * ERR_IO: errno says why. */
dunlin_status dn_loop_open(dn_loop *loop, void (*woken)(void *context), void *context);
void dn_loop_close(dn_loop *loop);
/* `events`: what to wait for, DN_LOOP_READ and DN_LOOP_WRITE or both. ERR_IO. */
dunlin_status dn_loop_add(dn_loop *loop, dn_loop_watch *watch, unsigned events);
dunlin_status dn_loop_change(dn_loop *loop, dn_loop_watch *watch, unsigned events);
/* Before its descriptor is closed. A callback may remove its own watch; another's only if that one is not
 * freed before the turn ends. */
void dn_loop_remove(dn_loop *loop, dn_loop_watch *watch);
/* One turn: waits until something is ready or dn_clock_ms() reaches `until_ms` (DN_NEVER: no limit; past:
   does not wait), and calls back. OK: something was; END: it was time; ERR_IO. */
dunlin_status dn_loop_turn(dn_loop *loop, uint64_t until_ms);
void dn_loop_wake(dn_loop *loop);

/* Blocks `count` signals for this and later threads, and gives a descriptor that is readable when one came.
 * -1: errno says why. */
int dn_signals_open(const int *signals, unsigned count);
/* The next signal that came, 0 if none. */
int dn_signals_take(int fd);

#endif
