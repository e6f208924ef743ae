/* SPDX-License-Identifier: Apache-2.0 */
/* A device in the process of the test: the client library over real sockets, with one Object and one server account. One thread. */
#ifndef TESTS_SERVER_EMBED_DEVICE_H
#define TESTS_SERVER_EMBED_DEVICE_H

#include <dunlin/client.h>

#define EMBED_PATIENCE_MS 60000

typedef struct embed_device embed_device;

/* Counts of what it has told. */
typedef struct {
    unsigned connected, registered, refused;
    unsigned lost; /* its way was lost, or did not come about */
    int alert;     /* of the last time; -1: none */
} embed_told;

/* /3303/0/5700 is 20 at first. Its slices are copied; `uri` says whether it has security. */
embed_device *embed_device_start(const char *endpoint, const char *uri, const dunlin_security *security);
void embed_device_set(embed_device *device, double value);
/* Lets it run for a moment. */
const embed_told *embed_device_turn(embed_device *device);
/* Lets it run until `of` has come to `count`; else the test fails. */
void embed_device_await(embed_device *device, const unsigned *of, unsigned count, const char *what);
const embed_told *embed_device_told(const embed_device *device);
void embed_device_stop(embed_device *device);

#endif
