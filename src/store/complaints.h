/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of a keeper's last failures: a few stay, for whoever reads one while the next happens. They are logged as errors, too. Any
 * thread.
 */
#ifndef DN_STORE_COMPLAINTS_H
#define DN_STORE_COMPLAINTS_H

#include "base/log.h"
#include "store/database.h"

#include <pthread.h>

#define DN_COMPLAINTS_KEPT 8u

typedef struct {
    const dn_log *log; /* may be NULL */
    const char *area;
    pthread_mutex_t lock; /* guards what follows */
    unsigned at;
    char text[DN_COMPLAINTS_KEPT][DN_DATABASE_ERROR_MAX];
} dn_complaints;

void dn_complaints_init(dn_complaints *complaints, const dn_log *log, const char *area);
void dn_complaints_free(dn_complaints *complaints);
void dn_complaints_note(dn_complaints *complaints, const char *text);
/* "" before the first one. */
const char *dn_complaints_last(dn_complaints *complaints);

#endif
