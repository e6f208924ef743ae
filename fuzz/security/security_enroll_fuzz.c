/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enrolment reads of others: at the device sets of certificates (PKCS#7), at the server requests (PKCS#10); and PEM. The first byte says which.
 * What is found must be whole, and what is not found must leave nothing behind. Keys that sign are not at work here: a mutated request would
 * never have a good signature anyway.
 */
#include "fuzz/must.h"
#include "security/enroll.h"
#include "security/issue.h"
#include "security/pem.h"

#include <string.h>

#define KINDS   3u
#define OUT_MAX 16384u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(dunlin_slice bytes)
{
    dn_enroll_asked asked;
    const dunlin_status status = dn_enroll_read(bytes, &asked);
    if (status == DUNLIN_OK) {
        must(asked.public_key_len > 0 && asked.public_key_len <= sizeof asked.public_key);
        must(memchr(asked.common_name, 0, sizeof asked.common_name) != NULL);
        must(memchr(asked.challenge, 0, sizeof asked.challenge) != NULL);
    }
}

static void read_set(dunlin_slice bytes, uint8_t *out_bytes)
{
    static uint8_t key[DN_KEY_DER_MAX];
    static size_t key_len;
    int64_t from_s, until_s;
    size_t count = 0;
    dunlin_buf out = dunlin_buf_make(out_bytes, OUT_MAX);
    if (key_len == 0) {
        must(dn_key_generate(key, &key_len) == DUNLIN_OK);
    }
    if (dn_enroll_find(bytes, dunlin_slice_make(key, key_len), "x", &out, &from_s, &until_s) != DUNLIN_OK) {
        must(out.len == 0);
    }
    if (dn_enroll_authorities(bytes, &out) != DUNLIN_OK) {
        must(out.len == 0);
    } else {
        must(dn_pem_is(dunlin_buf_view(&out)));
    }
    if (dn_enroll_count(bytes, &count) != DUNLIN_OK) {
        return;
    }
    for (size_t i = 0; i <= count; i++) {
        uint8_t spki[DN_PUBLIC_KEY_DER_MAX];
        size_t len = 0;
        out.len = 0;
        const dunlin_status status = dn_enroll_unpack(bytes, i, &out);
        must(status != DUNLIN_ERR_NOT_FOUND || i == count);
        if (status == DUNLIN_OK) {
            (void)dn_certificate_public(dunlin_buf_view(&out), spki, &len);
        }
    }
}

/* Every block that can be read is no longer than its text, and can be written again. */
static void read_pem(dunlin_slice text, uint8_t *out_bytes)
{
    dunlin_buf out = dunlin_buf_make(out_bytes, OUT_MAX);
    while (dn_pem_read(&text, NULL, &out) == DUNLIN_OK) {
        uint8_t again[OUT_MAX + OUT_MAX / 2];
        dunlin_buf pem = dunlin_buf_make(again, sizeof again);
        must(out.len > 0 && dn_pem_write("X", dunlin_buf_view(&out), &pem) == DUNLIN_OK);
        out.len = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[OUT_MAX];
    if (size == 0) {
        return 0;
    }
    const dunlin_slice rest = dunlin_slice_make(data + 1, size - 1);
    switch (data[0] % KINDS) {
    case 0:
        read_request(rest);
        break;
    case 1:
        read_set(rest, out);
        break;
    default:
        read_pem(rest, out);
    }
    return 0;
}
