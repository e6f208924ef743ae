/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `dunlin`, each a row of the table in main.c. */
#ifndef DUNLIN_APP_COMMAND_H
#define DUNLIN_APP_COMMAND_H

#include <stdio.h>

/* What `dunlin` exits with; documented in dunlin(1). */
enum {
    EXIT_CODE_OK = 0,
    EXIT_CODE_REFUSED = 1,     /* the server or the device answered with an error */
    EXIT_CODE_USAGE = 2,       /* the command line is wrong */
    EXIT_CODE_UNREACHABLE = 3, /* no server there, or the connection broke */
    EXIT_CODE_TIMEOUT = 4      /* the device did not answer in time */
};

typedef struct {
    const char *name;
    const char *summary;               /* one line for `dunlin --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name; gives the exit code */
    void (*help)(FILE *out);           /* the whole help, with examples */
} dn_command;

int dn_cmd_client(int argc, char **argv);
void dn_help_client(FILE *out);
int dn_cmd_clients(int argc, char **argv);
void dn_help_clients(FILE *out);
int dn_cmd_read(int argc, char **argv);
void dn_help_read(FILE *out);
int dn_cmd_write(int argc, char **argv);
void dn_help_write(FILE *out);
int dn_cmd_exec(int argc, char **argv);
void dn_help_exec(FILE *out);
int dn_cmd_create(int argc, char **argv);
void dn_help_create(FILE *out);
int dn_cmd_delete(int argc, char **argv);
void dn_help_delete(FILE *out);
int dn_cmd_discover(int argc, char **argv);
void dn_help_discover(FILE *out);
int dn_cmd_observe(int argc, char **argv);
void dn_help_observe(FILE *out);
int dn_cmd_observations(int argc, char **argv);
void dn_help_observations(FILE *out);
int dn_cmd_cancel(int argc, char **argv);
void dn_help_cancel(FILE *out);
int dn_cmd_events(int argc, char **argv);
void dn_help_events(FILE *out);
int dn_cmd_attributes(int argc, char **argv);
void dn_help_attributes(FILE *out);
int dn_cmd_requests(int argc, char **argv);
void dn_help_requests(FILE *out);
int dn_cmd_request(int argc, char **argv);
void dn_help_request(FILE *out);
int dn_cmd_packages(int argc, char **argv);
void dn_help_packages(FILE *out);
int dn_cmd_firmware(int argc, char **argv);
void dn_help_firmware(FILE *out);
int dn_cmd_credentials(int argc, char **argv);
void dn_help_credentials(FILE *out);
int dn_cmd_bootstrap(int argc, char **argv);
void dn_help_bootstrap(FILE *out);
int dn_cmd_models(int argc, char **argv);
void dn_help_models(FILE *out);
int dn_cmd_ets(int argc, char **argv);
void dn_help_ets(FILE *out);
int dn_cmd_completion(int argc, char **argv);
void dn_help_completion(FILE *out);

#endif
