/* SPDX-License-Identifier: Apache-2.0 */
/* Paths in, one line for each server out. */
#include "apps/dunlin/client_send.h"

#include <stdio.h>
#include <string.h>

static void on_done(void *context, uint16_t server, dunlin_status status, uint8_t code)
{
    (void)context;
    if (status == DUNLIN_OK && code >> 5 == 2) {
        (void)printf("server %u has taken it\n", server);
    } else if (status == DUNLIN_OK) {
        (void)printf("error: server %u answered %u.%02u\n", server, code >> 5, code & 31u);
    } else {
        (void)printf("error: server %u: %s\n", server, dunlin_status_text(status));
    }
    (void)fflush(stdout);
}

static const char *reason(dunlin_status status)
{
    switch (status) {
    case DUNLIN_ERR_STATE:
        return "no server is registered with, or Mute Send (/1/x/23) is not false";
    case DUNLIN_ERR_NOT_FOUND:
        return "nothing is at one of the paths";
    case DUNLIN_ERR_ACCESS:
        return "the server may not read that";
    case DUNLIN_ERR_LIMIT:
        return "too many are under way";
    case DUNLIN_ERR_SPACE:
        return "that is too much for one message";
    default:
        return dunlin_status_text(status);
    }
}

void dn_sim_send(dunlin_client *client, char *text)
{
    dunlin_send_value values[DN_SIM_SEND_MAX];
    char *rest = NULL;
    size_t count = 0;
    memset(values, 0, sizeof values);
    for (char *word = strtok_r(text, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
        if (count == DN_SIM_SEND_MAX ||
            dunlin_path_parse(dunlin_slice_of(word), &values[count].path) != DUNLIN_OK ||
            values[count].path.depth < 2) {
            (void)printf("error: '%s' is one path too many, or no path like /3303/0/5700\n", word);
            return;
        }
        count++;
    }
    const dunlin_status status = dunlin_client_send(client, 0, values, count, on_done, NULL);
    if (status == DUNLIN_OK) {
        (void)printf("it is on its way\n");
    } else {
        (void)printf("error: %s\n", reason(status));
    }
}
