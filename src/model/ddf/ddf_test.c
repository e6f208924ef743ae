/* SPDX-License-Identifier: Apache-2.0 */
/* DDF files: what is read, what is refused and with which words, and that all files we ship are good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/ddf/ddf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    unsigned objects;
    unsigned resources;
    dunlin_status answer;
} tally;

static dunlin_status count(void *context, const dn_object_def *object)
{
    tally *t = context;
    t->objects++;
    t->resources += (unsigned)object->resource_count;
    return t->answer;
}

static const char GOOD[] =
    "<?xml version=\"1.0\"?>\n<LWM2M><Object ObjectType=\"MODefinition\"><Name> Thing </Name><Description1>A "
    "&lt;thing&gt;</Description1>"
    "<ObjectID>3303</ObjectID><ObjectURN>urn:oma:lwm2m:ext:3303:1.1</ObjectURN><ObjectVersion>1.1</"
    "ObjectVersion>"
    "<MultipleInstances>Multiple</MultipleInstances><Mandatory>Optional</Mandatory><Resources>"
    "<Item "
    "ID=\"5701\"><Name>Units</Name><Operations>R</Operations><MultipleInstances>Single</MultipleInstances>"
    "<Mandatory>Optional</Mandatory><Type>String</Type><RangeEnumeration/><Units/><Description/></Item>"
    "<Item "
    "ID=\"5700\"><Name>Value</Name><Operations>RW</Operations><MultipleInstances>Multiple</MultipleInstances>"
    "<Mandatory>Mandatory</Mandatory><Type>Unsigned "
    "Integer</Type><RangeEnumeration>0..9</RangeEnumeration><Units>Cel</Units>"
    "<Description>It is.</Description></Item>"
    "<Item "
    "ID=\"5605\"><Name>Reset</Name><Operations>E</Operations><MultipleInstances>Single</MultipleInstances>"
    "<Mandatory>Optional</Mandatory><Type></Type></Item>"
    "</Resources></Object></LWM2M>";

static dunlin_status check_good(void *context, const dn_object_def *object)
{
    *(bool *)context = true;
    assert_int_equal(object->id, 3303);
    assert_int_equal(object->version.minor, 1);
    assert_true(object->multiple);
    assert_false(object->mandatory);
    assert_string_equal(object->name, "Thing");
    assert_string_equal(object->description, "A <thing>");
    assert_int_equal(object->resource_count, 3);
    assert_int_equal(object->resources[0].id, 5605);
    assert_int_equal(object->resources[0].operations, DN_OP_EXECUTE);
    assert_int_equal(object->resources[0].type, DUNLIN_TYPE_NONE);
    const dn_resource_def *value = dn_object_resource(object, 5700);
    assert_int_equal(value->type, DUNLIN_TYPE_UNSIGNED);
    assert_int_equal(value->operations, DN_OP_READ | DN_OP_WRITE);
    assert_true(value->multiple);
    assert_true(value->mandatory);
    assert_string_equal(value->range, "0..9");
    assert_string_equal(value->unit, "Cel");
    assert_string_equal(dn_object_resource(object, 5701)->unit, "");
    return DUNLIN_OK;
}

static void reads_a_definition(void **state)
{
    (void)state;
    dn_ddf_error error;
    bool called = false;
    assert_int_equal(dn_ddf_parse(dunlin_slice_of(GOOD), check_good, &called, &error), DUNLIN_OK);
    assert_true(called);
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof GOOD - 1; len++) {
        dn_ddf_error error;
        tally t = {0, 0, DUNLIN_OK};
        assert_int_equal(dn_ddf_parse(dunlin_slice_make(GOOD, len), count, &t, &error), DUNLIN_ERR_MALFORMED);
        assert_int_equal(t.objects, 0);
        assert_true(error.text[0] != '\0');
    }
}

#define OBJECT(fields) "<LWM2M><Object><Name>n</Name>" fields "</Object></LWM2M>"
#define ITEM(id, fields) \
    OBJECT("<ObjectID>1</ObjectID><Resources><Item ID=\"" id "\">" fields "</Item></Resources>")

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        const char *words;
    } cases[] = {
        {"", "well-formed"},
        {"hello", "well-formed"},
        {"<a/>", "root element must be LWM2M"},
        {"<LWM2M/>", "no Object"},
        {"<!DOCTYPE x [<!ENTITY a \"b\">]><LWM2M/>", "document type"},
        {OBJECT(""), "ObjectID"},
        {OBJECT("<ObjectID>65535</ObjectID>"), "ObjectID must be"},
        {OBJECT("<ObjectID>-1</ObjectID>"), "ObjectID must be"},
        {OBJECT("<ObjectID>1x</ObjectID>"), "ObjectID must be"},
        {OBJECT("<ObjectID>1</ObjectID><ObjectVersion>one</ObjectVersion>"), "ObjectVersion"},
        {OBJECT("<ObjectID>1</ObjectID><MultipleInstances>Many</MultipleInstances>"), "Multiple or Single"},
        {OBJECT("<ObjectID>1</ObjectID><Mandatory>Yes</Mandatory>"), "Mandatory or Optional"},
        {ITEM("", "<Name>x</Name>"), "ID of 0 to 65534"},
        {ITEM("65535", "<Name>x</Name>"), "ID of 0 to 65534"},
        {ITEM("1", ""), "needs a Name"},
        {ITEM("1", "<Name>x</Name><Operations>R</Operations>"), "needs a Type"},
        {ITEM("1", "<Name>x</Name><Operations>RX</Operations>"), "Operations"},
        {ITEM("1", "<Name>x</Name><Type>Int</Type>"), "data types"},
        {OBJECT("<ObjectID>1</ObjectID><Resources><Item ID=\"1\"><Name>a</Name><Type>String</Type></Item>"
                "<Item ID=\"1\"><Name>b</Name><Type>String</Type></Item></Resources>"),
         "same ID"},
        {"<LWM2M><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></LWM2M>",
         "nest too deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dn_ddf_error error;
        tally t = {0, 0, DUNLIN_OK};
        const dunlin_status status = dn_ddf_parse(dunlin_slice_of(cases[i].xml), count, &t, &error);
        if (status != DUNLIN_ERR_MALFORMED || strstr(error.text, cases[i].words) == NULL) {
            fail_msg("case %zu: status %d, text \"%s\", expected \"%s\"", i, status, error.text,
                     cases[i].words);
        }
        assert_int_equal(t.objects, 0);
    }
}

static void passes_on_what_the_taker_says(void **state)
{
    (void)state;
    dn_ddf_error error;
    tally t = {0, 0, DUNLIN_ERR_LIMIT};
    assert_int_equal(dn_ddf_parse(dunlin_slice_of(GOOD), count, &t, &error), DUNLIN_ERR_LIMIT);
}

static void reads_all_files_that_we_ship(void **state)
{
    (void)state;
    static char text[1u << 20];
    tally t = {0, 0, DUNLIN_OK};
    unsigned files = 0;
    DIR *dir = opendir(DUNLIN_SOURCE_DIR "/models");
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".xml") != 0) {
            continue;
        }
        char path[512];
        (void)snprintf(path, sizeof path, "%s/models/%.200s", DUNLIN_SOURCE_DIR, entry->d_name);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        const size_t len = fread(text, 1, sizeof text, file);
        (void)fclose(file);
        dn_ddf_error error;
        if (dn_ddf_parse(dunlin_slice_make(text, len), count, &t, &error) != DUNLIN_OK) {
            fail_msg("%s:%lu: %s", path, error.line, error.text);
        }
        files++;
    }
    (void)closedir(dir);
    assert_true(files >= 40);
    assert_true(t.objects >= files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_definition),           cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(says_what_is_wrong),           cmocka_unit_test(passes_on_what_the_taker_says),
        cmocka_unit_test(reads_all_files_that_we_ship),
    };
    return cmocka_run_group_tests_name("ddf", tests, NULL, NULL);
}
