/* SPDX-License-Identifier: Apache-2.0 */
/* epoll, eventfd and signalfd behind a few functions. */
#include "port/loop.h"
#include "port/clock.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64

static void on_wake(void *context, unsigned events)
{
    dn_loop *loop = context;
    uint64_t count;
    (void)events;
    if (read(loop->wake.fd, &count, sizeof count) == (ssize_t)sizeof count && loop->woken != NULL) {
        loop->woken(loop->woken_context);
    }
}

dunlin_status dn_loop_open(dn_loop *loop, void (*woken)(void *context), void *context)
{
    *loop = (dn_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC), .woken = woken, .woken_context = context};
    loop->wake = (dn_loop_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_wake, loop};
    if (loop->epoll_fd < 0 || loop->wake.fd < 0 ||
        dn_loop_add(loop, &loop->wake, DN_LOOP_READ) != DUNLIN_OK) {
        int reason = errno;
        dn_loop_close(loop);
        errno = reason;
        return DUNLIN_ERR_IO;
    }
    return DUNLIN_OK;
}

void dn_loop_close(dn_loop *loop)
{
    if (loop->wake.fd >= 0) {
        (void)close(loop->wake.fd);
        loop->wake.fd = -1;
    }
    if (loop->epoll_fd >= 0) {
        (void)close(loop->epoll_fd);
        loop->epoll_fd = -1;
    }
}

static dunlin_status control(dn_loop *loop, int operation, dn_loop_watch *watch, unsigned events)
{
    struct epoll_event event = {.data.ptr = watch};
    event.events = ((events & DN_LOOP_READ) != 0 ? (unsigned)EPOLLIN : 0u) |
                   ((events & DN_LOOP_WRITE) != 0 ? (unsigned)EPOLLOUT : 0u);
    return epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) == 0 ? DUNLIN_OK : DUNLIN_ERR_IO;
}

dunlin_status dn_loop_add(dn_loop *loop, dn_loop_watch *watch, unsigned events)
{
    return control(loop, EPOLL_CTL_ADD, watch, events);
}

dunlin_status dn_loop_change(dn_loop *loop, dn_loop_watch *watch, unsigned events)
{
    return control(loop, EPOLL_CTL_MOD, watch, events);
}

void dn_loop_remove(dn_loop *loop, dn_loop_watch *watch)
{
    (void)control(loop, EPOLL_CTL_DEL, watch, 0);
    watch->ready = NULL; /* an event of this turn may still name it */
}

static int wait_ms(uint64_t until_ms)
{
    if (until_ms == DN_NEVER) {
        return -1;
    }
    uint64_t now_ms = dn_clock_ms();
    uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

dunlin_status dn_loop_turn(dn_loop *loop, uint64_t until_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(until_ms));
    if (count < 0) {
        return errno == EINTR ? DUNLIN_END : DUNLIN_ERR_IO;
    }
    for (int i = 0; i < count; i++) {
        dn_loop_watch *watch = events[i].data.ptr;
        unsigned happened = ((events[i].events & EPOLLIN) != 0 ? (unsigned)DN_LOOP_READ : 0u) |
                            ((events[i].events & EPOLLOUT) != 0 ? (unsigned)DN_LOOP_WRITE : 0u) |
                            ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0 ? (unsigned)DN_LOOP_HANGUP : 0u);
        if (watch->ready != NULL) {
            watch->ready(watch->context, happened);
        }
    }
    return count > 0 ? DUNLIN_OK : DUNLIN_END;
}

void dn_loop_wake(dn_loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(loop->wake.fd, &one, sizeof one); /* full means that a wake is pending already */
    (void)written;
}

int dn_signals_open(const int *signals, unsigned count)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (unsigned i = 0; i < count; i++) {
        (void)sigaddset(&set, signals[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int dn_signals_take(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
