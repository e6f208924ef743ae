/* SPDX-License-Identifier: Apache-2.0 */
/* Operators whose calls block, each call in a thread. */
#include "apps/dunlin/cmd_ets_operator.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXEC "exec:"

struct dn_ets_remote {
    dn_ets_operator operator;
    char *base; /* of REST */
    dn_ets_program *program;
};

typedef struct {
    dn_ets_remote *remote;
    const dn_ets_ask *ask;
    dn_ets_answer *answer;
} job;

static void *work(void *context)
{
    job *one = context;
    dn_ets_answer *answer = one->answer;
    if (one->remote->program != NULL) {
        dn_ets_program_call(one->remote->program, one->ask, answer);
    } else {
        dn_ets_rest_call(one->remote->base, one->ask, answer);
    }
    free(one);
    atomic_store(&answer->done, true);
    return NULL;
}

static void ask_remote(void *context, const dn_ets_ask *ask, dn_ets_answer *answer)
{
    pthread_t thread;
    job *one = malloc(sizeof *one);
    if (one != NULL) {
        *one = (job){.remote = context, .ask = ask, .answer = answer};
        if (pthread_create(&thread, NULL, work, one) == 0) {
            (void)pthread_detach(thread);
            return;
        }
    }
    free(one);
    answer->status = DUNLIN_ERR_MEMORY;
    atomic_store(&answer->done, true);
}

dn_ets_remote *dn_ets_remote_open(const char *text)
{
    dn_ets_remote *remote = calloc(1, sizeof *remote);
    if (remote == NULL) {
        (void)fputs("dunlin ets: no memory\n", stderr);
        return NULL;
    }
    remote->operator=(dn_ets_operator){.name = "this operator", .ask = ask_remote, .context = remote};
    if (strncmp(text, EXEC, sizeof EXEC - 1) == 0) {
        remote->program = dn_ets_program_start(text + sizeof EXEC - 1);
    } else if (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) {
        remote->base = strdup(text);
    } else {
        (void)fprintf(
            stderr,
            "dunlin ets: --operator is http://HOST:PORT of a dunlind, or exec:PROGRAM ARGS, not '%s'\n",
            text);
    }
    if (remote->program == NULL && remote->base == NULL) {
        free(remote);
        return NULL;
    }
    return remote;
}

void dn_ets_remote_close(dn_ets_remote *remote)
{
    if (remote != NULL) {
        dn_ets_program_stop(remote->program);
        free(remote->base);
        free(remote);
    }
}

const dn_ets_operator *dn_ets_remote_operator(dn_ets_remote *remote)
{
    return &remote->operator;
}

const char *dn_ets_remote_uri(const dn_ets_remote *remote)
{
    return remote->program != NULL ? dn_ets_program_uri(remote->program) : NULL;
}
