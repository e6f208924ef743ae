/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When notifications are sent and what they say, as a table in virtual time (Core 1.1.1 sections 5.1.2 and 6.4).
 *
 * Each row observes something whose value is 21 (the temperature /3303/0/5700) or 100 (the battery level /3/0/9) and is a
 * script: words in the order of time. "@path?attributes" is a Write-Attributes, "#path=text" a Write, "~path" a Cancel.
 * Before the observation they stand alone; after it they begin with the second: "5@/3303?pmin=3". "5:25" sets the
 * temperature, "5!25" sets it and says nothing, "5b50" sets the battery level, "5+2" makes the instance /33000/2 and
 * "5-1" deletes /33000/1. What must come out is "second=value", or only the second.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/rig.h"

#define SECOND   1000u
#define SLACK_MS 30 /* of requests, which take a moment each */
#define JSON     110
#define LINK     40
#define TEXT     0

#define T "/3303/0/5700"
#define B "/3/0/9"

typedef struct {
    const char *name;
    const char *before; /* words without a second */
    const char *path;   /* a list of several is observed as a composite */
    const char *script;
    unsigned run_s;
    const char *expected;
} row;

typedef struct {
    rig *r;
    uint64_t began_ms;
} play;

static void write_attributes(rig *r, const char *word)
{
    char path[64];
    const char *query = strchr(word, '?');
    assert_non_null(query);
    (void)snprintf(path, sizeof path, "%.*s", (int)(query - word), word);
    const rig_request request = {.method = DN_COAP_PUT, .path = path, .query = query + 1};
    assert_int_equal(rig_ask(r, &request)->code, DN_COAP_CHANGED);
}

static void write_text(rig *r, const char *word)
{
    char path[64];
    const char *value = strchr(word, '=');
    assert_non_null(value);
    (void)snprintf(path, sizeof path, "%.*s", (int)(value - word), word);
    assert_int_equal(rig_send(r, DN_COAP_PUT, path, TEXT, value + 1)->code, DN_COAP_CHANGED);
}

static void act(rig *r, char what, const char *rest)
{
    const rig_request cancel = {.method = DN_COAP_GET, .path = rest, .cancel = true, .token = 1};
    switch (what) {
    case '@':
        write_attributes(r, rest);
        break;
    case '#':
        write_text(r, rest);
        break;
    case '~':
        assert_int_equal(rig_ask(r, &cancel)->code, DN_COAP_CONTENT);
        break;
    case ':':
    case '!':
        r->thermometer[0].value = strtod(rest, NULL);
        if (what == ':') {
            dunlin_changed(r->client, dunlin_path_resource(3303, 0, 5700));
        }
        break;
    case 'b':
        r->device.battery_level = (int8_t)strtol(rest, NULL, 10);
        dunlin_changed(r->client, dunlin_path_resource(3, 0, 9));
        break;
    case '+':
        assert_int_equal(
            dunlin_client_add_instance(r->client, RIG_OBJECT, (uint16_t)strtol(rest, NULL, 10), NULL),
            DUNLIN_OK);
        break;
    case '-':
        assert_int_equal(
            dunlin_client_remove_instance(r->client, RIG_OBJECT, (uint16_t)strtol(rest, NULL, 10)),
            DUNLIN_OK);
        break;
    default:
        fail_msg("'%c' is no word of a script", what);
    }
}

static void run_until(const play *p, double second)
{
    const uint64_t at = p->began_ms + (uint64_t)(second * SECOND + 0.5);
    const uint64_t now = dn_simlink_now(p->r->link);
    if (at > now) {
        rig_run(p->r, at - now);
    }
}

/* Cuts off the next word of a text; NULL at its end. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " ");
    const size_t len = strcspn(word, " ");
    *at = word[len] == '\0' ? word + len : word + len + 1;
    word[len] = '\0';
    return len > 0 ? word : NULL;
}

/* Runs each word of `script`; with `p` NULL they have no seconds. */
static void run_script(rig *r, const play *p, const char *script)
{
    char words[512];
    char *at = words;
    (void)snprintf(words, sizeof words, "%s", script);
    for (char *word; (word = next_word(&at)) != NULL;) {
        char *rest = word;
        if (p != NULL) {
            run_until(p, strtod(word, &rest));
        }
        act(r, *rest, rest + 1);
    }
}

static void observe(rig *r, const char *path)
{
    rig_request request = {.method = DN_COAP_GET, .path = path, .observe = true, .token = 1};
    char body[256] = "[";
    if (strchr(path, ' ') != NULL) { /* a composite */
        char words[128];
        char *at = words;
        (void)snprintf(words, sizeof words, "%s", path);
        for (char *word; (word = next_word(&at)) != NULL;) {
            const size_t len = strlen(body);
            (void)snprintf(body + len, sizeof body - len, "%s{\"n\":\"%s\"}", len > 1 ? "," : "", word);
        }
        strncat(body, "]", sizeof body - strlen(body) - 1);
        request.method = DN_COAP_FETCH;
        request.path = "";
        request.payload = body;
        request.len = strlen(body);
        request.has_format = request.has_accept = true;
        request.format = request.accept = JSON;
    }
    const rig_answer *answer = rig_ask(r, &request);
    assert_int_equal(answer->code, DN_COAP_CONTENT);
    assert_true(answer->observe >= 0);
}

static void describe(const play *p, char *out, size_t cap)
{
    out[0] = '\0';
    for (size_t i = 0; i < p->r->notify_count; i++) {
        const rig_notification *n = &p->r->notified[i];
        const size_t len = strlen(out);
        (void)snprintf(out + len, cap - len, "%s%.3f=%.20s", i > 0 ? " " : "",
                       (double)(n->at_ms - p->began_ms) / SECOND, (const char *)n->payload);
    }
}

static bool as_expected(const play *p, const char *expected)
{
    char words[256];
    char *at = words;
    size_t next = 0;
    (void)snprintf(words, sizeof words, "%s", expected);
    for (char *word; (word = next_word(&at)) != NULL;) {
        char *rest = NULL;
        const double second = strtod(word, &rest);
        if (next == p->r->notify_count) {
            return false;
        }
        const rig_notification *n = &p->r->notified[next++];
        const double late_ms = (double)(n->at_ms - p->began_ms) - second * SECOND;
        if (late_ms < -1 || late_ms > SLACK_MS ||
            (*rest == '=' && strcmp(rest + 1, (const char *)n->payload) != 0)) {
            return false;
        }
    }
    return next == p->r->notify_count;
}

static void run_rows(const row *rows, size_t count)
{
    static rig r;
    for (size_t i = 0; i < count; i++) {
        char got[1024];
        rig_register(&r, DUNLIN_LWM2M_1_1);
        run_script(&r, NULL, rows[i].before);
        observe(&r, rows[i].path);
        const play p = {&r, dn_simlink_now(r.link)};
        run_script(&r, &p, rows[i].script);
        run_until(&p, rows[i].run_s);
        if (!as_expected(&p, rows[i].expected)) {
            describe(&p, got, sizeof got);
            fail_msg("%s: %s instead of %s", rows[i].name, got, rows[i].expected);
        }
        rig_close(&r);
    }
}

#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void periods(void **state)
{
    static const row rows[] = {
        {"no attribute: each change at once", "", T, "1:22 2:23 3:24", 100, "1=22 2=23 3=24"},
        {"a change that is none", "", T, "1:21 2:22 3:22", 100, "2=22"},
        {"nobody said that it changed", "", T, "1!22", 100, ""},
        {"pmin holds back", "@" T "?pmin=10", T, "3:22", 100, "10=22"},
        {"pmin is over: at once", "@" T "?pmin=10", T, "15:22", 100, "15=22"},
        {"pmin sends the value of then", "@" T "?pmin=10", T, "3:22 5:23", 100, "10=23"},
        {"pmin: back again, and told all the same", "@" T "?pmin=10", T, "3:22 5:21", 100, "10=21"},
        {"pmin runs from the last notification", "@" T "?pmin=10", T, "12:22 13:23", 100, "12=22 22=23"},
        {"pmin of 0", "@" T "?pmin=0", T, "1:22 1.5:23", 100, "1=22 1.5=23"},
        {"pmax without a change", "@" T "?pmax=20", T, "", 70, "20=21 40=21 60=21"},
        {"pmax runs from the last notification", "@" T "?pmax=20", T, "5:22", 50, "5=22 25=22 45=22"},
        {"pmax tells what nobody said", "@" T "?pmax=20", T, "5!22", 30, "20=22"},
        {"pmax of 0 is none", "@" T "?pmax=0", T, "5:22", 100, "5=22"},
        {"pmin and pmax", "@" T "?pmin=10&pmax=20", T, "3:22", 55, "10=22 30=22 50=22"},
        {"pmin equal to pmax", "@" T "?pmin=10&pmax=10", T, "12:22", 35, "10=21 20=22 30=22"},
        {"pmax below pmin is ignored", "@" T "?pmin=20&pmax=10", T, "3:22", 100, "20=22"},
        {"a change at the end of pmax", "@" T "?pmin=10&pmax=20", T, "19:22", 45, "19=22 39=22"},
        {"epmin: not looked at more often", "@" T "?epmin=10", T, "3:22 5:23", 100, "10=23"},
        {"epmin misses what is over by then", "@" T "?epmin=10", T, "3:22 5:21", 100, ""},
        {"epmin runs from the last look", "@" T "?epmin=10", T, "12:22 13:23", 100, "12=22 22=23"},
        {"epmax looks without being told", "@" T "?epmax=10", T, "3!22", 100, "10=22"},
        {"epmax: nothing new, nothing told", "@" T "?epmax=10", T, "", 100, ""},
        {"epmax looks again and again", "@" T "?epmax=10", T, "3!22 13!23", 100, "10=22 20=23"},
        {"epmax, and told of", "@" T "?epmax=10", T, "3:22", 100, "3=22"},
        {"epmax runs from the last notification", "@" T "?epmax=10&pmax=15", T, "17!22", 45,
         "15=21 25=22 40=22"},
        {"epmin and epmax", "@" T "?epmin=5&epmax=10", T, "2:22 6!23", 100, "5=22 15=23"},
        {"epmax found, pmin holds back", "@" T "?epmax=10&pmin=15", T, "3!22", 100, "15=22"},
        {"epmin longer than pmin", "@" T "?epmin=10&pmin=5", T, "3:22", 100, "10=22"},
        {"pmax goes before epmin", "@" T "?epmin=30&pmax=20", T, "3:22", 45, "20=22 40=22"},
        {"pmax with epmax", "@" T "?epmax=5&pmax=12", T, "", 30, "12=21 24=21"},
    };
    (void)state;
    RUN(rows);
}

static void thresholds(void **state)
{
    static const row rows[] = {
        {"gt crossed upwards", "@" T "?gt=25", T, "1:24 2:26", 50, "2=26"},
        {"gt crossed downwards", "@" T "?gt=20", T, "1:19", 50, "1=19"},
        {"gt: above and above", "@" T "?gt=25", T, "1:26 2:30 3:27", 50, "1=26"},
        {"gt: from the last one told", "@" T "?gt=25", T, "1:24 2:25 3:25.5", 50, "3=25.5"},
        {"gt: the threshold itself is below", "@" T "?gt=25", T, "1:25", 50, ""},
        {"gt: from the threshold", "#/33000/0/0=45 @/33000/0/0?gt=45&st=10", "/33000/0/0", "1#/33000/0/0=50",
         50, "1=50"},
        {"gt 45, st 10: 38 to 49", "#/33000/0/0=38 @/33000/0/0?gt=45&st=10", "/33000/0/0", "1#/33000/0/0=49",
         50, "1=49"},
        {"lt 20, gt 85, st 10: 75 to 90", "#/33000/0/0=75 @/33000/0/0?lt=20&gt=85&st=10", "/33000/0/0",
         "1#/33000/0/0=90", 50, "1=90"},
        {"lt 20, gt 85, st 10: 50 to 10", "#/33000/0/0=50 @/33000/0/0?lt=20&gt=85&st=10", "/33000/0/0",
         "1#/33000/0/0=10", 50, "1=10"},
        {"lt 20, gt 85, st 10: 87 to 99", "#/33000/0/0=87 @/33000/0/0?lt=20&gt=85&st=10", "/33000/0/0",
         "1#/33000/0/0=99", 50, "1=99"},
        {"lt 20, gt 85, st 10: 50 to 55", "#/33000/0/0=50 @/33000/0/0?lt=20&gt=85&st=10", "/33000/0/0",
         "1#/33000/0/0=55", 50, ""},
        {"lt crossed downwards", "@" T "?lt=20", T, "1:20.5 2:19", 50, "2=19"},
        {"lt crossed upwards", "@" T "?lt=25", T, "1:26", 50, "1=26"},
        {"lt: below and below", "@" T "?lt=25", T, "1:20 2:10 3:24", 50, ""},
        {"a negative threshold", "@" T "?lt=-5.5", T, "1:-5 2:-6 3:-20", 50, "2=-6"},
        {"st: reached exactly", "@" T "?st=2", T, "1:22.5 2:23", 50, "2=23"},
        {"st: adds up from the last one told", "@" T "?st=2", T, "1:22 2:22.5 3:23.5 4:24 5:25.5", 50,
         "3=23.5 5=25.5"},
        {"st: downwards", "@" T "?st=2", T, "1:20 2:19", 50, "2=19"},
        {"st of 0: each change", "@" T "?st=0", T, "1:21 2:21.5", 50, "2=21.5"},
        {"st: there and back between", "@" T "?st=2", T, "1:22 2:21 3:20", 50, ""},
        {"gt or st", "@" T "?gt=22&st=5", T, "1:21.5 2:22.5 3:24 4:27.5", 50, "2=22.5 4=27.5"},
        {"gt and pmin", "@" T "?gt=25&pmin=10", T, "1:26", 50, "10=26"},
        {"gt and pmin: fallen back, and told all the same", "@" T "?gt=25&pmin=10", T, "1:26 5:22", 50,
         "10=22"},
        {"gt not met, but pmax", "@" T "?gt=25&pmax=20", T, "1:24", 45, "20=24 40=24"},
        {"pmax tells, and st counts from there", "@" T "?st=2&pmax=10", T, "5:22 12:23.5 13:24", 15,
         "10=22 13=24"},
        {"epmax and st", "@" T "?st=2&epmax=10", T, "3!22 13!24", 50, "20=24"},
        {"an unsigned or signed number has them too", "@" B "?lt=20", B, "1b50 2b19", 50, "2=19"},
    };
    (void)state;
    RUN(rows);
}

static void levels_and_writing_while_observed(void **state)
{
    static const row rows[] = {
        {"the default of /1/0/2", "#/1/0/2=10", T, "3:22", 50, "10=22"},
        {"the default of /1/0/3", "#/1/0/3=20", T, "", 50, "20=21 40=21"},
        {"object before default", "#/1/0/2=30 @/3303?pmin=10", T, "3:22", 50, "10=22"},
        {"instance before object", "@/3303?pmin=30 @/3303/0?pmin=10", T, "3:22", 50, "10=22"},
        {"resource before instance", "@/3303/0?pmin=30 @" T "?pmin=10", T, "3:22", 50, "10=22"},
        {"resource instance before resource", "@/33000/0/8?pmin=30 @/33000/0/8/0?pmin=10", "/33000/0/8/0",
         "3#/33000/0/8/0=11", 50, "10=11"},
        {"resource instance: inherited", "@/33000/0/8?pmin=10", "/33000/0/8/0", "3#/33000/0/8/0=11", 50,
         "10=11"},
        {"pmin of one level, pmax of another", "@/3303?pmin=10 @" T "?pmax=20", T, "3:22", 35, "10=22 30=22"},
        {"0 at the resource hides what is above", "@/3303?pmin=30 @" T "?pmin=0", T, "3:22", 50, "3=22"},
        {"unset, what is above holds", "@/3303?pmin=10 @" T "?pmin=30 @" T "?pmin", T, "3:22", 50, "10=22"},
        {"below what is observed: not used", "@" T "?pmin=10", "/3303/0", "3:22", 50, "3"},
        {"another resource's", "@/3303/0/5601?pmin=30", T, "3:22", 50, "3=22"},
        {"pmin written while held back", "@" T "?pmin=30", T, "3:22 5@" T "?pmin=10", 50, "10=22"},
        {"pmin shortened so far that it is over", "@" T "?pmin=30", T, "3:22 15@" T "?pmin=10", 50, "15=22"},
        {"pmin lengthened while held back", "@" T "?pmin=10", T, "3:22 5@" T "?pmin=30", 50, "30=22"},
        {"pmin unset while held back", "@" T "?pmin=30", T, "3:22 5@" T "?pmin", 50, "5=22"},
        {"pmax written while observed", "", T, "5@" T "?pmax=20", 50, "20=21 40=21"},
        {"pmax shortened so far that it is over", "@" T "?pmax=40", T, "15@" T "?pmax=10", 30, "15=21 25=21"},
        {"pmax unset while observed", "@" T "?pmax=20", T, "25@" T "?pmax", 100, "20=21"},
        {"the default written while observed", "", T, "5#/1/0/3=20", 50, "20=21 40=21"},
        {"gt written while observed", "", T, "1:22 2@" T "?gt=25 3:24 4:26", 50, "1=22 4=26"},
        {"gt unset while observed", "@" T "?gt=25", T, "1:22 2@" T "?gt 3:23", 50, "3=23"},
        {"attributes outlive a Cancel", "@" T "?pmin=10", T, "1~" T " 3:22", 50, ""},
        {"an instance: any resource of it", "", "/3303/0", "3:22 5:23", 50, "3 5"},
        {"an instance: pmin is its own", "@/3303/0?pmin=10", "/3303/0", "3:22", 50, "10"},
        {"an Object: any resource of it", "", "/3303", "3:22", 50, "3"},
        {"an Object: pmax is its own", "@/3303?pmax=20", "/3303", "", 50, "20 40"},
        {"an Object: an instance comes", "", "/33000", "3+2", 50, "3"},
        {"an Object: an instance goes", "", "/33000", "3-1", 50, "3"},
        {"another Object", "", "/3303", "3b50", 50, ""},
    };
    (void)state;
    RUN(rows);
}

/* Attributes belong to the path, not to the observation (Core 1.1.1 section 5.1.2). */
static void attributes_outlive_a_cancel(void **state)
{
    static const char links[] = "<" T ">;pmin=10";
    static rig r;
    (void)state;
    rig_register(&r, DUNLIN_LWM2M_1_1);
    run_script(&r, NULL, "@" T "?pmin=10"); /* nobody observes it yet */
    observe(&r, T);
    run_script(&r, NULL, "~" T);
    const rig_answer *answer = rig_get(&r, T, LINK);
    assert_int_equal(answer->len, sizeof links - 1);
    assert_memory_equal(answer->payload, links, sizeof links - 1);
    observe(&r, T);
    const play p = {&r, dn_simlink_now(r.link)};
    run_script(&r, &p, "3:22");
    run_until(&p, 50);
    assert_true(as_expected(&p, "10=22"));
    rig_close(&r);
}

static void composites(void **state)
{
    static const row rows[] = {
        {"either changes", "", T " " B, "3:22 5b50", 50, "3 5"},
        {"neither changes", "", T " " B, "3:21 5b100", 50, ""},
        {"pmax of one", "@" T "?pmax=20", T " " B, "", 50, "20 40"},
        {"the smallest pmax", "@" T "?pmax=20 @" B "?pmax=15", T " " B, "", 50, "15 30 45"},
        {"the largest pmin", "@" T "?pmin=10 @" B "?pmin=15", T " " B, "3:22", 50, "15"},
        {"the smallest pmax, but not before the largest pmin", "@" T "?pmax=10 @" B "?pmin=15", T " " B, "",
         50, "15 30 45"},
        {"int-310: inherited from the Object, written while observed", "", "/1/0/1 /3/0", "10@/3?pmax=5", 22,
         "10 15 20"},
        {"int-304: pmin and pmax", "@/1/0/1?pmin=30&pmax=45", "/1/0/1 /3/0/11/0 /3/0/16", "", 100, "45 90"},
        {"gt of one, change of the other", "@" T "?gt=25", T " " B, "1:22 2b50 3:26", 50, "2 3"},
        {"epmax looks at all", "@" B "?epmax=10", T " " B, "3!22", 50, "10"},
        {"int-308: an instance that is not there yet", "@/33000/0?pmin=5&pmax=30", "/33000/0 /33000/2",
         "10+2", 50, "10 40"},
        {"int-309: an instance goes", "", "/33000/0 /33000/1", "10-1", 50, "10"},
        {"what never was there", "", "/33000/3 " B, "5b50", 50, "5"},
    };
    (void)state;
    RUN(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(periods),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(levels_and_writing_while_observed),
        cmocka_unit_test(attributes_outlive_a_cancel),
        cmocka_unit_test(composites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
