/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectivity Statistics (Object 7, version 1.0): traffic that is counted between Start and Stop (Core 1.1.1 appendix E.8).
 * Tell it of each message that passes, or give it the counters of the network interface, or both.
 */
#ifndef DUNLIN_OMA_STATISTICS_H
#define DUNLIN_OMA_STATISTICS_H

#include <dunlin/client.h>

/* Optional resources, for `has`. Collection Period is always there. */
enum {
    DUNLIN_STATISTICS_SMS_TX = 1 << 0,
    DUNLIN_STATISTICS_SMS_RX = 1 << 1,
    DUNLIN_STATISTICS_TX_DATA = 1 << 2,
    DUNLIN_STATISTICS_RX_DATA = 1 << 3,
    DUNLIN_STATISTICS_SIZE_MAX = 1 << 4,
    DUNLIN_STATISTICS_SIZE_MEAN = 1 << 5
};

/* Bytes that have gone over the link since some moment in the past. */
typedef struct {
    uint64_t tx_bytes, rx_bytes;
} dunlin_traffic;

typedef struct {
    uint16_t has;           /* set of DUNLIN_STATISTICS */
    int32_t sms_tx, sms_rx; /* the application counts them up while `running` */
    int32_t period_s;       /* Collection Period; 0: until Stop */
    /* The link's counters, IP headers included; false: not known now. NULL: the messages of dunlin_statistics_message are
       what is counted. */
    bool (*link)(void *context, dunlin_traffic *now);
    void *context;

    /* The library's. */
    bool running;
    bool timed; /* `end_ms` holds */
    uint64_t end_ms;
    dunlin_traffic base;    /* of the link, at Start */
    dunlin_traffic counted; /* bytes since Start */
    uint64_t messages, message_bytes, size_max;
} dunlin_statistics;

extern const dunlin_object dunlin_statistics_object;

/* Adds Object 7. `statistics` must outlive the client. Errors as dunlin_client_add_object. */
dunlin_status dunlin_statistics_add(dunlin_client *client, dunlin_statistics *statistics);
/* A message of `bytes` was sent or received; not counted unless a collection runs. */
void dunlin_statistics_message(dunlin_statistics *statistics, bool sent, size_t bytes);
/* Ends a collection whose period is over. Call it after each dunlin_client_receive and when its deadline has come. */
void dunlin_statistics_step(dunlin_client *client, dunlin_statistics *statistics, uint64_t now_ms);
/* When the step is due; DUNLIN_NEVER. */
uint64_t dunlin_statistics_deadline(const dunlin_statistics *statistics);

#endif
