/* SPDX-License-Identifier: Apache-2.0 */
/* How the parts of a configuration's document are read; what config.c puts together. */
#ifndef DN_BOOTSTRAP_CONFIG_PARTS_H
#define DN_BOOTSTRAP_CONFIG_PARTS_H

#include "bootstrap/config.h"
#include "bootstrap/json.h"
#include "bootstrap/material.h"

#define DN_BS_URI_MAX 255u /* bytes (Object 0, resource 0) */

/* "security" as it stands in the document: which member goes with which mode is known when all are read. */
typedef struct {
    dn_bs_security common; /* mode, matching, usage, sni */
    int8_t mint;           /* -1: not told */
    char *texts[8];        /* by security_text */
} dn_bs_security_text;

void dn_bs_security_text_init(dn_bs_security_text *text);
void dn_bs_security_text_free(dn_bs_security_text *text);
/* A reader for tables: `target` is a dn_bs_security_text. */
bool dn_bs_security_read(dn_bs_json *json, const json_t *value, void *target);
/*
 * What the texts mean. `uri` NULL: this server, whose own key or certificate counts when none is given. `may_mint`: keys can be made for it.
 * Moves to *out, which is the caller's in any case.
 */
bool dn_bs_security_settle(dn_bs_json *json, dn_bs_security_text *text, const char *uri, bool may_mint,
                           dn_bs_security *out);
void dn_bs_security_free(dn_bs_security *security);

/* "/3/0" and the like, of at most `most` ids. */
bool dn_bs_path_read(dn_bs_json *json, dunlin_slice text, unsigned most, dunlin_path *out);
/* The member "write". */
bool dn_bs_writes_read(dn_bs_json *json, const json_t *value, void *target);
/* NULL, or what is wrong with a server's URI; *is_secure: by its scheme. */
const char *dn_bs_uri_check(const char *uri, bool *is_secure, bool *is_stream);

/* What only shows when all members are known: ids twice, servers without access control, and so on. */
bool dn_bs_config_check(dn_bs_json *json, const dn_bs_config *config, bool tells_deletes);

#endif
