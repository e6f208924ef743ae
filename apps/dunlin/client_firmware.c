/* SPDX-License-Identifier: Apache-2.0 */
/* The callbacks of Firmware Update. */
#include "apps/dunlin/client_firmware.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS_PER_S 1000u
#define FAIL_AT  1024u /* bytes after which a download fails that is to fail: State 1 has been seen by then */

/* What a person asked for goes before what the package says. */
static dn_sim_failure failure_of(const dn_sim_firmware *sim)
{
    return sim->fail != DN_SIM_FAIL_NOT ? sim->fail : sim->package_fail;
}

/* ---- storage ---- */

static dunlin_firmware_result storage_fault(void)
{
    return errno == ENOMEM ? DUNLIN_FIRMWARE_NO_RAM : DUNLIN_FIRMWARE_NO_FLASH;
}

static dunlin_firmware_result on_begin(void *context, uint64_t size)
{
    dn_sim_firmware *sim = context;
    (void)size;
    return dn_sim_package_begin(&sim->package) ? DUNLIN_FIRMWARE_INITIAL : storage_fault();
}

static dunlin_firmware_result download_failure(const dn_sim_firmware *sim)
{
    switch (failure_of(sim)) {
    case DN_SIM_FAIL_FLASH:
        return DUNLIN_FIRMWARE_NO_FLASH;
    case DN_SIM_FAIL_RAM:
        return DUNLIN_FIRMWARE_NO_RAM;
    case DN_SIM_FAIL_CONNECTION:
        return DUNLIN_FIRMWARE_CONNECTION_LOST;
    default:
        return DUNLIN_FIRMWARE_INITIAL;
    }
}

static dunlin_firmware_result on_write(void *context, uint64_t offset, dunlin_slice bytes)
{
    dn_sim_firmware *sim = context;
    dn_sim_package_head head;
    if (offset == 0) {
        dn_sim_package_head_read(bytes, &head);
        sim->package_fail = head.fail;
    }
    const dunlin_firmware_result failure = download_failure(sim);
    if (failure != DUNLIN_FIRMWARE_INITIAL && offset + bytes.len > FAIL_AT) {
        return failure;
    }
    return dn_sim_package_write(&sim->package, offset, bytes) ? DUNLIN_FIRMWARE_INITIAL : storage_fault();
}

static dunlin_firmware_result on_verify(void *context, uint64_t size)
{
    dn_sim_firmware *sim = context;
    if (download_failure(sim) != DUNLIN_FIRMWARE_INITIAL) { /* a package too small to fail before */
        return download_failure(sim);
    }
    if (failure_of(sim) == DN_SIM_FAIL_TYPE) {
        return DUNLIN_FIRMWARE_TYPE;
    }
    if (failure_of(sim) == DN_SIM_FAIL_INTEGRITY || size != dn_sim_package_size(&sim->package) ||
        !dn_sim_package_version(&sim->package, sim->next)) {
        return DUNLIN_FIRMWARE_INTEGRITY;
    }
    sim->firmware.package_name = "dunlin client";
    sim->firmware.package_version = sim->next;
    return DUNLIN_FIRMWARE_INITIAL;
}

static dunlin_firmware_result on_apply(void *context)
{
    dn_sim_firmware *sim = context;
    /* With a Maximum Defer Period of 0 there is no putting it off. */
    if (failure_of(sim) == DN_SIM_FAIL_DEFER && sim->firmware.version_1_1 && sim->firmware.defer_max_s > 0) {
        return DUNLIN_FIRMWARE_DEFERRED;
    }
    sim->install_asked = true;
    return DUNLIN_FIRMWARE_INITIAL;
}

static void on_discard(void *context)
{
    dn_sim_package_discard(&((dn_sim_firmware *)context)->package);
}

static void on_save(void *context, const dunlin_firmware_kept *kept)
{
    dn_sim_package_save(&((dn_sim_firmware *)context)->package, kept);
}

static bool on_load(void *context, dunlin_firmware_kept *kept)
{
    return dn_sim_package_load(&((dn_sim_firmware *)context)->package, kept);
}

static int64_t on_clock(void *context)
{
    (void)context;
    return (int64_t)time(NULL);
}

/* ---- HTTP ---- */

static bool on_fetch(void *context, const char *uri, uint64_t from, dunlin_slice etag)
{
    dn_sim_firmware *sim = context;
    return dn_http_download_start(sim->http, uri, from, etag) == DUNLIN_OK;
}

static void on_fetch_cancel(void *context)
{
    dn_http_download_cancel(((dn_sim_firmware *)context)->http);
}

static bool on_http_piece(void *context, uint64_t offset, uint64_t size, dunlin_slice etag,
                          dunlin_slice piece)
{
    dn_sim_firmware *sim = context;
    return dunlin_firmware_fetched(&sim->firmware, offset, size, etag, piece) == DUNLIN_OK;
}

static void on_http_ended(void *context, dn_http_end end, const char *why)
{
    static const dunlin_firmware_result results[] = {
        [DN_HTTP_COMPLETE] = DUNLIN_FIRMWARE_INITIAL,
        [DN_HTTP_LOST] = DUNLIN_FIRMWARE_CONNECTION_LOST,
        [DN_HTTP_NOT_FOUND] = DUNLIN_FIRMWARE_URI,
    };
    dn_sim_firmware *sim = context;
    if (end != DN_HTTP_COMPLETE) {
        (void)fprintf(stderr, "dunlin client: the download of %s failed: %s\n", sim->firmware.kept.uri, why);
    }
    dunlin_firmware_fetch_ended(&sim->firmware, results[end]);
}

/* ---- the whole ---- */

bool dn_sim_firmware_open(dn_sim_firmware *sim, const dn_sim_options *options, const char *version)
{
    const dn_http_sink sink = {on_http_piece, on_http_ended, sim};
    memset(sim, 0, sizeof *sim);
    sim->fail = options->firmware_fail;
    sim->install_ms = options->firmware_time_ms;
    sim->install_at_ms = sim->deferred_until_ms = DUNLIN_NEVER;
    dunlin_firmware_init(&sim->firmware);
    sim->firmware.version_1_1 = options->firmware_1_1;
    sim->firmware.call = (dunlin_firmware_callbacks){.begin = on_begin,
                                                     .write = on_write,
                                                     .verify = on_verify,
                                                     .apply = on_apply,
                                                     .discard = on_discard,
                                                     .save = on_save,
                                                     .load = on_load,
                                                     .fetch = on_fetch,
                                                     .fetch_cancel = on_fetch_cancel,
                                                     .clock = on_clock,
                                                     .context = sim};
    if (!dn_sim_package_open(&sim->package, options->state_dir)) {
        return false;
    }
    if (!dn_sim_package_kept_version(&sim->package, sim->running)) {
        (void)snprintf(sim->running, sizeof sim->running, "%s", version);
    }
    sim->http = dn_http_download_create(&sink, options->ca_file);
    if (sim->http == NULL) {
        (void)fputs("dunlin client: out of memory\n", stderr);
    }
    return sim->http != NULL;
}

void dn_sim_firmware_close(dn_sim_firmware *sim)
{
    dn_http_download_destroy(sim->http);
    dn_sim_package_close(&sim->package);
}

/* A package that is there from before the restart has a version too, and an installation goes on. */
dunlin_status dn_sim_firmware_add(dunlin_client *client, dn_sim_firmware *sim)
{
    const dunlin_status status = dunlin_firmware_add(client, &sim->firmware);
    if (status != DUNLIN_OK) {
        return status;
    }
    dn_sim_package_head head;
    dn_sim_package_head_of(&sim->package, &head);
    sim->package_fail = head.fail;
    const dunlin_firmware_state state = dunlin_firmware_state_of(&sim->firmware);
    if (state == DUNLIN_FIRMWARE_DOWNLOADED || state == DUNLIN_FIRMWARE_UPDATING) {
        if (dn_sim_package_version(&sim->package, sim->next)) {
            sim->firmware.package_name = "dunlin client";
            sim->firmware.package_version = sim->next;
        }
        sim->install_asked = state == DUNLIN_FIRMWARE_UPDATING;
    }
    return DUNLIN_OK;
}

static bool install(dn_sim_firmware *sim)
{
    sim->install_at_ms = DUNLIN_NEVER;
    if (failure_of(sim) == DN_SIM_FAIL_INSTALL) {
        (void)printf("the installation of firmware %s failed\n", sim->next);
        (void)fflush(stdout);
        dunlin_firmware_installed(&sim->firmware, DUNLIN_FIRMWARE_FAILED);
        return false;
    }
    memcpy(sim->running, sim->next, sizeof sim->running);
    dn_sim_package_keep_version(&sim->package, sim->running);
    (void)printf("firmware %s is installed\n", sim->running);
    (void)fflush(stdout);
    dunlin_firmware_installed(&sim->firmware, DUNLIN_FIRMWARE_SUCCESS);
    return true;
}

dunlin_status dn_sim_firmware_agree(dn_sim_firmware *sim)
{
    sim->fail = sim->fail == DN_SIM_FAIL_DEFER ? DN_SIM_FAIL_NOT : sim->fail;
    sim->package_fail = sim->package_fail == DN_SIM_FAIL_DEFER ? DN_SIM_FAIL_NOT : sim->package_fail;
    return dunlin_firmware_update(&sim->firmware);
}

/* When the Maximum Defer Period is over it is installed without asking (object 5 version 1.1, resource 13). */
static void watch_deferral(dn_sim_firmware *sim, uint64_t now_ms)
{
    const dunlin_firmware_kept *kept = &sim->firmware.kept;
    if (kept->state != DUNLIN_FIRMWARE_DOWNLOADED || kept->result != DUNLIN_FIRMWARE_DEFERRED) {
        sim->deferred_until_ms = DUNLIN_NEVER;
    } else if (sim->deferred_until_ms == DUNLIN_NEVER) {
        sim->deferred_until_ms = now_ms + (uint64_t)sim->firmware.defer_max_s * MS_PER_S;
    } else if (now_ms >= sim->deferred_until_ms) {
        sim->deferred_until_ms = DUNLIN_NEVER;
        (void)dn_sim_firmware_agree(sim); /* a package is there */
    }
}

bool dn_sim_firmware_step(dn_sim_firmware *sim, uint64_t now_ms)
{
    dn_http_download_step(sim->http, now_ms);
    dunlin_firmware_step(&sim->firmware, now_ms);
    watch_deferral(sim, now_ms);
    if (sim->install_asked) {
        sim->install_asked = false;
        sim->install_at_ms = now_ms + sim->install_ms;
        (void)printf("installing firmware %s\n", sim->next);
        (void)fflush(stdout);
    }
    return now_ms >= sim->install_at_ms && install(sim);
}

uint64_t dn_sim_firmware_deadline(const dn_sim_firmware *sim)
{
    const uint64_t dues[] = {dunlin_firmware_deadline(&sim->firmware), dn_http_download_deadline(sim->http),
                             sim->install_asked ? 0 : sim->install_at_ms, sim->deferred_until_ms};
    uint64_t first = DUNLIN_NEVER;
    for (size_t i = 0; i < sizeof dues / sizeof dues[0]; i++) {
        first = dues[i] < first ? dues[i] : first;
    }
    return first;
}

int dn_sim_firmware_fd(const dn_sim_firmware *sim)
{
    return dn_http_download_fd(sim->http);
}

void dn_sim_firmware_say(const dn_sim_firmware *sim)
{
    static const char *const states[] = {"idle", "downloading", "downloaded", "updating"};
    (void)printf("firmware %s runs; %s, result %u", sim->running, states[sim->firmware.kept.state],
                 (unsigned)sim->firmware.kept.result);
    if (sim->firmware.kept.state != DUNLIN_FIRMWARE_IDLE) {
        (void)printf(", %llu bytes", (unsigned long long)sim->firmware.kept.offset);
    }
    (void)printf("%s%s\n", sim->firmware.package_version != NULL ? ", package " : "",
                 sim->firmware.package_version != NULL ? sim->firmware.package_version : "");
}
