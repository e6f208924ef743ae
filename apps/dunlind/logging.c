/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines; see logging.h. */
#include "logging.h"

#include "api/json_write.h"
#include "api/timestamp.h"
#include "port/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 1024u

static const char *const level_names[] = {
    [DN_LOG_DEBUG] = "debug", [DN_LOG_INFO] = "info", [DN_LOG_WARN] = "warn", [DN_LOG_ERROR] = "error"};
/* syslog's numbers, as sd-daemon(3) wants them. */
static const int priorities[] = {
    [DN_LOG_DEBUG] = 7, [DN_LOG_INFO] = 6, [DN_LOG_WARN] = 4, [DN_LOG_ERROR] = 3};

const char *logging_level_name(dn_log_level level)
{
    return level_names[level];
}

static void put_text(dn_text *line, dn_log_level level, const char *area, const char *message)
{
    char time[DN_TIMESTAMP_MAX];
    dn_jsonw json;
    dn_timestamp_ms(dn_clock_wall_ms(), time);
    dn_text_format(line, "%s level=%s area=%s msg=", time, level_names[level], area);
    /* A message may quote what a device sent: escaped, it stays one line. */
    dn_jsonw_start(&json, line);
    dn_jsonw_text(&json, message);
}

static void put_json(dn_text *line, dn_log_level level, const char *area, const char *message)
{
    dn_jsonw json;
    dn_jsonw_start(&json, line);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair_time(&json, "time", dn_clock_wall_ms());
    dn_jsonw_pair(&json, "level", level_names[level]);
    dn_jsonw_pair(&json, "area", area);
    dn_jsonw_pair(&json, "message", message);
    dn_jsonw_end(&json, '}');
}

static void put_journal(dn_text *line, dn_log_level level, const char *area, const char *message)
{
    char one_line[MESSAGE_MAX];
    size_t len = 0;
    for (; message[len] != 0 && len + 1 < sizeof one_line; len++) {
        one_line[len] = (unsigned char)message[len] < 0x20 ? ' ' : message[len];
    }
    one_line[len] = 0;
    dn_text_format(line, "<%d>%s: %s", priorities[level], area, one_line);
}

static void write_line(void *context, dn_log_level level, const char *area, const char *message)
{
    const logging *to = context;
    dn_text line = {0};
    if (to->format == LOG_JSON) {
        put_json(&line, level, area, message);
    } else if (to->format == LOG_JOURNAL) {
        put_journal(&line, level, area, message);
    } else {
        put_text(&line, level, area, message);
    }
    dn_text_char(&line, '\n');
    if (!line.failed) {
        /* One call: lines of several threads do not mix. Nothing can be done when it fails. */
        ssize_t written = write(to->fd, line.data, line.len);
        (void)written;
    }
    dn_text_free(&line);
}

void logging_init(logging *to, dn_log_level level, log_format format)
{
    *to = (logging){.format = format, .fd = STDERR_FILENO};
    to->log = (dn_log){.write = write_line, .context = to, .least = level};
}

void logging_level(logging *to, dn_log_level level)
{
    __atomic_store_n(&to->log.least, level, __ATOMIC_RELAXED);
}
