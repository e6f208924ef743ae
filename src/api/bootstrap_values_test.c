/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a bootstrap configuration by the models. */
#include "api/bootstrap_values.h"

#include "api/every_type.h"
#include "api/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `in` as the value of "write" becomes `out` (NULL: stays), or is refused with `error`. */
static const struct {
    const char *in, *out, *error;
} table[] = {
    {"{\"/100/0/0\":\"x\",\"/100/0/1\":-5,\"/100/0/4\":true,\"/100/0/3\":1.5}",
     "{\"/100/0/0\":\"x\",\"/100/0/1\":-5,\"/100/0/4\":true,\"/100/0/3\":{\"float\":1.5}}", NULL},
    {"{\"/100/0/3\":5}", "{\"/100/0/3\":{\"float\":5.0}}", NULL},
    {"{\"/100/0/1\":\"5\"}", "{\"/100/0/1\":5}", NULL},
    {"{\"/100/0/2\":5}", "{\"/100/0/2\":{\"unsigned\":5}}", NULL},
    {"{\"/100/0/2\":18446744073709551615}", "{\"/100/0/2\":{\"unsigned\":\"18446744073709551615\"}}", NULL},
    {"{\"/100/0/2\":{\"unsigned\":9223372036854775808}}",
     "{\"/100/0/2\":{\"unsigned\":\"9223372036854775808\"}}", NULL},
    {"{\"/100/0/2\":{\"unsigned\":\"9223372036854775808\"}}", NULL, NULL},
    {"{\"/100/0/2\":{\"unsigned\":-9223372036854775809}}", NULL, "write./100/0/2: must be an integer from 0"},
    {"{\"/100/0/2\":18446744073709551616}", NULL, "write./100/0/2: must be an integer from 0"},
    {"{\"/100/0/1\":18446744073709551615}", NULL, "write./100/0/1: must be an integer from "},
    {"{\"/100/0/6\":\"2023-11-14T22:13:20Z\"}", "{\"/100/0/6\":{\"time\":1700000000}}", NULL},
    {"{\"/100/0/6\":7}", "{\"/100/0/6\":{\"time\":7}}", NULL},
    {"{\"/100/0/7\":\"3:0\"}", "{\"/100/0/7\":{\"objlnk\":\"3:0\"}}", NULL},
    {"{\"/100/0/8\":\"</3>\"}", "{\"/100/0/8\":\"</3>\"}", NULL},
    {"{\"/100\":{\"0\":{\"3\":5,\"9\":{\"0\":1}}}}",
     "{\"/100\":{\"0\":{\"3\":{\"float\":5.0},\"9\":{\"0\":{\"float\":1.0}}}}}", NULL},
    {"{\"/100/0/9/7\":1}", "{\"/100/0/9/7\":{\"float\":1.0}}", NULL},
    /* Named types and what no model knows stay as they are. */
    {"{\"/100/0/5\":{\"opaque\":\"00ff\"}}", "{\"/100/0/5\":{\"hex\":\"00ff\"}}", NULL},
    {"{\"/4711/0/1\":{\"integer\":5},\"/4711/0/2\":{\"string\":\"5\"},\"/4711/0/3\":{\"boolean\":true}}",
     "{\"/4711/0/1\":5,\"/4711/0/2\":\"5\",\"/4711/0/3\":true}", NULL},
    {"{\"/100/0/8\":{\"corelnk\":\"</3>\"}}", "{\"/100/0/8\":\"</3>\"}", NULL},
    {"{\"/4711/0/1\":{\"integer\":1.5}}", NULL, "write./4711/0/1: must be an integer"},
    {"{\"/4711/0/1\":{\"string\":1}}", NULL, "write./4711/0/1: must be a string"},
    {"{\"/4711/0/1\":{\"boolean\":1}}", NULL, "write./4711/0/1: must be true"},
    {"{\"/100/0/5\":{\"hex\":\"00ff\"}}", NULL, NULL},
    {"{\"/100/0/3\":{\"float\":5}}", NULL, NULL},
    {"{\"/4711/0/1\":5,\"/4711/0\":{\"2\":\"x\"}}", NULL, NULL},
    {"{\"/100/0/77\":[1]}", NULL, NULL},
    {"{\"nonsense\":5}", NULL, NULL},
    {"[5]", NULL, NULL},
    {"{\"/100/0/0\":5}", NULL, "write./100/0/0: must be a string"},
    {"{\"/100/0/1\":1.5}", NULL, "write./100/0/1: must be an integer from "},
    {"{\"/100/0/2\":-1}", NULL, "write./100/0/2: must be an integer from 0"},
    {"{\"/100/0/3\":\"NaN\"}", NULL, "write./100/0/3: must be a number"},
    {"{\"/100/0/3\":null}", NULL, "write./100/0/3: must be a number"},
    {"{\"/100/0/4\":1}", NULL, "write./100/0/4: must be true or false"},
    {"{\"/100/0/5\":\"AAAA\"}", NULL, "write./100/0/5: must be {\"opaque\":"},
    {"{\"/100/0/6\":\"yesterday\"}", NULL, "write./100/0/6: must be a time"},
    {"{\"/100/0/7\":\"3\"}", NULL, "write./100/0/7: must be an object link"},
    {"{\"/100/0/10\":1}", NULL, "write./100/0/10: by its model this is executed"},
    {"{\"/100/0/9\":1}", NULL, "write./100/0/9: by its model this has instances"},
    {"{\"/100/0/3\":{\"0\":1}}", NULL, "write./100/0/3: by its model this has one value"},
    {"{\"/100/0/3\":{\"integer\":1}}", NULL, "write./100/0/3: by its model this is of the type float"},
    {"{\"/100/0\":{\"3\":1,\"x\":2}}", NULL, "write./100/0: a member here is neither"},
    {"{\"/100/0\":{\"65535\":1,\"3\":1}}", NULL, "write./100/0: a member here is neither"},
    {"{\"/100/0/9/7\":{\"1\":1,\"2\":2}}", NULL, "write./100/0/9/7: a member here is neither"},
    {"{\"/4711/0/1\":18446744073709551615}", "{\"/4711/0/1\":{\"unsigned\":\"18446744073709551615\"}}", NULL},
    {"{\"/4711/0/1\":-18446744073709551615}", NULL, "a number is too large"},
    {"{\"/4711/0/1\":{\"time\":18446744073709551615}}", NULL, "a number is too large"},
};

static void values_take_the_types_of_models(void **state)
{
    (void)state;
    const dn_object_def object = every_type(100);
    dn_registry *registry = dn_registry_create();
    assert_int_equal(dn_registry_add(registry, &object), DUNLIN_OK);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char why[DN_JSON_ERROR_MAX];
        char error[128] = "";
        json_t *write = dn_jsonr_parse(dunlin_slice_of(table[i].in), why);
        json_t *document = json_pack("{s:o}", "write", write);
        assert_non_null(document);
        const bool ok = dn_bootstrap_values_type(document, registry, error, sizeof error);
        if (ok != (table[i].error == NULL)) {
            fail_msg("%s: %s", table[i].in, error);
        }
        if (!ok) {
            if (strncmp(error, table[i].error, strlen(table[i].error)) != 0) {
                fail_msg("%s: %s", table[i].in, error);
            }
        } else {
            char *made = json_dumps(json_object_get(document, "write"), JSON_COMPACT);
            assert_string_equal(made, table[i].out != NULL ? table[i].out : table[i].in);
            free(made);
        }
        json_decref(document);
    }
    dn_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_take_the_types_of_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
