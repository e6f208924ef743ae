/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Linux knows of its network: addresses, routers, traffic, radio. Read from /proc and /sys below `root`, which is "" but
 * for tests. Nothing is kept between calls; any thread.
 */
#ifndef DN_PORT_LINUX_NET_H
#define DN_PORT_LINUX_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_LINUX_IP_MAX        46 /* text of an address, with its NUL */
#define DN_LINUX_INTERFACE_MAX 16

typedef char dn_linux_ip[DN_LINUX_IP_MAX];

/* The addresses of interfaces that are up, link-local ones last; those of the loopback only if there is no other. Their number. */
size_t dn_linux_addresses(dn_linux_ip *out, size_t max);
/* The routers of default routes, IPv4 first, and the interface of the first (empty: none). Their number. */
size_t dn_linux_routers(const char *root, dn_linux_ip *out, size_t max,
                        char interface[DN_LINUX_INTERFACE_MAX]);
/* The interface through which packets to `host` leave (a name is looked up, which may block). False: there is no way to it. */
bool dn_linux_interface_to(const char *host, char interface[DN_LINUX_INTERFACE_MAX]);
/* Bytes sent and received over `interface`; NULL or "": over all but the loopback. False: not known. */
bool dn_linux_traffic(const char *root, const char *interface, uint64_t *tx_bytes, uint64_t *rx_bytes);
/* True for an interface that is a wireless LAN. */
bool dn_linux_is_wireless(const char *root, const char *interface);
/* Signal in dBm and link quality of a wireless interface. False: it has none. */
bool dn_linux_signal(const char *root, const char *interface, int *dbm, int *quality);

#endif
