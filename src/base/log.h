/* SPDX-License-Identifier: Apache-2.0 */
/* The log hook: libraries say what happened; the application decides where it goes. Never a secret, never a
 * payload. */
#ifndef DN_BASE_LOG_H
#define DN_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { DN_LOG_DEBUG, DN_LOG_INFO, DN_LOG_WARN, DN_LOG_ERROR } dn_log_level;

typedef struct {
    void (*write)(void *context, dn_log_level level, const char *area, const char *message);
    void *context;
    dn_log_level least; /* messages below it are not formatted */
} dn_log;

/*
 * Formats into at most 255 characters (a longer message is cut; control characters become '?', so that a message is one line whatever it
 * quotes) and hands it on; `log` and its `write` may be NULL. `area` is the layer's name, "coap", "server". Conversions: %c %s %.*s %d %i %u %x %X %p %%, with the
 * flags 0 and -, a width, and the lengths hh h l ll z j t. Not floats: printing one drags a large part of the
 * C library, and its heap, into a small device.
 */
void dn_log_at(const dn_log *log, dn_log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* True when a message of that level goes anywhere: for those whose arguments cost something to put into words. */
static inline bool dn_log_wants(const dn_log *log, dn_log_level level)
{
    return log != NULL && log->write != NULL && level >= __atomic_load_n(&log->least, __ATOMIC_RELAXED);
}

#endif
