/* SPDX-License-Identifier: Apache-2.0 */
/* What a bootstrap server gives the client in the tests of its bootstraps: one account without security, whole or unfinished. */
#ifndef TESTS_CLIENT_BOOTSTRAP_STEPS_H
#define TESTS_CLIENT_BOOTSTRAP_STEPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/client/sequence.h"

#define LINK 40

static const char SECURITY[] =
    "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://server\"},{\"n\":\"1\",\"vb\":false},"
    "{\"n\":\"2\",\"v\":3},{\"n\":\"3\",\"vd\":\"\"},{\"n\":\"4\",\"vd\":\"\"},"
    "{\"n\":\"5\",\"vd\":\"\"},{\"n\":\"10\",\"v\":1}]";
static const char SERVER[] =
    "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true},"
    "{\"n\":\"7\",\"vs\":\"U\"}]";

#define PUT(path, json)            \
    {                              \
        DN_COAP_PUT, path, json, 0 \
    }
#define FINISH                       \
    {                                \
        DN_COAP_POST, "/bs", NULL, 0 \
    }
#define DISCOVER                     \
    {                                \
        DN_COAP_GET, "/", NULL, LINK \
    }
#define ACCOUNT PUT("/0", SECURITY), PUT("/1", SERVER)

static const sequence_step whole[] = {ACCOUNT, DISCOVER, FINISH};
static const sequence_step unfinished[] = {ACCOUNT};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void expect(const char *what, const char *is, const char *should_be)
{
    if (strcmp(is, should_be) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", what, is, should_be);
    }
}

static inline void script(sequence *s, const sequence_step *steps, size_t count)
{
    s->steps = steps;
    s->step_count = count;
}

static inline sequence *opened(dunlin_lwm2m lwm2m, const sequence_step *steps, size_t count)
{
    sequence *s = malloc(sizeof *s);
    assert_non_null(s);
    sequence_open(s, lwm2m);
    script(s, steps, count);
    return s;
}

static inline void closed(sequence *s)
{
    sequence_close(s);
    free(s);
}

#endif
