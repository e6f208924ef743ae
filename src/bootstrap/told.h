/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device tells by Bootstrap-Discover (Core 1.1.1 section 6.1.7.4): its version of LwM2M, and which instances there are; of accounts
 * also whose. The forms of 1.0 (lwm2m="1.0") and of 1.1 (</>;lwm2m=1.1) are read alike.
 */
#ifndef DN_BOOTSTRAP_TOLD_H
#define DN_BOOTSTRAP_TOLD_H

#include <dunlin/value.h>

#define DN_BS_TOLD_MAX 4096u /* instances of one device */

typedef struct {
    uint16_t object, instance;
    int32_t ssid; /* -1: none told */
} dn_bs_told_instance;

typedef struct {
    uint8_t major, minor;      /* 0.0: not told */
    dn_bs_told_instance *list; /* ascending */
    size_t count;
} dn_bs_told;

/* Replaces what was there. MALFORMED: it is no link format; LIMIT; MEMORY: then nothing is told. */
dunlin_status dn_bs_told_read(dn_bs_told *told, dunlin_slice links);
void dn_bs_told_free(dn_bs_told *told);
/* NULL: not told. */
const dn_bs_told_instance *dn_bs_told_find(const dn_bs_told *told, uint16_t object, uint16_t instance);
/* The bootstrap server's own account is the instance of Object 0 without Short Server ID, the first of several; -1: there is none. */
int32_t dn_bs_told_account(const dn_bs_told *told);

#endif
