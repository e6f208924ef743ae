/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP socket that HTTP listens on. */
#ifndef DN_API_LISTENER_H
#define DN_API_LISTENER_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

/*
 * Binds and listens on "127.0.0.1:8080", "[::1]:0", "[::]:80" (numeric; [::] serves IPv4 as well). `bound` gets the address with its
 * real port. ARGUMENT: no such text; IO: the system refused; `error` says what. The socket is the caller's.
 */
dunlin_status dn_listener_open(const char *address, int *fd, char *bound, size_t bound_size, char *error,
                               size_t error_size);
/* True when `address` is of this host only (127.0.0.0/8, ::1). */
bool dn_listener_is_loopback(const char *address);

#endif
