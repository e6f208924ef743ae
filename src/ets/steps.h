/* SPDX-License-Identifier: Apache-2.0 */
/* The words in which cases are written: a row each of a table of steps. Only cases_*.c include this. */
#ifndef DN_ETS_STEPS_H
#define DN_ETS_STEPS_H

#include "coap/option.h"
#include "ets/case.h"
#include "ets/run.h"

/* Formats. ANY: what the device is known to understand. */
#define TEXT       DN_FORMAT_TEXT
#define CBOR       DN_FORMAT_CBOR
#define TLV        DN_FORMAT_TLV
#define SENML_JSON DN_FORMAT_SENML_JSON
#define SENML_CBOR DN_FORMAT_SENML_CBOR
#define OPAQUE     DN_FORMAT_OPAQUE
#define LWM2M_JSON DN_FORMAT_LWM2M_JSON
#define ANY        DN_ETS_ANY_FORMAT
#define NO_ACCEPT  DN_FORMAT_NONE

#define CONTENT      DN_COAP_CONTENT
#define CHANGED      DN_COAP_CHANGED
#define CREATED      DN_COAP_CREATED
#define DELETED      DN_COAP_DELETED
#define UNAUTHORIZED DN_COAP_UNAUTHORIZED
#define NOT_ALLOWED  DN_COAP_METHOD_NOT_ALLOWED

/* ---- what the server asks for; each expects an answer ---- */
#define ASK_(what, where, how, expected) \
    .kind = &dn_ets_kind_ask, .operation = (what), .path = (where), .format = (how), .code = (expected)
#define READ(path_, format_)                       \
    {                                              \
        ASK_(DN_ETS_READ, path_, format_, CONTENT) \
    }
#define READ_GETS(path_, format_, code_)         \
    {                                            \
        ASK_(DN_ETS_READ, path_, format_, code_) \
    }
#define WRITE(path_, format_, value_)                                  \
    {                                                                  \
        ASK_(DN_ETS_WRITE, path_, format_, CHANGED), .value = (value_) \
    }
#define WRITE_GETS(path_, format_, value_, code_)                    \
    {                                                                \
        ASK_(DN_ETS_WRITE, path_, format_, code_), .value = (value_) \
    }
#define UPDATE(path_, format_, value_)                                  \
    {                                                                   \
        ASK_(DN_ETS_UPDATE, path_, format_, CHANGED), .value = (value_) \
    }
#define ATTRIBUTES(path_, query_)                                             \
    {                                                                         \
        ASK_(DN_ETS_ATTRIBUTES, path_, NO_ACCEPT, CHANGED), .value = (query_) \
    }
#define ATTRIBUTES_GETS(path_, query_, code_)                               \
    {                                                                       \
        ASK_(DN_ETS_ATTRIBUTES, path_, NO_ACCEPT, code_), .value = (query_) \
    }
#define EXECUTE(path_, arguments_)                                             \
    {                                                                          \
        ASK_(DN_ETS_EXECUTE, path_, NO_ACCEPT, CHANGED), .value = (arguments_) \
    }
#define EXECUTE_GETS(path_, arguments_, code_)                               \
    {                                                                        \
        ASK_(DN_ETS_EXECUTE, path_, NO_ACCEPT, code_), .value = (arguments_) \
    }
#define CREATE(path_, format_, value_)                                  \
    {                                                                   \
        ASK_(DN_ETS_CREATE, path_, format_, CREATED), .value = (value_) \
    }
#define CREATE_GETS(path_, format_, value_, code_)                    \
    {                                                                 \
        ASK_(DN_ETS_CREATE, path_, format_, code_), .value = (value_) \
    }
#define DELETE(path_)                                  \
    {                                                  \
        ASK_(DN_ETS_DELETE, path_, NO_ACCEPT, DELETED) \
    }
#define DELETE_GETS(path_, code_)                    \
    {                                                \
        ASK_(DN_ETS_DELETE, path_, NO_ACCEPT, code_) \
    }
#define DISCOVER(path_)                                  \
    {                                                    \
        ASK_(DN_ETS_DISCOVER, path_, NO_ACCEPT, CONTENT) \
    }
#define OBSERVE(path_, format_)                       \
    {                                                 \
        ASK_(DN_ETS_OBSERVE, path_, format_, CONTENT) \
    }
/* Also after a failure: what is still observed would be answered without asking the device. */
#define CANCEL(path_)                                                  \
    {                                                                  \
        ASK_(DN_ETS_CANCEL, path_, NO_ACCEPT, CONTENT), .always = true \
    }
/* Its observation is forgotten: the next notification gets a Reset. */
#define FORGET(path_)                            \
    {                                            \
        ASK_(DN_ETS_FORGET, path_, NO_ACCEPT, 0) \
    }
#define READ_COMPOSITE(paths_, format_)                                          \
    {                                                                            \
        ASK_(DN_ETS_READ_COMPOSITE, paths_, format_, CONTENT), .composite = true \
    }
#define WRITE_COMPOSITE(values_, format_)                                                          \
    {                                                                                              \
        ASK_(DN_ETS_WRITE_COMPOSITE, "/", format_, CHANGED), .value = (values_), .composite = true \
    }
#define OBSERVE_COMPOSITE(paths_, format_)                                          \
    {                                                                               \
        ASK_(DN_ETS_OBSERVE_COMPOSITE, paths_, format_, CONTENT), .composite = true \
    }
#define CANCEL_COMPOSITE(paths_, format_)                                                          \
    {                                                                                              \
        ASK_(DN_ETS_CANCEL_COMPOSITE, paths_, format_, CONTENT), .composite = true, .always = true \
    }

/* ---- what the last answer must hold ---- */
#define HAS(paths_)                                \
    {                                              \
        .kind = &dn_ets_kind_has, .path = (paths_) \
    }
#define LACKS(paths_)                                \
    {                                                \
        .kind = &dn_ets_kind_lacks, .path = (paths_) \
    }
#define HOLDS(values_)                                 \
    {                                                  \
        .kind = &dn_ets_kind_holds, .value = (values_) \
    }
#define FORMAT(number_)                                  \
    {                                                    \
        .kind = &dn_ets_kind_format, .format = (number_) \
    }
/* Links with these attributes are there; with EXACTLY, no others for these paths. */
#define LINKS(links_)                                 \
    {                                                 \
        .kind = &dn_ets_kind_links, .value = (links_) \
    }
/* Reads `path` and keeps what it holds; SAME: it holds the same again; RESTORE: it is written back as a whole. */
#define SAVE(path_)                                \
    {                                              \
        .kind = &dn_ets_kind_save, .path = (path_) \
    }
#define SAME(path_)                                \
    {                                              \
        .kind = &dn_ets_kind_same, .path = (path_) \
    }
#define RESTORE(path_, format_)                                                            \
    {                                                                                      \
        .kind = &dn_ets_kind_restore, .path = (path_), .format = (format_), .always = true \
    }
/* Current Time is what it should be by now. */
#define SET_CLOCK()                                    \
    {                                                  \
        .kind = &dn_ets_kind_set_clock, .always = true \
    }
/* Attributes are taken away again. */
#define UNSET(path_, names_)                                                                  \
    {                                                                                         \
        ASK_(DN_ETS_ATTRIBUTES, path_, NO_ACCEPT, CHANGED), .value = (names_), .always = true \
    }
#define CHECK(function_, text_)                                         \
    {                                                                   \
        .kind = &dn_ets_kind_check, .act = (function_), .text = (text_) \
    }

/* ---- registration ---- */
#define REGISTERS()                    \
    {                                  \
        .kind = &dn_ets_kind_registers \
    }
#define UPDATES(parameters_, within_s)                                           \
    {                                                                            \
        .kind = &dn_ets_kind_updates, .value = (parameters_), .to_s = (within_s) \
    }
#define DEREGISTERS()                    \
    {                                    \
        .kind = &dn_ets_kind_deregisters \
    }
#define IS_REGISTERED()                                \
    {                                                  \
        .kind = &dn_ets_kind_is_registered, .count = 1 \
    }
#define IS_GONE(within_s)                                                  \
    {                                                                      \
        .kind = &dn_ets_kind_is_registered, .count = 0, .to_s = (within_s) \
    }
/* An Update is refused with 4.04, since the server does not know the device. */
#define IS_REFUSED(within_s)                             \
    {                                                    \
        .kind = &dn_ets_kind_refused, .to_s = (within_s) \
    }
#define FORGET_DEVICE()            \
    {                              \
        .kind = &dn_ets_kind_leave \
    }
#define WAIT(seconds_)                                \
    {                                                 \
        .kind = &dn_ets_kind_wait, .to_s = (seconds_) \
    }

/* ---- security and transports ---- */
/* The device has a session or a connection of this kind with the server. */
#define COMES_BY(way_)                                  \
    {                                                   \
        .kind = &dn_ets_kind_comes, .operation = (way_) \
    }
/* All messages of the case went over it. */
#define STAYS_ON(way_)                                  \
    {                                                   \
        .kind = &dn_ets_kind_stays, .operation = (way_) \
    }
/* Capabilities and Settings Messages go both ways before anything else (RFC 8323 section 5.3). */
#define SIGNALS()                    \
    {                                \
        .kind = &dn_ets_kind_signals \
    }
/* The device ends the handshake, and does not register within so long. */
#define REFUSES_SERVER(within_s)                         \
    {                                                    \
        .kind = &dn_ets_kind_refuses, .to_s = (within_s) \
    }

/* ---- bootstrap ---- */
/* The device sends a Bootstrap-Request within so long, answered 2.04; what is awaited next comes behind it. */
#define ASKS_BOOTSTRAP(within_s)                                \
    {                                                           \
        .kind = &dn_ets_kind_asks_bootstrap, .to_s = (within_s) \
    }
/* Our bootstrap server does this, and the device answers so: DN_ETS_WRITE, DELETE, READ, FINISH. */
#define IS_ASKED(what, path_, code_)                                                         \
    {                                                                                        \
        .kind = &dn_ets_kind_is_asked, .operation = (what), .path = (path_), .code = (code_) \
    }
#define IS_FINISHED() IS_ASKED(DN_ETS_FINISH, "/bs", CHANGED)
/* Its last Discover before it has finished had these links, and none to what the second list names. */
#define IS_DISCOVERED(has_, lacks_)                                           \
    {                                                                         \
        .kind = &dn_ets_kind_is_discovered, .value = (has_), .text = (lacks_) \
    }
/* The same by hand: the operator of the bootstrap server asks. */
#define BS_ASK_(what, where, how, expected) ASK_(what, where, how, expected), .server = DN_ETS_BOOTSTRAP
#define BS_WRITE(path_, format_, value_)                                  \
    {                                                                     \
        BS_ASK_(DN_ETS_WRITE, path_, format_, CHANGED), .value = (value_) \
    }
#define BS_READ(path_, format_)                       \
    {                                                 \
        BS_ASK_(DN_ETS_READ, path_, format_, CONTENT) \
    }
#define BS_DELETE(path_)                                  \
    {                                                     \
        BS_ASK_(DN_ETS_DELETE, path_, NO_ACCEPT, DELETED) \
    }
#define BS_DISCOVER()                                     \
    {                                                     \
        BS_ASK_(DN_ETS_DISCOVER, "/", NO_ACCEPT, CONTENT) \
    }
#define BS_FINISH_GETS(code_)                         \
    {                                                 \
        BS_ASK_(DN_ETS_FINISH, "/", NO_ACCEPT, code_) \
    }
/* The links of the last answer, compared as above. */
#define BS_LISTS(has_, lacks_)                                                            \
    {                                                                                     \
        .kind = &dn_ets_kind_is_discovered, .value = (has_), .text = (lacks_), .count = 1 \
    }
/* The device is switched off, and on again with this on its card: values of Objects 0 and 1; NULL: nothing. */
#define STARTS_WITH_CARD(values_)                                 \
    {                                                             \
        .kind = &dn_ets_kind_starts_with_card, .value = (values_) \
    }

/* ---- reporting: `count` notifications of `path`, each from_s to to_s after the one before ---- */
#define NOTIFIES(path_, count_, from_, to_)                                                                 \
    {                                                                                                       \
        .kind = &dn_ets_kind_notifies, .path = (path_), .count = (count_), .from_s = (from_), .to_s = (to_) \
    }
#define NOTIFIES_COMPOSITE(paths_, count_, from_, to_)                                         \
    {                                                                                          \
        .kind = &dn_ets_kind_notifies, .path = (paths_), .count = (count_), .from_s = (from_), \
        .to_s = (to_), .composite = true                                                       \
    }
/* No notification of `path` for so long, after those that were under way. */
#define SILENT(path_, seconds_)                                          \
    {                                                                    \
        .kind = &dn_ets_kind_silent, .path = (path_), .to_s = (seconds_) \
    }
#define SILENT_COMPOSITE(paths_, seconds_)                                                   \
    {                                                                                        \
        .kind = &dn_ets_kind_silent, .path = (paths_), .to_s = (seconds_), .composite = true \
    }

/* The next notification of `path`, which comes within so long, gets a Reset. */
#define IS_RESET(path_, within_s)                                       \
    {                                                                   \
        .kind = &dn_ets_kind_reset, .path = (path_), .to_s = (within_s) \
    }

/* ---- what the device does by itself, or a person does with it ---- */
#define DEVICE_SETS(values_, hands_)                                           \
    {                                                                          \
        .kind = &dn_ets_kind_device_sets, .value = (values_), .text = (hands_) \
    }
/* A Send comes, with these Content-Formats, and is answered 2.04; it holds what the server shows. */
#define SENDS()                    \
    {                              \
        .kind = &dn_ets_kind_sends \
    }
#define SENDS_NOTHING(seconds_)                                \
    {                                                          \
        .kind = &dn_ets_kind_sends_nothing, .to_s = (seconds_) \
    }
/* The operator reads while the device sleeps; it is asked only after its next Update. */
#define READ_ASLEEP(path_, within_s)                                     \
    {                                                                    \
        .kind = &dn_ets_kind_asleep, .path = (path_), .to_s = (within_s) \
    }
/* The link of the device is cut once it has asked for so many blocks of its package, or is there again. */
#define CUTS(blocks_)                                 \
    {                                                 \
        .kind = &dn_ets_kind_cuts, .count = (blocks_) \
    }
#define RESTORES_LINK()                           \
    {                                             \
        .kind = &dn_ets_kind_cuts, .always = true \
    }
/* Firmware packages, see firmware.h: written to /5/0/0, or their URI to /5/0/1. */
#define PUSH(package_)                                                  \
    {                                                                   \
        .kind = &dn_ets_kind_push, .value = (package_), .code = CHANGED \
    }
#define PULL(package_)                                                  \
    {                                                                   \
        .kind = &dn_ets_kind_pull, .value = (package_), .code = CHANGED \
    }
/* Server reads until it is so. */
#define POLLS(path_, value_, within_s)                                                     \
    {                                                                                      \
        .kind = &dn_ets_kind_polls, .path = (path_), .value = (value_), .to_s = (within_s) \
    }
#define DEVICE_SENDS(paths_, hands_)                                          \
    {                                                                         \
        .kind = &dn_ets_kind_device_sends, .path = (paths_), .text = (hands_) \
    }

#endif
