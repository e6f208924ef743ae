/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest program that uses the installed client library: parses and prints a path. */
#include <dunlin/status.h>
#include <dunlin/value.h>
#include <stdio.h>

int main(void)
{
    dunlin_path path;
    char text[64];
    dunlin_status status = dunlin_path_parse(dunlin_slice_of("/3303/0/5700"), &path);
    if (status != 0) {
        fprintf(stderr, "%s\n", dunlin_status_text(status));
        return 1;
    }
    size_t length = dunlin_path_format(path, text);
    printf("%.*s\n", (int)length, text);
    return 0;
}
