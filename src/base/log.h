/* SPDX-License-Identifier: Apache-2.0 */
/* The log hook: libraries say what happened; the application decides where it goes. Never a secret, never a payload. */
#ifndef DN_BASE_LOG_H
#define DN_BASE_LOG_H

typedef enum { DN_LOG_DEBUG, DN_LOG_INFO, DN_LOG_WARN, DN_LOG_ERROR } dn_log_level;

typedef struct {
    void (*write)(void *context, dn_log_level level, const char *area, const char *message);
    void *context;
    dn_log_level least; /* messages below it are not formatted */
} dn_log;

/* Formats (printf) into at most 256 bytes and hands it on; `log` may be NULL. `area` is the layer's name, "coap", "server". */
void dn_log_at(const dn_log *log, dn_log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
