/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators of foreign servers for `dunlin ets server`: "http://HOST:PORT" is the REST API of a dunlind, "exec:PROGRAM ARGS" a
 * program that takes JSON lines (docs/guides/conformance-testing.md). Their calls block, so each runs in a thread of its own
 * while the device goes on.
 */
#ifndef DUNLIN_APP_CMD_ETS_OPERATOR_H
#define DUNLIN_APP_CMD_ETS_OPERATOR_H

#include "ets/operator.h"

typedef struct dn_ets_remote dn_ets_remote;

/* NULL: said on stderr why. */
dn_ets_remote *dn_ets_remote_open(const char *text);
/* Ends the program. Nothing may be asked any more. */
void dn_ets_remote_close(dn_ets_remote *remote);
const dn_ets_operator *dn_ets_remote_operator(dn_ets_remote *remote);
/* The server's own address, if the program told it: {"event":"ready","uri":"coap://…"}; else NULL. */
const char *dn_ets_remote_uri(const dn_ets_remote *remote);

/* Inside: the two kinds. Each fills the answer, all but `done`. */
void dn_ets_rest_call(const char *base, const dn_ets_ask *ask, dn_ets_answer *answer);
typedef struct dn_ets_program dn_ets_program;
dn_ets_program *dn_ets_program_start(const char *command); /* NULL: said on stderr */
void dn_ets_program_stop(dn_ets_program *program);
const char *dn_ets_program_uri(const dn_ets_program *program);
void dn_ets_program_call(dn_ets_program *program, const dn_ets_ask *ask, dn_ets_answer *answer);

#endif
