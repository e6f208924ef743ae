/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a registration: De-register, Disable (/1/x/4), and stopping (Core 1.1.1 sections 6.2.3 and 6.2.1.2). Actions of the state machine. */
#ifndef DN_CLIENT_REGISTRATION_LEAVE_H
#define DN_CLIENT_REGISTRATION_LEAVE_H

#include "client/registration_machine.h"

dn_reg_action dn_reg_deregister, dn_reg_cancel_and_deregister, dn_reg_stop_now, dn_reg_stopped,
    dn_reg_cancel_and_stop;
dn_reg_action dn_reg_disable, dn_reg_cancel_and_disable, dn_reg_disabled, dn_reg_cancel_and_disabled;

/* Nobody will ask for what there was to report. */
void dn_reg_forget_reports(dn_account *account);

#endif
