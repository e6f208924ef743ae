/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the firmware update: packages that are pushed and pulled, a link that breaks, and values that are waited for. */
#include "codec/base64.h"
#include "ets/device_firmware.h"
#include "ets/firmware.h"
#include "ets/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS   1000u
#define PACKAGE_MAX (1u << 20)
#define PUSH_MS     600000u
#define URI_MAX     255u
#define BLOCKS_MS   60000u

/* Every kind of package that our own device understands. */
static const struct {
    const char *name;
    const char *line;
    size_t size;
    bool broken;
} PACKAGES[] = {
    {"ok", "ETSFW ok 2.0.0", 6000, false},
    {"newer", "ETSFW ok 2.1.0", 6000, false},
    {"oversized", "ETSFW ok 3.0.0", DN_ETS_FLASH_SIZE + 4000, false},
    {"noram", "ETSFW noram", 3000, false},
    {"corrupt", "ETSFW ok 4.0.0", 3000, true},
    {"type", "another kind of file", 100, false},
    {"fails", "ETSFW fails", 3000, false},
};

static uint8_t *make_package(const char *name, size_t *len)
{
    for (size_t i = 0; i < sizeof PACKAGES / sizeof PACKAGES[0]; i++) {
        if (strcmp(PACKAGES[i].name, name) == 0) {
            uint8_t *bytes = malloc(PACKAGES[i].size);
            *len = PACKAGES[i].size;
            if (bytes != NULL) {
                dn_ets_firmware_package(PACKAGES[i].line, PACKAGES[i].broken, bytes, *len);
            }
            return bytes;
        }
    }
    return NULL;
}

static uint8_t *load_package(const char *directory, const char *name, size_t *len)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = file != NULL ? malloc(PACKAGE_MAX) : NULL;
    if (bytes != NULL) {
        *len = fread(bytes, 1, PACKAGE_MAX, file);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (bytes != NULL && *len == 0) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

uint8_t *dn_ets_package(dn_ets_run *run, const char *name, size_t *len)
{
    uint8_t *bytes = NULL;
    if (run->world->device != NULL) {
        bytes = make_package(name, len);
        (void)(bytes != NULL || dn_ets_expect(run, false, "there is memory for the package"));
    } else {
        bytes = run->options->packages != NULL ? load_package(run->options->packages, name, len) : NULL;
        if (bytes == NULL) {
            dn_ets_end_as(run, DN_ETS_NEEDS_HANDS,
                          "put a firmware package for the device as file '%s' in --packages DIR", name);
        }
    }
    return bytes;
}

static void judge(dn_ets_run *run, const dn_ets_step *step)
{
    const char *got = dn_ets_code_name(run->answer.code);
    const bool met = run->answer.code == step->code;
    (void)dn_ets_expect(run, met, "the device answers %s%s%s", dn_ets_code_name(step->code),
                        met ? "" : ": it answered ",
                        met           ? ""
                        : got != NULL ? got
                                      : "another code");
}

/* ---- push ---- */

static void say_push(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Server writes the package '%s' to /5/0/0, block-wise", step->value);
}

/* As operators write it who cannot write bytes. */
static char *encode(const uint8_t *bytes, size_t len)
{
    const size_t text_len = dn_base64_length(DN_BASE64_PADDED, len);
    char *text = malloc(text_len + 1);
    if (text != NULL) {
        (void)dn_base64_encode(DN_BASE64_PADDED, dunlin_slice_make(bytes, len), (uint8_t *)text);
        text[text_len] = '\0';
    }
    return text;
}

/* A package that the device refuses may be refused while it comes: then the state says how, not the code. */
static void act_push(dn_ets_run *run, const dn_ets_step *step)
{
    size_t len = 0;
    uint8_t *bytes = dn_ets_package(run, step->value, &len);
    dn_ets_values values = {.list = NULL};
    char *text = bytes != NULL ? encode(bytes, len) : NULL;
    if (text == NULL) {
        free(bytes);
        return;
    }
    dn_ets_values_put(&values, dunlin_path_resource(5, 0, 0), DUNLIN_TYPE_OPAQUE, text);
    free(text);
    dn_ets_ask ask = {.operation = DN_ETS_WRITE,
                      .path = dunlin_path_resource(5, 0, 0),
                      .query = "",
                      .format = DN_FORMAT_OPAQUE,
                      .values = &values,
                      .bytes = dunlin_slice_make(bytes, len),
                      .timeout_ms = PUSH_MS};
    if (dn_ets_asks(run, &ask, step->server) && step->code != 0) {
        judge(run, step);
    }
    dn_ets_values_clear(&values);
    free(bytes);
}

const dn_ets_kind dn_ets_kind_push = {say_push, act_push};

/* ---- pull ---- */

static void say_pull(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Server writes the URI of the package '%s' to /5/0/1", step->value);
}

static void act_pull(dn_ets_run *run, const dn_ets_step *step)
{
    char uri[URI_MAX + 1] = "";
    size_t len = 0;
    dn_ets_values values = {.list = NULL};
    const dunlin_path path = dunlin_path_resource(5, 0, 1);
    if (run->world->offer == NULL) {
        dn_ets_end_as(run, DN_ETS_NOT_APPLICABLE,
                      "there is no way here to offer a package for the device to get");
        return;
    }
    uint8_t *bytes = dn_ets_package(run, step->value, &len);
    if (bytes == NULL) {
        return;
    }
    const bool offered =
        run->world->offer(run->world->context, dunlin_slice_make(bytes, len), uri, sizeof uri);
    free(bytes);
    if (!dn_ets_expect(run, offered, "the package is offered at %s", uri)) {
        return;
    }
    dn_ets_values_put(&values, path, DUNLIN_TYPE_STRING, uri);
    dn_ets_ask ask = {
        .operation = DN_ETS_WRITE, .path = path, .query = "", .format = DN_FORMAT_TEXT, .values = &values};
    if (dn_ets_asks(run, &ask, step->server)) {
        judge(run, step);
    }
    dn_ets_values_clear(&values);
}

const dn_ets_kind dn_ets_kind_pull = {say_pull, act_pull};

/* ---- waiting for a value ---- */

static void say_polls(const dn_ets_step *step, char *out, size_t size)
{
    (void)snprintf(out, size, "Server reads %s until it is %s, for %u s at most", step->path, step->value,
                   (unsigned)step->to_s);
}

static void act_polls(dn_ets_run *run, const dn_ets_step *step)
{
    const dunlin_path path = dn_ets_path(run, step->path);
    const uint64_t limit_ms = run->world->now_ms(run->world->context) + dn_ets_patience_ms(run, step->to_s);
    const char *got = NULL;
    for (;;) {
        dn_ets_ask ask = {.operation = DN_ETS_READ, .path = path, .query = "", .format = DN_FORMAT_NONE};
        if (!dn_ets_asks(run, &ask, step->server)) {
            return;
        }
        got = dn_ets_values_get(&run->answer.values, path);
        if ((got != NULL && strcmp(got, step->value) == 0) ||
            run->world->now_ms(run->world->context) >= limit_ms) {
            break;
        }
        (void)dn_ets_world_run(run->world, SECOND_MS, NULL, NULL);
    }
    const bool met = got != NULL && strcmp(got, step->value) == 0;
    (void)dn_ets_expect(run, met, "%s becomes %s%s%s", step->path, step->value, met ? "" : ": it is ",
                        met           ? ""
                        : got != NULL ? got
                                      : "not there");
}

const dn_ets_kind dn_ets_kind_polls = {say_polls, act_polls};

/* ---- the link ---- */

static void say_cuts(const dn_ets_step *step, char *out, size_t size)
{
    if (step->count > 0) {
        (void)snprintf(out, size, "The link is lost after the device has asked for %u blocks of the package",
                       (unsigned)step->count);
    } else {
        (void)snprintf(out, size, "The link is there again");
    }
}

typedef struct {
    const dn_ets_run *run;
    unsigned blocks;
} counted;

static bool has_asked(void *context)
{
    const counted *c = context;
    const dn_ets_trace *trace = &c->run->world->trace;
    unsigned asked = 0;
    for (size_t i = c->run->mark; i < trace->count; i++) {
        const dn_ets_message *one = trace->list[i];
        asked += one->readable && !one->again && !one->to_device && one->is.code == DN_COAP_GET;
    }
    return asked >= c->blocks;
}

static void act_cuts(dn_ets_run *run, const dn_ets_step *step)
{
    counted c = {.run = run, .blocks = step->count};
    if (run->world->cut == NULL) {
        dn_ets_end_as(run, DN_ETS_NEEDS_HANDS,
                      "cut the device's link while it gets the package, for some minutes");
        return;
    }
    if (step->count > 0) {
        (void)dn_ets_expect(
            run, dn_ets_world_run(run->world, dn_ets_patience_ms(run, BLOCKS_MS / SECOND_MS), has_asked, &c),
            "the device asks for the package");
    }
    run->world->cut(run->world->context, step->count > 0);
}

const dn_ets_kind dn_ets_kind_cuts = {say_cuts, act_cuts};
