/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bootstrap server may ask of a client (Transport 1.1.1 section 6.4.2; Core section 6.1.7), as changes of the Objects: no access
 * control, no regard to which operations a resource has, paths without the alternate path. Also what else configures a client in the same way:
 * factory data and the file of a smartcard. When any of it may be done bootstrap.h knows; nothing here looks at accounts or ways: a change
 * of Objects 0 and 1 has its effect when the accounts are paired anew, after Finish.
 *
 * Everything checks first and changes then: an answer other than a success has changed nothing.
 */
#ifndef DN_CLIENT_BOOTSTRAP_OPERATION_H
#define DN_CLIENT_BOOTSTRAP_OPERATION_H

#include "client/state.h"

typedef enum {
    DN_BOOTSTRAP_OTHER, /* none of them: 4.05 */
    DN_BOOTSTRAP_DISCOVER,
    DN_BOOTSTRAP_READ,
    DN_BOOTSTRAP_WRITE,
    DN_BOOTSTRAP_DELETE,
    DN_BOOTSTRAP_FINISH
} dn_bootstrap_operation;

/* Which one a request is, by its method, path and Accept alone. */
dn_bootstrap_operation dn_client_bootstrap_operation_of(const dn_coap_incoming *request);
/*
 * Carries out all but Finish, and gives the code of the answer; `body` is for its payload, or scratch for decoding.
 * Discover: GET with Accept 40 of / or /O. Read: GET of /1, /1/i, /2, /2/i. Write: PUT to /O (instances in TLV wrappers or by SenML names),
 * /O/i, /O/i/R; what is not in the payload stays, instances are created by need, optional resources unknown to us are ignored, a
 * mandatory one that an instance created here lacks is found at Finish. Delete: / , /O, /O/i, sparing the bootstrap server's account and /3/0;
 * that of an account takes along what Transport section 5.2.5 says.
 */
uint8_t dn_client_bootstrap_operate(dunlin_client *client, dn_bootstrap_operation operation,
                                    const dn_coap_incoming *request, dunlin_buf *body, dn_coap_reply *reply);

/* What keeps a configuration from being one (checklist of Bootstrap-Finish, Core section 6.1.7.6): for the log and the answer's diagnostic. */
typedef struct {
    dunlin_path path; /* what is wrong there; the root: the whole */
    const char *why;  /* "no server account is complete"; a constant */
} dn_bootstrap_fault;

/* One complete server account at least, each Security instance with its Server instance and the other way round, Short Server IDs
   unique and in range, mandatory resources there, URI and mode and credentials that go together, one bootstrap account at most, Object 2 of
   instances that are there, Objlnks valid. False: *fault. */
bool dn_client_bootstrap_consistent(dunlin_client *client, dn_bootstrap_fault *fault);

/* Why a server could not be reached by that instance of Object 0, whatever else there is: words for people. NULL: nothing speaks against it. */
const char *dn_client_bootstrap_way_fault(dunlin_client *client, const dn_security_instance *instance);

/*
 * The file of a smartcard (Core 1.1.1 appendix G, EF LwM2M_Bootstrap): applied as a whole, in place of what came from a card before. An
 * unchanged file (client->card holds its digest) changes nothing. OK: *changed says whether; MALFORMED, LIMIT: as above, nothing is changed,
 * unless there is no memory for images, when what came from the card before has gone; STATE: while a bootstrap server is at work.
 * An empty file: what came from the card is taken away.
 */
dunlin_status dn_client_card_apply(dunlin_client *client, dunlin_slice file, bool *changed);
/* Whether the account of that Short Server ID came from the card. */
bool dn_client_card_gave(const dunlin_client *client, uint16_t ssid);

#endif
