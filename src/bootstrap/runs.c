/* SPDX-License-Identifier: Apache-2.0 */
/* One list of all in the order of their numbers, one of the ended in the order of their ends, and two sets of buckets; see runs.h. */
#include "bootstrap/runs.h"

#include "bootstrap/material.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MORE 8u

static size_t bucket_of(const dn_bs_runs_table *table, dunlin_slice bytes)
{
    return (size_t)dn_hash(&table->key, bytes) & (table->buckets - 1);
}

static dunlin_slice bytes_of(const dn_peer *peer)
{
    return dunlin_slice_make(peer->bytes, peer->len);
}

bool dn_bs_runs_init(dn_bs_runs_table *table, uint32_t max_running, uint32_t max_ended,
                     const dn_random *random)
{
    *table = (dn_bs_runs_table){.max_running = max_running, .max_ended = max_ended, .buckets = 16};
    while (table->buckets < max_running) {
        table->buckets *= 2;
    }
    random->fill(random->context, &table->key, sizeof table->key);
    table->by_endpoint = calloc(table->buckets, sizeof(dn_bs_run *));
    table->by_peer = calloc(table->buckets, sizeof(dn_bs_run *));
    return table->by_endpoint != NULL && table->by_peer != NULL;
}

static void free_live(dn_bs_live *live)
{
    dn_bs_plan_free(&live->plan);
    dn_bs_told_free(&live->told);
    dn_bs_bytes_free(&live->payload);
    dn_bs_cache_give(live->cached);
    free(live->body);
    explicit_bzero(&live->minted, sizeof live->minted);
    free(live);
}

static void free_run(dn_bs_run *run)
{
    if (run->live != NULL) {
        free_live(run->live);
    }
    free(run->steps);
    free(run->found);
    free(run);
}

void dn_bs_runs_free(dn_bs_runs_table *table)
{
    while (table->newest != NULL) {
        dn_bs_run *run = table->newest;
        table->newest = run->older;
        free_run(run);
    }
    free(table->by_endpoint);
    free(table->by_peer);
    *table = (dn_bs_runs_table){.buckets = 0};
}

dn_bs_run *dn_bs_runs_add(dn_bs_runs_table *table, dunlin_slice endpoint, const dn_peer *peer)
{
    if (table->running == table->max_running) {
        return NULL;
    }
    dn_bs_run *run = calloc(1, sizeof *run + endpoint.len + 1);
    dn_bs_live *live = calloc(1, sizeof *live);
    if (run == NULL || live == NULL) {
        free(run);
        free(live);
        return NULL;
    }
    memcpy(run->endpoint, endpoint.data, endpoint.len);
    run->view.endpoint = dunlin_slice_make(run->endpoint, endpoint.len);
    run->view.run = ++table->last_number;
    run->view.why = run->why;
    run->live = live;
    run->peer = *peer;
    dn_bs_run **of_endpoint = &table->by_endpoint[bucket_of(table, endpoint)];
    dn_bs_run **of_peer = &table->by_peer[bucket_of(table, bytes_of(peer))];
    live->next_of_endpoint = *of_endpoint;
    *of_endpoint = run;
    live->next_of_peer = *of_peer;
    *of_peer = run;
    run->older = table->newest;
    if (table->newest != NULL) {
        table->newest->newer = run;
    }
    table->newest = run;
    table->running++;
    return run;
}

dn_bs_run *dn_bs_runs_of(const dn_bs_runs_table *table, dunlin_slice endpoint)
{
    dn_bs_run *run = table->by_endpoint[bucket_of(table, endpoint)];
    while (run != NULL && !dunlin_slice_equal(run->view.endpoint, endpoint)) {
        run = run->live->next_of_endpoint;
    }
    return run;
}

dn_bs_run *dn_bs_runs_of_peer(const dn_bs_runs_table *table, const dn_peer *peer, const dn_bs_run *after)
{
    dn_bs_run *run =
        after != NULL ? after->live->next_of_peer : table->by_peer[bucket_of(table, bytes_of(peer))];
    while (run != NULL && !dn_peer_equal(&run->peer, peer)) {
        run = run->live->next_of_peer;
    }
    return run;
}

static void forget_oldest_end(dn_bs_runs_table *table)
{
    dn_bs_run *run = table->first_ended;
    table->first_ended = run->next_ended;
    table->last_ended = table->first_ended == NULL ? NULL : table->last_ended;
    if (run->newer != NULL) {
        run->newer->older = run->older;
    } else {
        table->newest = run->older;
    }
    if (run->older != NULL) {
        run->older->newer = run->newer;
    }
    table->ended--;
    free_run(run);
}

static void take_out(dn_bs_runs_table *table, dn_bs_run *run)
{
    dn_bs_run **at = &table->by_endpoint[bucket_of(table, run->view.endpoint)];
    while (*at != run) {
        at = &(*at)->live->next_of_endpoint;
    }
    *at = run->live->next_of_endpoint;
    at = &table->by_peer[bucket_of(table, bytes_of(&run->peer))];
    while (*at != run) {
        at = &(*at)->live->next_of_peer;
    }
    *at = run->live->next_of_peer;
    dn_bs_runs_unwait(table, run);
}

/* Gives back what was allocated in advance. */
static void shrink(dn_bs_run *run)
{
    if (run->view.step_count > 0 && run->view.step_count < run->step_room) {
        dn_bs_step_view *fitting = realloc(run->steps, run->view.step_count * sizeof *fitting);
        run->steps = fitting != NULL ? fitting : run->steps;
        run->view.steps = run->steps;
    }
    if (run->view.found.len > DN_BS_FOUND_KEPT) {
        uint8_t *fitting = realloc(run->found, DN_BS_FOUND_KEPT);
        run->found = fitting != NULL ? fitting : run->found;
        run->view.found = dunlin_slice_make(run->found, DN_BS_FOUND_KEPT);
    }
}

void dn_bs_runs_end(dn_bs_runs_table *table, dn_bs_run *run)
{
    take_out(table, run);
    free_live(run->live);
    run->live = NULL;
    shrink(run);
    if (table->last_ended != NULL) {
        table->last_ended->next_ended = run;
    } else {
        table->first_ended = run;
    }
    table->last_ended = run;
    table->running--;
    table->ended++;
    if (table->ended > table->max_ended) {
        forget_oldest_end(table);
    }
}

void dn_bs_runs_wait(dn_bs_runs_table *table, dn_bs_run *run)
{
    if (run->live->is_waiting) {
        return;
    }
    run->live->is_waiting = true;
    run->live->former_waiting = table->last_waiting;
    run->live->next_waiting = NULL;
    if (table->last_waiting != NULL) {
        table->last_waiting->live->next_waiting = run;
    } else {
        table->first_waiting = run;
    }
    table->last_waiting = run;
    table->waiting++;
}

void dn_bs_runs_unwait(dn_bs_runs_table *table, dn_bs_run *run)
{
    dn_bs_live *live = run->live;
    if (!live->is_waiting) {
        return;
    }
    if (live->former_waiting != NULL) {
        live->former_waiting->live->next_waiting = live->next_waiting;
    } else {
        table->first_waiting = live->next_waiting;
    }
    if (live->next_waiting != NULL) {
        live->next_waiting->live->former_waiting = live->former_waiting;
    } else {
        table->last_waiting = live->former_waiting;
    }
    live->is_waiting = false;
    table->waiting--;
}

dn_bs_step_view *dn_bs_run_step(dn_bs_run *run)
{
    if (run->view.step_count == run->step_room) {
        dn_bs_step_view *grown = realloc(run->steps, (run->step_room + STEPS_MORE) * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        run->steps = grown;
        run->step_room += STEPS_MORE;
        run->view.steps = grown;
    }
    dn_bs_step_view *step = &run->steps[run->view.step_count++];
    *step = (dn_bs_step_view){.code = 0};
    return step;
}

void dn_bs_run_found(dn_bs_run *run, dunlin_slice links)
{
    uint8_t *copy = malloc(links.len + 1);
    if (copy == NULL) {
        return;
    }
    if (links.len > 0) {
        memcpy(copy, links.data, links.len);
    }
    free(run->found);
    run->found = copy;
    run->view.found = dunlin_slice_make(copy, links.len);
}
