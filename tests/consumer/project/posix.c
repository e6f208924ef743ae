/* SPDX-License-Identifier: Apache-2.0 */
/* A device with the installed POSIX port: made, with room for credentials, and let go. */
#include <dunlin/posix.h>
#include <stdio.h>

static _Alignas(DUNLIN_ARENA_ALIGN) uint8_t arena[96 * 1024];

int main(void)
{
    dunlin_posix *posix;
    dunlin_posix_config own = dunlin_posix_config_default();
    dunlin_client_config config = dunlin_client_config_default();
    if (dunlin_posix_create(&own, &posix) != DUNLIN_OK) {
        return 1;
    }
    dunlin_posix_fill(posix, &config);
    config.endpoint = "consumer";
    dunlin_client *client = dunlin_client_create(arena, sizeof arena, &config, dunlin_posix_now_ms());
    if (client == NULL) {
        return 1;
    }
    dunlin_posix_turn(posix, client, 0);
    dunlin_posix_destroy(posix);
    printf("/3303/0/5700\n");
    return 0;
}
