/* SPDX-License-Identifier: Apache-2.0 */
/* Times as ISO 8601; see timestamp.h. The calendar is computed here: gmtime and timegm depend on locale and time zone files. */
#include "api/timestamp.h"

#include <stdio.h>
#include <string.h>

#define DAY_S      86400
#define ERA_DAYS   146097 /* 400 years of the Gregorian calendar */
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */

typedef struct {
    int64_t year;
    int month, day;
} civil;

/* Counts in years that begin in March, so that the leap day is the last day. */
static civil civil_of_days(int64_t days)
{
    days += EPOCH_DAYS;
    int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day_of_era = days - era * ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (int)((5 * day_of_year + 2) / 153);
    civil date = {.year = year_of_era + era * 400,
                  .month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
                  .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1)};
    if (date.month <= 2) {
        date.year++;
    }
    return date;
}

static int64_t days_of_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static char *put_digits(char *at, int count, int number)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + count;
}

/* `ms` below 0: no fraction. */
static size_t write_time(int64_t unix_s, int ms, char *out)
{
    int64_t days = unix_s / DAY_S;
    int64_t rest = unix_s % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    civil date = civil_of_days(days);
    if (date.year < 0 || date.year > 9999) {
        out[0] = 0;
        return 0;
    }
    char *at = put_digits(out, 4, (int)date.year);
    *at++ = '-';
    at = put_digits(at, 2, date.month);
    *at++ = '-';
    at = put_digits(at, 2, date.day);
    *at++ = 'T';
    at = put_digits(at, 2, (int)(rest / 3600));
    *at++ = ':';
    at = put_digits(at, 2, (int)(rest / 60 % 60));
    *at++ = ':';
    at = put_digits(at, 2, (int)(rest % 60));
    if (ms >= 0) {
        *at++ = '.';
        at = put_digits(at, 3, ms);
    }
    *at++ = 'Z';
    *at = 0;
    return (size_t)(at - out);
}

size_t dn_timestamp_ms(int64_t unix_ms, char *out)
{
    int64_t seconds = unix_ms / 1000;
    int ms = (int)(unix_ms % 1000);
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    return write_time(seconds, ms, out);
}

size_t dn_timestamp_s(int64_t unix_s, char *out)
{
    return write_time(unix_s, -1, out);
}

/* Reads exactly `count` digits at *at and moves on; -1 when they are not there. */
static int take_digits(dunlin_slice text, size_t *at, size_t count)
{
    if (count > text.len - *at) {
        return -1;
    }
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t c = text.data[*at + i];
        if (c < '0' || c > '9') {
            return -1;
        }
        number = number * 10 + (c - '0');
    }
    *at += count;
    return number;
}

static bool take_char(dunlin_slice text, size_t *at, char upper, char lower)
{
    if (*at >= text.len || (text.data[*at] != (uint8_t)upper && text.data[*at] != (uint8_t)lower)) {
        return false;
    }
    (*at)++;
    return true;
}

static bool take_fraction(dunlin_slice text, size_t *at)
{
    if (!take_char(text, at, '.', ',')) {
        return true;
    }
    size_t first = *at;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
        (*at)++;
    }
    return *at > first;
}

static bool take_offset(dunlin_slice text, size_t *at, int64_t *offset_s)
{
    *offset_s = 0;
    if (take_char(text, at, 'Z', 'z')) {
        return true;
    }
    bool ahead = take_char(text, at, '+', '+');
    if (!ahead && !take_char(text, at, '-', '-')) {
        return false;
    }
    int hours = take_digits(text, at, 2);
    if (!take_char(text, at, ':', ':')) {
        return false;
    }
    int minutes = take_digits(text, at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return false;
    }
    *offset_s = (hours * 3600 + minutes * 60) * (ahead ? 1 : -1);
    return true;
}

bool dn_timestamp_parse(dunlin_slice text, int64_t *unix_s)
{
    size_t at = 0;
    int year = take_digits(text, &at, 4);
    bool good = year >= 0 && take_char(text, &at, '-', '-');
    int month = good ? take_digits(text, &at, 2) : -1;
    good = month >= 1 && month <= 12 && take_char(text, &at, '-', '-');
    int day = good ? take_digits(text, &at, 2) : -1;
    good = day >= 1 && day <= days_in_month(year, month) && take_char(text, &at, 'T', 't');
    int hour = good ? take_digits(text, &at, 2) : -1;
    good = hour >= 0 && hour <= 23 && take_char(text, &at, ':', ':');
    int minute = good ? take_digits(text, &at, 2) : -1;
    good = minute >= 0 && minute <= 59 && take_char(text, &at, ':', ':');
    int second = good ? take_digits(text, &at, 2) : -1;
    int64_t offset_s = 0;
    if (second < 0 || second > 60 || !take_fraction(text, &at) || !take_offset(text, &at, &offset_s) ||
        at != text.len) {
        return false;
    }
    *unix_s = days_of_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - offset_s;
    return true;
}
