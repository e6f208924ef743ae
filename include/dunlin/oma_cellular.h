/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cellular Connectivity (Object 10): parameters of the modem. Version 1.1, announced as such, or 1.0, which knows nothing of
 * power saving modes and Release Assistance; with LwM2M 1.0 take that one.
 */
#ifndef DUNLIN_OMA_CELLULAR_H
#define DUNLIN_OMA_CELLULAR_H

#include <dunlin/client.h>

#define DUNLIN_EDRX_MAX            8 /* bytes; the networks of today use 1 */
#define DUNLIN_ACTIVE_PROFILES_MAX 4

/* Optional resources, for `has`. A server can write those only; others are not found. */
enum {
    DUNLIN_CELLULAR_SMSC = 1 << 0,
    DUNLIN_CELLULAR_DISABLE = 1 << 1,
    DUNLIN_CELLULAR_ACTIVATION = 1 << 2,
    DUNLIN_CELLULAR_VENDOR = 1 << 3,
    DUNLIN_CELLULAR_PSM_TIMER = 1 << 4,
    DUNLIN_CELLULAR_ACTIVE_TIMER = 1 << 5,
    DUNLIN_CELLULAR_PLMN_RATE = 1 << 6, /* 1.0 only */
    DUNLIN_CELLULAR_EDRX_IU = 1 << 7,
    DUNLIN_CELLULAR_EDRX_WB_S1 = 1 << 8,
    DUNLIN_CELLULAR_EDRX_NB_S1 = 1 << 9,
    DUNLIN_CELLULAR_EDRX_A_GB = 1 << 10,
    DUNLIN_CELLULAR_MODES = 1 << 12, /* 12 and 13, from 1.1 on */
    DUNLIN_CELLULAR_RELEASE_ASSISTANCE = 1 << 14
};

enum { DUNLIN_SAVING_PSM = 1, DUNLIN_SAVING_EDRX = 2 }; /* power saving modes, a set */

typedef DUNLIN_BYTES(DUNLIN_EDRX_MAX) dunlin_edrx;

typedef struct {
    uint32_t has;           /* set of DUNLIN_CELLULAR */
    char smsc[24];          /* E.164 number of the short message service centre */
    uint16_t disable_min;   /* minutes for which the radio is to be off */
    char activation[64];    /* module activation code */
    dunlin_objlnk vendor;   /* where the vendor's extensions are */
    int32_t psm_timer_s;    /* extended periodic tracking area update, T3412 */
    int32_t active_timer_s; /* T3324 */
    int32_t plmn_rate;      /* Serving PLMN Rate Control */
    dunlin_edrx edrx_iu, edrx_wb_s1, edrx_nb_s1, edrx_a_gb; /* octet 3 of 3GPP TS 24.008 section 10.5.5.32 */
    DUNLIN_MANY(dunlin_objlnk, DUNLIN_ACTIVE_PROFILES_MAX) active_profiles; /* of Object 11 */
    uint8_t modes_supported, modes_active;                                  /* sets of DUNLIN_SAVING */
    uint8_t release_assistance; /* bits: 0 not used, 1 no answer expected, 2 one answer expected */

    /* Told after a server has written resource `resource`: drive the modem. An error takes the whole Write back. May be NULL. */
    dunlin_status (*apply)(void *context, uint16_t resource);
    void *context;
} dunlin_cellular;

extern const dunlin_object dunlin_cellular_object;     /* 1.1 */
extern const dunlin_object dunlin_cellular_object_1_0; /* 1.0 */

/* Adds Object 10: version 1.0 with LwM2M 1.0, else 1.1. `cellular` must outlive the client. Errors as
 * dunlin_client_add_object. */
dunlin_status dunlin_cellular_add(dunlin_client *client, dunlin_cellular *cellular, dunlin_lwm2m lwm2m);
/* Makes the profile /11/`instance` one that is active, or not any more. LIMIT: no room. */
dunlin_status dunlin_cellular_activate(dunlin_client *client, dunlin_cellular *cellular, uint16_t instance,
                                       bool active);

#endif
