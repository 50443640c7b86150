/* SPDX-License-Identifier: MIT */
/*
 * Dates as HTTP writes them, without the C library's locale and time zone.
 */
#include "scan.h"

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct moment {
    int64_t year;
    unsigned month, day, hour, minute, second; /* month and day from 1 */
};

/* Days since 1970 of a day of the Gregorian calendar. Years are counted from
 * March, so that a leap day is the last of its year. */
static int64_t day_number(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
    int64_t leaps = of_era / 4 - of_era / 100;
    return era * 146097 + of_era * 365 + leaps + of_year + day - 1 - 719468;
}

/* The inverse of day_number. */
static void day_split(int64_t number, struct moment *moment)
{
    number += 719468;
    int64_t era = (number >= 0 ? number : number - 146096) / 146097;
    int64_t of_era = number - era * 146097;
    int64_t leaps = of_era / 1460 - of_era / 36524 + of_era / 146096;
    int64_t year = (of_era - leaps) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    moment->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    moment->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    moment->year = year + era * 400 + (moment->month <= 2);
}

static void put_number(char *text, unsigned digits, unsigned number)
{
    while (digits-- > 0) {
        text[digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* The first second of the year 1 and the last one of the year 9999. */
#define EARLIEST INT64_C(-62135596800)
#define LATEST   INT64_C(253402300799)

void sill_http_date_format(int64_t seconds, char *text)
{
    seconds = seconds < EARLIEST ? EARLIEST : seconds;
    seconds = seconds > LATEST ? LATEST : seconds;
    int64_t number = (seconds - EARLIEST) / 86400 + EARLIEST / 86400;
    unsigned second = (unsigned)(seconds - number * 86400);
    struct moment moment;
    day_split(number, &moment);
    memcpy(text, "Day, 00 Mon 0000 00:00:00 GMT", SILL_HTTP_DATE_SIZE);
    memcpy(text, days + 3 * ((number - EARLIEST / 86400 + 1) % 7), 3);
    put_number(text + 5, 2, moment.day);
    memcpy(text + 8, months + 3 * (moment.month - 1), 3);
    put_number(text + 12, 4, (unsigned)moment.year);
    put_number(text + 17, 2, second / 3600);
    put_number(text + 20, 2, second / 60 % 60);
    put_number(text + 23, 2, second % 60);
}

static bool digits(const char *at, unsigned count, unsigned *number)
{
    *number = 0;
    for (; count > 0; count--, at++) {
        if (!sill_http_is_digit(*at))
            return false;
        *number = *number * 10 + (unsigned)(*at - '0');
    }
    return true;
}

static bool month_name(const char *at, unsigned *month)
{
    for (*month = 1; *month <= 12; ++*month)
        if (memcmp(at, months + 3 * (*month - 1), 3) == 0)
            return true;
    return false;
}

static bool day_name(const char *at)
{
    for (unsigned i = 0; i < 7; i++)
        if (memcmp(at, days + (size_t)3 * i, 3) == 0)
            return true;
    return false;
}

/* Reads "hh:mm:ss"; a leap second is one. */
static bool time_of_day(const char *at, struct moment *moment)
{
    return digits(at, 2, &moment->hour) && at[2] == ':' &&
           digits(at + 3, 2, &moment->minute) && at[5] == ':' &&
           digits(at + 6, 2, &moment->second) && moment->hour < 24 &&
           moment->minute < 60 && moment->second <= 60;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool fixdate(struct sill_http_view text, struct moment *moment)
{
    const char *at = text.at;
    unsigned year;
    if (text.size != SILL_HTTP_DATE_SIZE || !day_name(at) ||
        memcmp(at + 3, ", ", 2) != 0 || !digits(at + 5, 2, &moment->day) ||
        at[7] != ' ' || !month_name(at + 8, &moment->month) || at[11] != ' ' ||
        !digits(at + 12, 4, &year) || at[16] != ' ' ||
        !time_of_day(at + 17, moment) || memcmp(at + 25, " GMT", 4) != 0)
        return false;
    moment->year = year;
    return true;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool asctime_date(struct sill_http_view text, struct moment *moment)
{
    const char *at = text.at;
    unsigned year;
    if (text.size != 24 || !day_name(at) || at[3] != ' ' ||
        !month_name(at + 4, &moment->month) || at[7] != ' ' ||
        !(at[8] == ' ' ? digits(at + 9, 1, &moment->day)
                       : digits(at + 8, 2, &moment->day)) ||
        at[10] != ' ' || !time_of_day(at + 11, moment) || at[19] != ' ' ||
        !digits(at + 20, 4, &year))
        return false;
    moment->year = year;
    return true;
}

/* The latest year that ends in (two) digits and is not 51 years ahead. */
static int64_t full_year(unsigned two, int64_t now)
{
    struct moment present;
    day_split((now < 0 ? now - 86399 : now) / 86400, &present);
    int64_t latest = present.year + 50;
    int64_t back = (latest - (int64_t)two) % 100;
    return latest - (back < 0 ? back + 100 : back);
}

/* Returns how long the name of a day in full is at (text), or 0. */
static size_t long_day_name(struct sill_http_view text)
{
    static const char *const names[] = {"Sunday",    "Monday",   "Tuesday",
                                        "Wednesday", "Thursday", "Friday",
                                        "Saturday"};
    for (unsigned i = 0; i < 7; i++) {
        size_t size = strlen(names[i]);
        if (text.size > size && memcmp(text.at, names[i], size) == 0)
            return size;
    }
    return 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool rfc850(struct sill_http_view text, int64_t now,
                   struct moment *moment)
{
    size_t name = long_day_name(text);
    const char *at = text.at + name;
    unsigned year;
    if (name == 0 || text.size - name != 24 || memcmp(at, ", ", 2) != 0 ||
        !digits(at + 2, 2, &moment->day) || at[4] != '-' ||
        !month_name(at + 5, &moment->month) || at[8] != '-' ||
        !digits(at + 9, 2, &year) || at[11] != ' ' ||
        !time_of_day(at + 12, moment) || memcmp(at + 20, " GMT", 4) != 0)
        return false;
    moment->year = full_year(year, now);
    return true;
}

static bool day_exists(const struct moment *moment)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30,
                                      31, 31, 30, 31, 30, 31};
    int64_t year = moment->year;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    unsigned length = lengths[moment->month - 1];
    return moment->day >= 1 &&
           moment->day <= length + (leap && moment->month == 2);
}

int sill_http_date_parse(struct sill_http_view text, int64_t now,
                         int64_t *seconds)
{
    struct moment moment = {0};
    if (!fixdate(text, &moment) && !asctime_date(text, &moment) &&
        !rfc850(text, now, &moment))
        return SILL_HTTP_EDATE;
    if (!day_exists(&moment))
        return SILL_HTTP_EDATE;
    *seconds = day_number(moment.year, moment.month, moment.day) * 86400 +
               moment.hour * 3600 + moment.minute * 60 + moment.second;
    return 0;
}
