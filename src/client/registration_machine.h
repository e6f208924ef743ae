/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of a registration's state machine share: its events, what led to them, and what every action needs. Only registration.c and
 * registration_leave.c know it; everybody else asks registration.h.
 */
#ifndef DN_CLIENT_REGISTRATION_MACHINE_H
#define DN_CLIENT_REGISTRATION_MACHINE_H

#include "client/registration.h"

typedef enum {
    DN_REG_ON_START,
    DN_REG_ON_TURN,    /* the order of servers has come to it */
    DN_REG_ON_BLOCKED, /* one before it in the order has failed, and blocks */
    DN_REG_ON_STOP,
    DN_REG_ON_RESTART,
    DN_REG_ON_DISABLE,
    DN_REG_ON_DUE,     /* due_ms has come */
    DN_REG_ON_OK,      /* the exchange was answered with success */
    DN_REG_ON_GONE,    /* 4.04 to an Update: the server does not know us any more */
    DN_REG_ON_REFUSED, /* any other error */
    DN_REG_ON_LOST,    /* no answer */
    DN_REG_ON_WAY,     /* the way is there, or is another one now */
    DN_REG_ON_CUT,     /* the way is gone, or has not come about */
    DN_REG_ON_BARRED,  /* the same with an alert that forbids to try again */
    DN_REG_ON_NEEDED,  /* something is to be sent, but the way is gone */
    DN_REG_EVENTS
} dn_reg_event;

/* What led to an event, for those actions that tell the application. */
typedef struct {
    dunlin_status status;
    uint8_t code;
    int16_t alert;
} dn_reg_cause;

/* An action of the table. */
typedef void dn_reg_action(dn_account *account, const dn_reg_cause *cause);

dn_reg_cause dn_reg_cause_of(dunlin_status status);
/* Does what the table says for the event in the state of now; NULL: nothing special led to it. */
void dn_reg_happen(dn_account *account, dn_reg_event event, const dn_reg_cause *cause);
/* Tells the application. */
void dn_reg_tell(const dn_account *account, dunlin_client_event_kind kind, const dn_reg_cause *cause,
                 uint64_t retry_ms);
/* The answer to a Register, Update or De-register has come, or will not: leads to the event that it means in the state of now. */
void dn_reg_on_result(void *context, uint64_t exchange, dunlin_status status,
                      const dn_coap_response *response);
/* The exchange under way is not waited for any more. */
void dn_reg_cancel(dn_account *account);

#endif
