/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done with one device: from a configuration and what the device told, the steps in their order, and the payload of each when
 * its turn comes. Ids of instances that the configuration leaves open are chosen here: those of an account with the same Short Server ID that stays,
 * else the smallest that are free of what stays and of the bootstrap server's own account, which no Delete takes away (checklist B16).
 */
#ifndef DN_BOOTSTRAP_PLAN_H
#define DN_BOOTSTRAP_PLAN_H

#include "bootstrap/config.h"
#include "bootstrap/engine.h"
#include "bootstrap/told.h"

/* A key that was made for this device. */
typedef struct {
    uint8_t identity_len, key_len; /* 0: none */
    uint8_t identity[DN_PSK_IDENTITY_MAX];
    uint8_t key[DN_PSK_KEY_MAX];
} dn_bs_minted;

typedef struct {
    uint8_t operation; /* dn_bs_operation */
    dunlin_path path;
} dn_bs_plan_step;

/* An Object Instance that is written. */
typedef struct {
    uint16_t object, instance;
    uint8_t what; /* plan.c knows */
    uint16_t index;
} dn_bs_place;

typedef struct {
    const dn_bs_config *config;
    const dn_bs_own *own;
    const dn_bs_minted *minted;
    bool is_1_0;
    bool prefers_streams; /* the device came over one: so will it go to this server, if that serves them */
    dn_bs_place *places;  /* ascending */
    size_t place_count;
    dn_bs_plan_step *steps;
    size_t step_count;
} dn_bs_plan;

/* What the plan is made from; all of it must outlive it. */
typedef struct {
    const dn_bs_config *config;
    const dn_bs_own *own;
    const dn_bs_minted *minted;
    const dn_bs_told *told;
    bool is_1_0, prefers_streams;
    bool is_repair; /* everything is deleted first, whatever the configuration says */
} dn_bs_plan_terms;

/* NULL, or why no device can be given this configuration by this server: it has no such port, key or certificate. */
const char *dn_bs_plan_lacks(const dn_bs_config *config, const dn_bs_own *own, bool prefers_streams);
/* How many steps there will be, Discover at the beginning included. */
size_t dn_bs_plan_length(const dn_bs_config *config, bool is_1_0);
/* False: `why` says what keeps it from being made. */
bool dn_bs_plan_make(dn_bs_plan *plan, const dn_bs_plan_terms *terms, char *why, size_t why_size);
void dn_bs_plan_free(dn_bs_plan *plan);

/* The payload of a Write at `path` in `format`; *out is allocated, and to be wiped. LIMIT: more than `most` bytes; MEMORY; STATE: this server's
   addresses have been changed since, to none; else the format's. */
dunlin_status dn_bs_plan_payload(const dn_bs_plan *plan, dunlin_path path, uint16_t format, size_t most,
                                 dn_bs_bytes *out);
/* Whether all that was written is there, as the device tells. False: `why` names what is not. */
bool dn_bs_plan_is_done(const dn_bs_plan *plan, const dn_bs_told *told, char *why, size_t why_size);
/* The same from the answer to a Read of Object 1: each account has its instance with its Short Server ID. An answer that cannot be
   read is as good as none. */
bool dn_bs_plan_is_read(const dn_bs_plan *plan, uint16_t format, dunlin_slice payload, char *why,
                        size_t why_size);

#endif
