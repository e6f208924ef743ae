/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a bootstrap. */
#ifndef DUNLIN_APP_CLIENT_REPORT_BOOTSTRAP_H
#define DUNLIN_APP_CLIENT_REPORT_BOOTSTRAP_H

#include "apps/dunlin/client_report.h"

/* Prints the event, if it is one about a bootstrap, a smartcard or an enrolment. */
void dn_sim_report_bootstrap(dn_sim_report *report, const dunlin_client_event *event);

#endif
