/* SPDX-License-Identifier: Apache-2.0 */
/* Objects out of OMA definition files: tables of resources made at run time, with instances that have a value for everything. */
#ifndef DUNLIN_APP_CLIENT_MODELS_H
#define DUNLIN_APP_CLIENT_MODELS_H

#include "base/random.h"
#include <dunlin/client.h>

#define DN_SIM_MODELS_MAX 64

typedef struct dn_sim_model dn_sim_model;

typedef struct {
    dn_sim_model *at[DN_SIM_MODELS_MAX];
    size_t count;
    uint16_t ids[DN_SIM_MODELS_MAX + 1]; /* of the Objects, ended by DUNLIN_ID_NONE */
} dn_sim_models;

void dn_sim_models_init(dn_sim_models *models);
void dn_sim_models_free(dn_sim_models *models);
/* Reads a file. False: what is wrong with it was printed to stderr. */
bool dn_sim_models_read(dn_sim_models *models, const char *file);
/* Whether `ids` has this Object: then the definition file's is taken, and not the simulated one. */
bool dn_sim_models_has(const uint16_t *ids, uint16_t object);
/* What their instances take of the client's arena. */
size_t dn_sim_models_arena(const dn_sim_models *models);
dunlin_status dn_sim_models_add(dunlin_client *client, dn_sim_models *models);
/* Values that are only to be read move, if they are floats: those are measured. */
void dn_sim_models_move(dunlin_client *client, dn_sim_models *models, dn_seeded *seeded);

#endif
