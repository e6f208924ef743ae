/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 dates in the proleptic Gregorian calendar. */
#include "codec/date.h"

#define DATE_LEN        19 /* "2013-03-21T20:04:00" */
#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA    146097 /* 400 years */
#define DAYS_TO_EPOCH   719468 /* from 0000-03-01 to 1970-01-01 */

/* Two or four digits, or -1. */
static int digits_at(dunlin_slice text, size_t at, size_t count)
{
    int value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.len || text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static int days_in_month(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (leap && month == 2);
}

/* Days since the epoch. Years are counted from March, so that the leap day is the last one. */
static int64_t days_of(int year, int month, int day)
{
    year -= month <= 2;
    int era = (year >= 0 ? year : year - 399) / 400;
    int year_of_era = year - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

/* "Z" or "+hh:mm" at the end of the text: minutes east of UTC. */
static bool read_offset(dunlin_slice text, size_t at, int *minutes)
{
    if (at < text.len && (text.data[at] == 'Z' || text.data[at] == 'z')) {
        *minutes = 0;
        return at + 1 == text.len;
    }
    if (at + 6 != text.len || (text.data[at] != '+' && text.data[at] != '-') || text.data[at + 3] != ':') {
        return false;
    }
    int hour = digits_at(text, at + 1, 2);
    int minute = digits_at(text, at + 4, 2);
    *minutes = (hour * 60 + minute) * (text.data[at] == '-' ? -1 : 1);
    return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59;
}

/* ".000": moves behind it and tells whether all its digits are 0; false if there are none. */
static bool skip_fraction(dunlin_slice text, size_t *at, bool *zero)
{
    *zero = true;
    if (*at >= text.len || text.data[*at] != '.') {
        return true;
    }
    size_t first = ++*at;
    for (int digit; (digit = digits_at(text, *at, 1)) >= 0; (*at)++) {
        *zero = *zero && digit == 0;
    }
    return *at > first;
}

static bool has_separators(dunlin_slice text)
{
    return text.data[4] == '-' && text.data[7] == '-' && (text.data[10] | 0x20) == 't' &&
           text.data[13] == ':' && text.data[16] == ':';
}

dunlin_status dn_date_read(dunlin_slice text, int64_t *unix_s)
{
    if (text.len <= DATE_LEN || !has_separators(text)) {
        return DUNLIN_ERR_MALFORMED;
    }
    int year = digits_at(text, 0, 4);
    int month = digits_at(text, 5, 2);
    int day = digits_at(text, 8, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return DUNLIN_ERR_MALFORMED;
    }
    int hour = digits_at(text, 11, 2);
    int minute = digits_at(text, 14, 2);
    int second = digits_at(text, 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
        return DUNLIN_ERR_MALFORMED;
    }
    size_t at = DATE_LEN;
    bool whole;
    int offset;
    if (!skip_fraction(text, &at, &whole) || !read_offset(text, at, &offset)) {
        return DUNLIN_ERR_MALFORMED;
    }
    if (!whole) {
        return DUNLIN_ERR_TYPE;
    }
    int64_t of_day = (int64_t)hour * 3600 + (int64_t)(minute - offset) * 60 + second;
    *unix_s = days_of(year, month, day) * SECONDS_PER_DAY + of_day;
    return DUNLIN_OK;
}
