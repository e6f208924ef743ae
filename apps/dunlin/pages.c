/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/dunlin/pages.h"

#include "apps/dunlin/command.h"
#include "apps/dunlin/rest.h"
#include "apps/dunlin/show.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static dn_text url_of(const dn_list *list, const dn_options *options)
{
    dn_text path = {0};
    dn_text_printf(&path, "%s?limit=%lu", list->path, list->limit < DN_PAGE_MAX ? list->limit : DN_PAGE_MAX);
    if (list->text != NULL) {
        dn_text_printf(&path, "&%s=", list->parameter);
        dn_text_percent(&path, list->text);
    }
    if (list->cursor != NULL) {
        dn_text_puts(&path, "&after=");
        dn_text_percent(&path, list->cursor);
    }
    dn_text url = dn_rest_url(options, path.data, false);
    dn_text_free(&path);
    return url;
}

static void take(dn_list *list, const json_t *page, json_t *items)
{
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(json_object_get(page, list->member), i, item)
    {
        if (list->limit > 0) {
            (void)json_array_append(items, item);
            list->limit--;
        }
    }
    const char *next = dn_show_text(page, "next");
    free(list->cursor);
    list->ended = next[0] == '\0' || list->limit == 0;
    list->cursor = list->ended ? NULL : strdup(next);
}

bool dn_list_next(dn_list *list, const dn_options *options, json_t *items, int *exit_code)
{
    if (list->ended) {
        return false;
    }
    dn_text url = url_of(list, options);
    dn_answer answer = dn_rest("GET", url.data, NULL, 0, NULL);
    json_t *page = answer.status == 200 ? dn_show_load(answer.body.data, answer.body.len) : NULL;
    const bool taken = page != NULL;
    if (taken) {
        take(list, page, items);
    } else {
        *exit_code = dn_rest_trouble(options, &answer);
        dn_list_end(list);
    }
    json_decref(page);
    dn_answer_free(&answer);
    dn_text_free(&url);
    return taken;
}

void dn_list_end(dn_list *list)
{
    free(list->cursor);
    list->cursor = NULL;
    list->ended = true;
}

int dn_list_print(dn_list *list, const dn_options *options, const char *command, const char *limit,
                  void (*print)(const json_t *all))
{
    int exit_code = EXIT_CODE_OK;
    list->limit = ULONG_MAX;
    if (!dn_options_count(command, "--limit", limit, &list->limit)) {
        return EXIT_CODE_USAGE;
    }
    json_t *all = json_array();
    while (dn_list_next(list, options, all, &exit_code)) {
    }
    if (exit_code == EXIT_CODE_OK && options->json) {
        (void)json_dumpf(all, stdout, JSON_INDENT(2));
        (void)puts("");
    } else if (exit_code == EXIT_CODE_OK) {
        print(all);
    }
    json_decref(all);
    return exit_code;
}
