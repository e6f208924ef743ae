/* SPDX-License-Identifier: Apache-2.0 */
/* The download of dunlin/client.h: one body, by the way to a server of ours, or from a peer that need not be one. */
#ifndef DN_CLIENT_DOWNLOAD_H
#define DN_CLIENT_DOWNLOAD_H

#include "client/state.h"

/* Whether a datagram of `peer` may be let in: it is no request, and a download from there is under way. */
bool dn_client_download_expects(const dunlin_client *client, const dn_peer *peer, dunlin_slice datagram);
/* The account's way is gone, or is another one by now: a download that comes by it ends with IO. */
void dn_client_download_cut(dn_account *account);

#endif
