/* SPDX-License-Identifier: Apache-2.0 */
/* Formatting for the log hook: the part of printf that log messages use, without stdio and its heap. */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MESSAGE_MAX 255
#define DIGITS_MAX  20 /* of UINT64_MAX in decimal */

typedef struct {
    char text[MESSAGE_MAX + 1];
    size_t len;
} message;

/* One conversion as it was written: %-08.3lx */
typedef struct {
    bool left;
    bool zero;
    size_t width;
    bool has_precision;
    size_t precision;
    int longs;  /* 0 int, 1 long, 2 long long or intmax_t */
    bool sized; /* size_t or ptrdiff_t */
    char kind;
} conversion;

static void put(message *m, const char *text, size_t len)
{
    size_t room = MESSAGE_MAX - m->len;
    size_t part = len < room ? len : room;
    memcpy(m->text + m->len, text, part);
    m->len += part;
}

static void pad(message *m, char with, size_t len, size_t width)
{
    for (; len < width && m->len < MESSAGE_MAX; len++) {
        put(m, &with, 1);
    }
}

static void put_field(message *m, const conversion *c, const char *text, size_t len)
{
    if (!c->left) {
        pad(m, ' ', len, c->width);
    }
    put(m, text, len);
    if (c->left) {
        pad(m, ' ', len, c->width);
    }
}

static void put_number(message *m, const conversion *c, uint64_t magnitude, bool negative, unsigned radix)
{
    const char *digits = c->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[1 + DIGITS_MAX];
    size_t start = sizeof text;
    do {
        text[--start] = digits[magnitude % radix];
        magnitude /= radix;
    } while (magnitude != 0);
    size_t len = sizeof text - start;
    if (c->zero && !c->left) {
        put(m, "-", negative ? 1 : 0);
        pad(m, '0', len + (negative ? 1 : 0), c->width);
        put(m, text + start, len);
        return;
    }
    if (negative) {
        text[--start] = '-';
        len++;
    }
    put_field(m, c, text + start, len);
}

static size_t read_count(const char **at, va_list *arguments)
{
    if (**at == '*') {
        (*at)++;
        int count = va_arg(*arguments, int);
        return count < 0 ? 0 : (size_t)count;
    }
    size_t count = 0;
    for (; **at >= '0' && **at <= '9' && count < MESSAGE_MAX; (*at)++) {
        count = count * 10 + (size_t)(**at - '0');
    }
    return count;
}

static const char *read_conversion(const char *at, conversion *c, va_list *arguments)
{
    memset(c, 0, sizeof *c);
    for (; *at == '-' || *at == '0'; at++) {
        c->left = c->left || *at == '-';
        c->zero = c->zero || *at == '0';
    }
    c->width = read_count(&at, arguments);
    if (*at == '.') {
        at++;
        c->has_precision = true;
        c->precision = read_count(&at, arguments);
    }
    for (; *at == 'h' || *at == 'l' || *at == 'z' || *at == 'j' || *at == 't'; at++) {
        c->longs += *at == 'l' ? 1 : *at == 'j' ? 2 : 0;
        c->sized = c->sized || *at == 'z' || *at == 't';
    }
    c->kind = *at;
    return *at == '\0' ? at : at + 1;
}

static int64_t next_signed(const conversion *c, va_list *arguments)
{
    if (c->sized) {
        return va_arg(*arguments, ptrdiff_t);
    }
    switch (c->longs) {
    case 0:
        return va_arg(*arguments, int);
    case 1:
        return va_arg(*arguments, long);
    default:
        return va_arg(*arguments, long long);
    }
}

static uint64_t next_unsigned(const conversion *c, va_list *arguments)
{
    if (c->sized) {
        return va_arg(*arguments, size_t);
    }
    switch (c->longs) {
    case 0:
        return va_arg(*arguments, unsigned);
    case 1:
        return va_arg(*arguments, unsigned long);
    default:
        return va_arg(*arguments, unsigned long long);
    }
}

static void put_text(message *m, const conversion *c, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    size_t most = c->has_precision ? c->precision : MESSAGE_MAX;
    const char *end = memchr(text, '\0', most);
    put_field(m, c, text, end == NULL ? most : (size_t)(end - text));
}

/* False for a conversion that is not known: what follows in the argument list can then not be found. */
static bool put_conversion(message *m, const conversion *c, va_list *arguments)
{
    switch (c->kind) {
    case 'd':
    case 'i': {
        int64_t value = next_signed(c, arguments);
        put_number(m, c, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, 10);
        return true;
    }
    case 'u':
        put_number(m, c, next_unsigned(c, arguments), false, 10);
        return true;
    case 'x':
    case 'X':
        put_number(m, c, next_unsigned(c, arguments), false, 16);
        return true;
    case 'p':
        put_number(m, c, (uintptr_t)va_arg(*arguments, void *), false, 16);
        return true;
    case 'c': {
        char letter = (char)va_arg(*arguments, int);
        put_field(m, c, &letter, 1);
        return true;
    }
    case 's':
        put_text(m, c, va_arg(*arguments, const char *));
        return true;
    case '%':
        put(m, "%", 1);
        return true;
    default:
        put(m, "%?", 2);
        return false;
    }
}

/* What the other end of a connection said may be part of a message: it must neither begin a line of its own in a log nor steer a terminal.
   Control characters are ASCII's and, in UTF-8, those of C2 80 to C2 9F. */
static void blank_controls(message *m)
{
    for (size_t i = 0; i < m->len; i++) {
        const unsigned char at = (unsigned char)m->text[i];
        const unsigned char next = i + 1 < m->len ? (unsigned char)m->text[i + 1] : 0;
        if (at < 0x20 || at == 0x7f) {
            m->text[i] = '?';
        } else if (at == 0xc2 && next >= 0x80 && next < 0xa0) {
            m->text[i] = m->text[i + 1] = '?';
        }
    }
}

void dn_log_at(const dn_log *log, dn_log_level level, const char *area, const char *format, ...)
{
    if (!dn_log_wants(log, level)) {
        return;
    }
    message m;
    m.len = 0;
    va_list arguments;
    va_start(arguments, format);
    for (bool known = true; known && *format != '\0';) {
        size_t plain = strcspn(format, "%");
        put(&m, format, plain);
        format += plain;
        if (*format == '%') {
            conversion c;
            format = read_conversion(format + 1, &c, &arguments);
            known = put_conversion(&m, &c, &arguments);
        }
    }
    va_end(arguments);
    blank_controls(&m);
    m.text[m.len] = '\0';
    log->write(log->context, level, area, m.text);
}
