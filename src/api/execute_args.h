/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of an Execute: from JSON to the text that goes to the device (Core 1.1.1 section 6.3.5). */
#ifndef DN_API_EXECUTE_ARGS_H
#define DN_API_EXECUTE_ARGS_H

#include "api/call.h"

/* Reads call->body: empty, {"args":"0='x',1"} or {"args":[{"id":0,"value":"x"},{"id":1}]}, and writes the text to `args`. False: the problem has
   been answered. */
bool dn_execute_args(dn_call *call, dn_text *args);
/* True when `text` is a list of arguments: a digit each, with ='text' or without, separated by commas, no digit twice. */
bool dn_execute_args_valid(dunlin_slice text);

#endif
