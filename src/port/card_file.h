/* SPDX-License-Identifier: Apache-2.0 */
/* A smartcard that is a file: what the port `smartcard` of dunlin/client.h asks for, without a card. */
#ifndef DN_PORT_CARD_FILE_H
#define DN_PORT_CARD_FILE_H

#include <dunlin/slice.h>
#include <dunlin/status.h>

/* Reads the file anew. NOT_FOUND: it is not there, as if the card was out; SPACE: it is larger than `file`; IO: errno says why. */
dunlin_status dn_card_file_read(const char *name, dunlin_buf *file);

#endif
