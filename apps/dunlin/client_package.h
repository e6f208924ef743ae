/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a firmware update keeps on disk: the package, partial or whole, how far the update is, and the version that runs. With a
 * folder it survives the process; without one it lies in a file without a name, and goes with it.
 */
#ifndef DUNLIN_APP_CLIENT_PACKAGE_H
#define DUNLIN_APP_CLIENT_PACKAGE_H

#include "apps/dunlin/client_failure.h"
#include <dunlin/oma_firmware.h>

#define DN_SIM_VERSION_MAX 64

typedef struct {
    const char *folder; /* NULL: none */
    int fd;             /* of the package; -1: not open */
} dn_sim_package;

/* What a package says of itself. */
typedef struct {
    char version[DN_SIM_VERSION_MAX]; /* empty: nothing */
    dn_sim_failure fail;              /* how the update with it is to fail */
} dn_sim_package_head;

/* Makes the folder if it is not there. False: what is wrong was printed to stderr. */
bool dn_sim_package_open(dn_sim_package *package, const char *folder);
void dn_sim_package_close(dn_sim_package *package);

/* Empties the package. False: errno says why. */
bool dn_sim_package_begin(dn_sim_package *package);
bool dn_sim_package_write(dn_sim_package *package, uint64_t offset, dunlin_slice bytes);
/* Its length; 0 if there is none. */
uint64_t dn_sim_package_size(const dn_sim_package *package);
void dn_sim_package_discard(dn_sim_package *package);
/* Its version: what its head says, else one made of its content. False: it cannot be read. */
bool dn_sim_package_version(const dn_sim_package *package, char out[DN_SIM_VERSION_MAX]);
/* Its head: lines "version=1.2.3" and "fail=integrity" with which it may begin. */
void dn_sim_package_head_read(dunlin_slice beginning, dn_sim_package_head *out);
/* The same of the package that is stored. */
void dn_sim_package_head_of(const dn_sim_package *package, dn_sim_package_head *out);

/* How far the update is; nothing without a folder. False: it is not there, or is damaged. */
void dn_sim_package_save(const dn_sim_package *package, const dunlin_firmware_kept *kept);
bool dn_sim_package_load(const dn_sim_package *package, dunlin_firmware_kept *kept);
/* The version that runs. False: none was kept. */
void dn_sim_package_keep_version(const dn_sim_package *package, const char *version);
bool dn_sim_package_kept_version(const dn_sim_package *package, char out[DN_SIM_VERSION_MAX]);

#endif
