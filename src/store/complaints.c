/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong last; see complaints.h. */
#include "store/complaints.h"

#include <stdio.h>

void dn_complaints_init(dn_complaints *complaints, const dn_log *log, const char *area)
{
    *complaints = (dn_complaints){.log = log, .area = area};
    pthread_mutex_init(&complaints->lock, NULL);
}

void dn_complaints_free(dn_complaints *complaints)
{
    pthread_mutex_destroy(&complaints->lock);
}

void dn_complaints_note(dn_complaints *complaints, const char *text)
{
    pthread_mutex_lock(&complaints->lock);
    complaints->at = (complaints->at + 1) % DN_COMPLAINTS_KEPT;
    snprintf(complaints->text[complaints->at], sizeof complaints->text[0], "%s", text);
    pthread_mutex_unlock(&complaints->lock);
    dn_log_at(complaints->log, DN_LOG_ERROR, complaints->area, "%s", text);
}

const char *dn_complaints_last(dn_complaints *complaints)
{
    pthread_mutex_lock(&complaints->lock);
    const char *text = complaints->text[complaints->at];
    pthread_mutex_unlock(&complaints->lock);
    return text;
}
