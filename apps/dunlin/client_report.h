/* SPDX-License-Identifier: Apache-2.0 */
/* What `dunlin client` tells the person or program that runs it, and with which exit code it will end. */
#ifndef DUNLIN_APP_CLIENT_REPORT_H
#define DUNLIN_APP_CLIENT_REPORT_H

#include "apps/dunlin/client_options.h"
#include "port/transport.h"

#define DN_SIM_KNOWN_MAX 16u

typedef struct {
    const dn_sim_options *options;
    dunlin_client *client;            /* NULL: there is none yet */
    uint16_t known[DN_SIM_KNOWN_MAX]; /* Short Server IDs, by the number of their bit; 0: free */
    char uri[DUNLIN_URI_MAX + 1];
    uint16_t failed;     /* servers with which all tries are used up, a bit each */
    uint16_t way_failed; /* servers to which the last way failed, and why was told, a bit each */
    uint16_t way_left;   /* servers to which the last way ended without a failure, a bit each */
    uint16_t told_end;   /* servers of which was told that there is no further try, a bit each */
    bool bootstrap_over; /* there will be no further try to bootstrap */
    bool was_up;         /* a way to a server has been there */
    int exit_code;
} dn_sim_report;

/* Prints an event. */
void dn_sim_report_event(dn_sim_report *report, const dunlin_client_event *event);
/* Prints what became of a way to a server. */
void dn_sim_report_way(dn_sim_report *report, const dn_ways_event *event);
/* True when with this event, which was printed, no server is left to try, nor a bootstrap. */
bool dn_sim_report_all_failed(dn_sim_report *report, const dunlin_client_event *event);

#endif
