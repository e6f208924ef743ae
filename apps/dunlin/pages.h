/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of the server, which it gives a page at a time. */
#ifndef DUNLIN_APP_PAGES_H
#define DUNLIN_APP_PAGES_H

#include "apps/dunlin/options.h"

#include <jansson.h>

#define DN_PAGE_MAX 1000ul /* items of a page: the most that the server gives */

typedef struct {
    const char *path;             /* "/clients" */
    const char *member;           /* of a page: the array of its items */
    const char *parameter, *text; /* which of them: ?parameter=text; text NULL: all */
    unsigned long limit;          /* at most so many of them; goes down as they are taken */
    char *cursor;                 /* behind which the next page begins; NULL at first */
    bool ended;
} dn_list;

/* Appends the items of the next page. False: there is none any more, or it failed, which is said and in the exit code. */
bool dn_list_next(dn_list *list, const dn_options *options, json_t *items, int *exit_code);
/* Needs to be called for a list that may not have come to its end. */
void dn_list_end(dn_list *list);

/* Prints the whole list, with --json as one array, else by `print`; `limit` is the text of --limit, or NULL. Gives the exit code. */
int dn_list_print(dn_list *list, const dn_options *options, const char *command, const char *limit,
                  void (*print)(const json_t *all));

#endif
