/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of bootstrap configurations: any bytes. What is taken makes a plan for a device that tells little, each Write of it can be
 * encoded in every format, and what is shown of it is a document that can be taken again once its secrets are back.
 */
#include "bootstrap/config.h"
#include "bootstrap/material.h"
#include "bootstrap/plan.h"
#include "fuzz/must.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const dn_bs_plan *plan, dunlin_path path)
{
    static const uint16_t formats[] = {DN_FORMAT_TLV, DN_FORMAT_SENML_JSON, DN_FORMAT_SENML_CBOR};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        dn_bs_bytes payload = {NULL, 0};
        dunlin_status status = dn_bs_plan_payload(plan, path, formats[i], 1u << 20, &payload);
        /* JSON has no not-a-numbers and no infinities, which no document has either. */
        must_that(status == DUNLIN_OK, "what was taken can be written");
        dn_bs_bytes_free(&payload);
    }
}

static void make_plan(const dn_bs_config *config, bool is_1_0, bool is_repair)
{
    static const char links[] = "</>;lwm2m=1.1,</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</2/0>,</3/0>";
    static const uint8_t key[] = {0x30, 0x00};
    const dn_bs_own own = {.uris = {"coap://h", "coaps://h", NULL, "coaps+tcp://h"},
                           .public_key = {key, sizeof key},
                           .certificate = {key, sizeof key}};
    const dn_bs_minted minted = {.identity_len = 3, .key_len = 16, .identity = "bs-"};
    dn_bs_told told = {.major = 0};
    dn_bs_plan plan;
    char why[128] = "";
    must_that(dn_bs_told_read(&told, dunlin_slice_of(links)) == DUNLIN_OK, "the links are links");
    const dn_bs_plan_terms terms = {.config = config,
                                    .own = &own,
                                    .minted = &minted,
                                    .told = &told,
                                    .is_1_0 = is_1_0,
                                    .is_repair = is_repair};
    if (dn_bs_plan_make(&plan, &terms, why, sizeof why)) {
        must_that(plan.step_count > 0 && plan.steps[plan.step_count - 1].operation == DN_BS_FINISH,
                  "a plan ends with Finish");
        for (size_t i = 0; i < plan.step_count; i++) {
            if (plan.steps[i].operation == DN_BS_WRITE) {
                encode(&plan, plan.steps[i].path);
            }
        }
        dn_bs_plan_free(&plan);
    } else {
        must_that(why[0] != '\0', "it is said why there is no plan");
    }
    dn_bs_told_free(&told);
}

static void show(dunlin_slice document)
{
    char error[256];
    char *shown = NULL;
    char *merged = NULL;
    dn_bs_config *again = NULL;
    must_that(dn_bs_config_show(document, &shown) == DUNLIN_OK, "what was taken is shown");
    must_that(dn_bs_config_merge(dunlin_slice_of(shown), document, &merged) == DUNLIN_OK, "and merged");
    must_that(dn_bs_config_parse(dunlin_slice_of(merged), &again, error, sizeof error) ||
                  strlen(merged) > DN_BS_DOCUMENT_MAX,
              "what was shown and merged is taken");
    dn_bs_config_free(again);
    free(shown);
    free(merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[256] = "";
    char *any = NULL;
    dn_bs_config *config = NULL;
    const dunlin_slice document = dunlin_slice_make(data, size);
    if (dn_bs_config_merge(document, document, &any) == DUNLIN_OK) {
        free(any);
    }
    if (!dn_bs_config_parse(document, &config, error, sizeof error)) {
        must_that(error[0] != '\0' && config == NULL, "it is said what is wrong");
        return 0;
    }
    for (unsigned i = 0; i < 4; i++) {
        make_plan(config, i & 1, i & 2);
    }
    dn_bs_config_free(config);
    show(document);
    return 0;
}
